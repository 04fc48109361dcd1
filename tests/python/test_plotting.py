"""Plots hold what they should: the numbers in the artists, against NumPy and scikit-learn."""

import sys

import matplotlib
import matplotlib.figure
import matplotlib.image
import numpy as np
import pytest
from helpers import run_python, small_classifier
from sklearn.metrics import confusion_matrix as sklearn_confusion_matrix

import lamina as lm
from lamina._figure import COLORS

plotting = lm.plotting


@pytest.fixture
def history(classes):
    x, y = classes
    trainer = lm.Trainer(
        small_classifier(), "adam", "sparse_categorical_crossentropy", metrics=["accuracy"], seed=1
    )
    return trainer.fit(x, y, epochs=4, validation_split=0.2, validation_freq=2, verbose=0)


def lines(panel):
    return {(line.get_label(), line.get_linestyle()): line.get_xydata().T.tolist() for line in panel.lines}


# ---- learning curves


def test_learning_curves_hold_the_history(history, tmp_path):
    figure = history.plot(tmp_path / "curves.png")
    assert [panel.get_title(loc="left") for panel in figure.axes] == ["loss", "accuracy"]
    values = history.history
    for panel, name in zip(figure.axes, ("loss", "accuracy"), strict=True):
        drawn = lines(panel)
        assert drawn["training", "-"] == [[1, 2, 3, 4], values[name]]
        assert drawn["validation", "-"] == [[2, 4], values[f"val_{name}"]]
        assert [text.get_text() for text in panel.get_legend().get_texts()] == ["training", "validation"]
    assert matplotlib.image.imread(tmp_path / "curves.png").shape[2] == 4


def test_compare_draws_every_run(history, classes, tmp_path):
    x, y = classes
    other = lm.Trainer(small_classifier(2), "sgd", "sparse_categorical_crossentropy", seed=1).fit(
        x, y, epochs=2, verbose=0
    )
    figure = plotting.compare({"one": history, "two": other}, path=tmp_path / "compare.svg")
    loss, accuracy = figure.axes
    assert loss.get_title(loc="left") == "loss (dashed: validation)"
    drawn = lines(loss)
    assert drawn["one", "-"] == [[1, 2, 3, 4], history.history["loss"]]
    assert drawn["two", "-"] == [[1, 2], other.history["loss"]]
    assert len(loss.lines) == 3
    assert loss.lines[0].get_color() == loss.lines[1].get_color() != loss.lines[2].get_color()
    assert len(accuracy.lines) == 2
    assert (tmp_path / "compare.svg").read_text().startswith("<?xml")
    (only,) = plotting.compare([history, other], metrics=["accuracy"]).axes
    assert [text.get_text() for text in figure.axes[0].get_legend().get_texts()] == ["one", "two"]
    assert only.lines[0].get_label() == "run 1"


def test_compare_refuses_what_it_cannot_draw(history):
    for arguments, words in [
        (([],), "at least one"),
        (([history.history],), "fit returned"),
        (([history], ["mae"]), "'loss', 'accuracy', got 'mae'"),
        (([lm.History()],), "at least one"),
    ]:
        with pytest.raises(lm.ArgumentError, match=words):
            plotting.compare(*arguments)


# ---- confusion matrix


@pytest.mark.parametrize("normalize", [None, "true", "pred", "all"])
def test_confusion_matrix_is_scikit_learns(rng, normalize, tmp_path):
    y_true, y_pred = rng.integers(0, 4, (2, 200))
    expected = sklearn_confusion_matrix(y_true, y_pred, normalize=normalize)
    figure = plotting.confusion_matrix(y_true, y_pred, normalize=normalize, path=tmp_path / "m.pdf")
    (panel,) = figure.axes
    np.testing.assert_allclose(panel.images[0].get_array(), expected)
    shown = np.array([float(text.get_text()) for text in panel.texts]).reshape(4, 4)
    np.testing.assert_allclose(shown, expected, atol=0.005)
    assert panel.get_title(loc="left") == f"accuracy {(y_true == y_pred).mean():.4g}"
    assert [tick.get_text() for tick in panel.get_xticklabels()] == ["0", "1", "2", "3"]
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("predicted", "true")


def test_confusion_matrix_of_every_kind_of_classes(rng):
    y = rng.integers(0, 3, 60)
    guess = rng.integers(0, 3, 60)
    expected = sklearn_confusion_matrix(y, guess)
    probabilities = np.eye(3)[guess] * 0.5 + 0.1
    names = np.array(["cat", "dog", "eel"])

    def counts(*arguments, **options):
        return plotting.confusion_matrix(*arguments, **options).axes[0].images[0].get_array()

    np.testing.assert_array_equal(counts(y, probabilities), expected)
    np.testing.assert_array_equal(counts(np.eye(3)[y], guess[:, None]), expected)
    np.testing.assert_array_equal(counts(names[y], names[guess]), expected)
    np.testing.assert_array_equal(counts(y.astype(float), guess.tolist()), expected)
    binary = sklearn_confusion_matrix(y == 1, guess == 1)
    np.testing.assert_array_equal(counts(y == 1, np.where(guess == 1, 0.7, 0.2)[:, None]), binary)
    four = counts(y, guess, labels=["a", "b", "c", "d"])
    np.testing.assert_array_equal(four, np.pad(expected, (0, 1)))


