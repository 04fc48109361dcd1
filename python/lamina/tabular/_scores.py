"""How good predictions are, beside what guessing gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ._target import ClassTarget, NumberTarget, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

Scores = dict[str, Any]

_QUANTILES = (0, 5, 25, 50, 75, 95, 100)
_LEAST_PROBABILITY = 1e-7  # as in Keras's crossentropies
_BINS = 15


def scores_of(target: Target, truth: NDArray[Any], output: NDArray[np.float32]) -> Scores:
    """Return the scores of a network's output against `target.encode(...)`, as JSON can hold them."""
    if isinstance(target, ClassTarget):
        return _of_classes(target, truth, output)
    return _of_numbers(target, truth, output)


def metrics() -> Any:
    """Return sklearn.metrics, imported now."""
    try:
        import sklearn.metrics as module
    except ImportError as error:
        message = "Training and scores need scikit-learn: pip install 'lamina[tabular]'"
        raise ImportError(message, name="sklearn") from error
    return module


def _of_classes(target: ClassTarget, truth: NDArray[np.int64], output: NDArray[np.float32]) -> Scores:
    labels = list(range(target.outputs))
    guessed = output.argmax(axis=1)
    columns = metrics().precision_recall_fscore_support(truth, guessed, labels=labels, zero_division=0)
    probability = np.clip(output[np.arange(len(truth)), truth].astype(np.float64), _LEAST_PROBABILITY, 1.0)
    majority = int(np.argmax(target.counts))
    return {
        "rows": len(truth),
        "accuracy": float((guessed == truth).mean()),
        "log_loss": float(-np.log(probability).mean()),
        "macro_f1": float(columns[2][columns[3] > 0].mean()),
        "baseline": {"class": target.classes[majority], "accuracy": float((truth == majority).mean())},
        "per_class": [
            {"class": label, "precision": float(p), "recall": float(r), "f1": float(f), "rows": int(n)}
            for label, p, r, f, n in zip(target.classes, *columns, strict=True)
        ],
        "confusion": metrics().confusion_matrix(truth, guessed, labels=labels).tolist(),
    }


def _of_numbers(target: NumberTarget, truth: NDArray[np.float32], output: NDArray[np.float32]) -> Scores:
    numbers = truth.astype(np.float64) * target.scale + target.mean
    residuals = numbers - target.decode(output)
    around_mean = ((numbers - numbers.mean()) ** 2).sum()
    guess = numbers - target.mean
    low, high = np.quantile(residuals, [0.01, 0.99])
    counts, edges = np.histogram(np.clip(residuals, low, high), bins=_BINS)
    return {
        "rows": len(truth),
        "r2": float(1 - (residuals**2).sum() / around_mean) if around_mean > 0 else None,
        "mae": float(np.abs(residuals).mean()),
        "rmse": float(np.sqrt((residuals**2).mean())),
        "baseline": {
            "number": target.mean,
            "mae": float(np.abs(guess).mean()),
            "rmse": float(np.sqrt((guess**2).mean())),
        },
        "residuals": {
            "mean": float(residuals.mean()),
            "quantiles": {str(q): float(np.quantile(residuals, q / 100)) for q in _QUANTILES},
            "histogram": {"counts": counts.tolist(), "edges": edges.tolist()},
        },
    }
