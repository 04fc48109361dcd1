"""What training says: nothing, a line an epoch, or a bar that names everything."""

import fcntl
import os
import pty
import re
import select
import struct
import sys
import termios

import numpy as np
import pytest
from helpers import HERE, small_classifier

import lamina as lm

LOSS = "sparse_categorical_crossentropy"


def said(capfd, classes, verbose, epochs=3):
    x, y = classes
    trainer = lm.Trainer(
        small_classifier(), optimizer=lm.optimizers.Adam(0.0125), loss=LOSS, metrics=["accuracy"]
    )
    capfd.readouterr()
    history = trainer.fit(x, y, epochs=epochs, validation_split=0.2, verbose=verbose).history
    captured = capfd.readouterr()
    return captured.out + captured.err, history


def test_silent(capfd, classes):
    assert said(capfd, classes, 0)[0] == ""


def test_an_imported_kernel_is_no_notebook(capfd, classes, monkeypatch):
    monkeypatch.setitem(sys.modules, "ipykernel", sys.modules[__name__])
    assert len(said(capfd, classes, "auto")[0].splitlines()) == 3


def test_silent_evaluation_and_prediction(capfd, classes):
    x, y = classes
    trainer = lm.Trainer(small_classifier(), loss=LOSS)
    capfd.readouterr()
    trainer.evaluate(x, y)
    trainer.train_on_batch(x, y)
    trainer.model.predict(x)
    captured = capfd.readouterr()
    assert captured.out + captured.err == ""


@pytest.mark.parametrize("verbose", [2, "auto"])
def test_a_line_an_epoch(capfd, classes, verbose):
    """ "auto" is that where nobody watches a terminal."""
    text, history = said(capfd, classes, verbose)
    lines = [line for line in text.splitlines() if line.strip()]
    assert len(lines) == 3
    assert "\r" not in text
    for epoch, line in enumerate(lines):
        assert f"{epoch + 1}/3" in line
        for name in ("loss", "accuracy", "val_loss", "val_accuracy"):
            shown = re.search(rf"\b{name}\b\D{{1,3}}([-+.e\d]+)", line)
            assert shown, (name, line)
            assert float(shown[1]) == pytest.approx(history[name][epoch], rel=0.01, abs=1e-3)
        assert re.search(r"(learning_rate|rate|lr)\D{1,3}0\.0125", line)


def test_a_bar(capfd, classes):
    text, _ = said(capfd, classes, 1)
    for word in ("loss", "accuracy", "val_loss", "0.0125", "/s"):
        assert word in text, word
    assert re.search(r"1/3", text)
    assert re.search(r"3/3", text)


WATCHED = """
import numpy as np
import lamina as lm
rng = np.random.default_rng(0)
x, y = rng.normal(size=(60000, 64)).astype(np.float32), rng.integers(0, 3, 60000)
model = lm.Sequential([lm.Dense(256, activation="relu"), lm.Dense(256, activation="relu"),
                       lm.Dense(3, activation="softmax")])
trainer = lm.Trainer(model, optimizer="adam", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
trainer.fit(x, y, epochs=1, batch_size=64, verbose="auto")
"""


def test_auto_is_a_bar_on_a_terminal():
    """On a terminal the bar moves while an epoch runs, and tells the time left and the samples per second."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(HERE)
        os.environ["TERM"] = "xterm"
        os.execv(sys.executable, [sys.executable, "-c", WATCHED])
    # A terminal has a size; one of no columns has no room for a bar.
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 140, 0, 0))
    chunks = []
    while select.select([terminal], [], [], 60)[0]:
        try:
            chunk = os.read(terminal, 65536)
        except OSError:  # how Linux says that the other side is closed
            break
        if not chunk:
            break
        chunks.append(chunk)
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    text = b"".join(chunks).decode(errors="replace")
    assert os.waitstatus_to_exitcode(status) == 0, text
    assert text.count("\r") > 3
    for word in ("loss", "accuracy"):
        assert word in text, word
    assert re.search(r"(learning_rate|rate|lr)\D{1,3}0\.001", text)
    assert re.search(r"\d[\d,.]*\s?[kM]?\s?(samples|rows)?/s", text)
    assert re.search(r"\d:\d\d|\d+(\.\d+)?\s?s\b|left|eta", text, re.IGNORECASE)


@pytest.mark.parametrize("verbose", [3, -1, "loud", None])
def test_other_values(classes, verbose):
    x, y = classes
    with pytest.raises(lm.ArgumentError, match="verbose"):
        lm.Trainer(small_classifier(), loss=LOSS).fit(x, y, epochs=1, verbose=verbose)


def test_what_is_shown_changes_nothing(capfd, classes):
    x, y = classes
    weights = []
    for verbose in (0, 1, 2):
        trainer = lm.Trainer(small_classifier(), optimizer="adam", loss=LOSS, seed=1)
        trainer.fit(x, y, epochs=2, verbose=verbose)
        weights.append(trainer.model.flat_parameters.copy())
    capfd.readouterr()
    np.testing.assert_array_equal(weights[0], weights[1])
    np.testing.assert_array_equal(weights[0], weights[2])