def test_confusion_matrix_into_axes_of_ones_own():
    figure = matplotlib.figure.Figure()
    axes = figure.subplots(1, 2)
    assert plotting.confusion_matrix([0, 1], [0, 0], labels=["no", "yes"], ax=axes[1]) is figure
    assert not axes[0].images
    assert [tick.get_text() for tick in axes[1].get_yticklabels()] == ["no", "yes"]


def test_many_classes_have_no_numbers():
    figure = plotting.confusion_matrix(np.arange(30), np.arange(30))
    assert not figure.axes[0].texts


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([0, 1], [0]), {}, "got 2 and 1"),
        (([], []), {}, "at least one"),
        (([0, 1], [1, 1]), {"normalize": "rows"}, "'rows'"),
        (([0, 5], [1, 1]), {"labels": ["a", "b"]}, "6 classes, got 2"),
        ((np.zeros((2, 2, 2)), [0, 1]), {}, "y_true of shape"),
    ],
)
def test_confusion_matrix_mistakes(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        plotting.confusion_matrix(*arguments, **options)


# ---- decision boundary


def test_decision_boundary_of_one_output(tmp_path):
    """The sigmoid of 3 x0 - 6 x1: the line of 0.5 is x1 = x0 / 2, and the colours are the probabilities."""
    model = lm.Sequential([lm.Input((2,)), lm.Dense(1, "sigmoid")])
    model.set_weights([[[3.0], [-6.0]], [0.0]])
    x, y = np.array([[-1, -1], [1, 1], [0.5, -1], [0, 1]]), np.array([0, 0, 1, 1])
    figure = plotting.decision_boundary(model, x, y, resolution=41, path=tmp_path / "boundary.png")
    (panel,) = figure.axes
    sides = np.linspace(-1.16, 1.16, 41)
    np.testing.assert_allclose(panel.get_xlim(), (-1.16, 1.16), rtol=1e-6)
    grid = np.stack(np.meshgrid(sides, sides), axis=2)
    values = 1 / (1 + np.exp(-(3 * grid[:, :, 0] - 6 * grid[:, :, 1])))
    np.testing.assert_allclose(panel.images[0].get_array(), values, atol=1e-5)
    contour, *points = panel.collections
    line = np.concatenate([path.vertices for path in contour.get_paths()])
    np.testing.assert_allclose(line[:, 1], line[:, 0] / 2, atol=2e-3)
    for label, collection in enumerate(points):
        np.testing.assert_allclose(collection.get_offsets(), x[y == label])
    assert [text.get_text() for text in panel.get_legend().get_texts()] == ["0", "1"]


def test_decision_boundary_of_several_outputs():
    """The class whose centre is nearest: the colour of each pixel is the class of its largest output."""
    centres = np.array([[0, 0], [2, 0], [0, 2]])
    x = np.concatenate([centres - 0.5, centres + 0.5])

    def model(points):
        distances = ((points[:, None, :] - centres) ** 2).sum(axis=2)
        scores = np.exp(-distances)
        return scores / scores.sum(axis=1, keepdims=True)

    (panel,) = plotting.decision_boundary(model, x, resolution=30).axes
    image = panel.images[0].get_array()
    left, right, bottom, top = panel.images[0].get_extent()
    grid = np.stack(np.meshgrid(np.linspace(left, right, 30), np.linspace(bottom, top, 30)), axis=2)
    best = model(grid.reshape(-1, 2)).argmax(axis=1).reshape(30, 30)
    from matplotlib.colors import to_rgb

    for label in range(3):
        hue = 1 - np.array(to_rgb(COLORS[label]))
        faded = 1 - image[best == label]
        np.testing.assert_allclose(
            faded / faded.max(axis=1, keepdims=True), [hue / hue.max()] * len(faded), atol=1e-6
        )
    assert len(panel.collections) == 2  # a line around each class but the first


def test_decision_boundary_of_an_estimator(classes):
    from sklearn.linear_model import LinearRegression, LogisticRegression

    x, y = classes[0][:, :2], classes[1]
    classifier, line = LogisticRegression().fit(x, y), LinearRegression().fit(x, y == 1)
    for estimator, function in ((classifier, classifier.predict_proba), (line, line.predict)):
        images = [
            plotting.decision_boundary(model, x, y, resolution=20).axes[0].images[0].get_array()
            for model in (estimator, function)
        ]
        np.testing.assert_array_equal(*images)


def test_decision_boundary_of_two_features_among_more():
    seen = []

    def model(points):
        seen.append(points)
        return points[:, 2] - points[:, 0]

    x = np.array([[0.0, 5, 1], [2, 7, 3]], np.float32)
    (panel,) = plotting.decision_boundary(model, x, features=(2, 0), resolution=5).axes
    assert (seen[0][:, 1] == 6).all()
    assert panel.get_xlabel() == "feature 2"
    np.testing.assert_allclose(
        panel.images[0].get_array(), (seen[0][:, 2] - seen[0][:, 0]).reshape(5, 5), atol=1e-6
    )


@pytest.mark.parametrize(
    ("x", "options", "words"),
    [
        (np.zeros(5), {}, r"\(n, 2\)"),
        (np.zeros((5, 1)), {}, r"\(n, 2\)"),
        (np.zeros((5, 2)), {"features": (0, 2)}, "two of 2 features"),
        (np.zeros((5, 2)), {"features": (1, 1)}, "two of 2 features"),
        (np.zeros((5, 2)), {"resolution": 1}, "resolution"),
    ],
)
def test_decision_boundary_mistakes(x, options, words):
    with pytest.raises(ValueError, match=words):
        plotting.decision_boundary(lambda points: points[:, 0], x, **options)


# ---- weights


def picture_of(figure):
    return figure.axes[0].images[0].get_array()


def test_weights_are_the_kernels_columns(tmp_path):
    model = lm.Sequential([lm.Input((3, 4)), lm.Flatten(), lm.Dense(7), lm.Dense(16), lm.Dense(5)], seed=1)
    figure = plotting.weights(model, path=tmp_path / "weights.png")
    kernel = model.layers[1].kernel
    ((image,),) = (panel.images for panel in figure.axes)
    mosaic = np.ma.filled(image.get_array(), np.nan)
    assert mosaic.shape == (2 * 4 - 1, 4 * 5 - 1)  # two rows of four, a pixel apart
    for unit in range(7):
        top, left = unit // 4 * 4, unit % 4 * 5
        picture = mosaic[top : top + 3, left : left + 4]
        np.testing.assert_array_equal(picture, kernel[:, unit].reshape(3, 4))
    assert np.isnan(mosaic).sum() == mosaic.size - kernel.size
    assert image.norm.vmax == -image.norm.vmin == np.abs(kernel).max()
    assert picture_of(plotting.weights(model, layer=-1, units=2)).shape == (4, 9)  # 16 inputs: squares
    assert picture_of(plotting.weights(model, layer="dense_1", shape=(1, 7), units=1)).shape == (1, 7)
    colours = lm.Sequential([lm.Input((2, 2, 3)), lm.Flatten(), lm.Dense(1)], seed=1)
    picture = picture_of(plotting.weights(colours))
    expected = colours.layers[1].kernel.reshape(2, 2, 3)
    np.testing.assert_allclose(picture, 0.5 + expected / (2 * np.abs(expected).max()), atol=1e-6)


def test_weights_mistakes():
    model = lm.Sequential([lm.Input((6,)), lm.Dropout(0.1), lm.Dense(3), lm.Dense(1)])
    for options, error, words in [
        ({}, lm.ShapeError, r"shape=\(height, width\) for 6"),
        ({"shape": (2, 2)}, lm.ShapeError, "6 inputs"),
        ({"layer": "dropout"}, lm.ArgumentError, "'dropout'"),
        ({"layer": 9}, lm.ArgumentError, "9"),
        ({"shape": (2, 3), "units": 0}, lm.ArgumentError, "units"),
    ]:
        with pytest.raises(error, match=words):
            plotting.weights(model, **options)
    with pytest.raises(lm.ArgumentError, match="Dense"):
        plotting.weights(lm.Sequential([lm.Input((4,)), lm.Dropout(0.1)]))
    with pytest.raises(lm.StateError):
        plotting.weights(lm.Sequential([lm.Dense(3)]))


# ---- files and imports


def test_files_are_whole_or_not_there(history, tmp_path):
    for ending in ("png", "pdf", "svg", "PNG"):
        history.plot(tmp_path / f"curves.{ending}")
    with pytest.raises(lm.ArgumentError, match=r"\.png.*curves\.txt"):
        history.plot(tmp_path / "curves.txt")
    with pytest.raises(lm.FileError, match="nowhere"):
        history.plot(tmp_path / "nowhere" / "curves.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(lm.FileError, match=r"folder\.png"):
        history.plot(tmp_path / "folder.png")
    assert {path.name for path in tmp_path.iterdir()} == {
        "curves.png", "curves.pdf", "curves.svg", "curves.PNG", "folder.png",
    }  # fmt: skip
    plain = tmp_path / "plain.txt"
    plain.write_text("")
    assert (tmp_path / "curves.png").stat().st_mode == plain.stat().st_mode


def test_without_matplotlib(history, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
        monkeypatch.setitem(sys.modules, name, None)
    for draw in (
        history.plot,
        lambda: plotting.confusion_matrix([0], [0]),
        lambda: plotting.compare([history]),
    ):
        with pytest.raises(ImportError, match=r"matplotlib: pip install 'lamina\[plot\]'"):
            draw()


def test_importing_lamina_imports_nothing_optional():
    names = {
        "matplotlib",
        "sklearn",
        "tqdm",
        "pandas",
        "IPython",
        "tensorboardX",
        "urllib.request",
        "zipfile",
    }
    code = "import sys, numpy; before = set(sys.modules); import lamina; print(*set(sys.modules) - before)"
    imported = set(run_python(code).split())
    assert "lamina.data" in imported
    assert not names & imported
