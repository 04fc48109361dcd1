"""Plots hold what they should: the numbers in the artists, against NumPy and scikit-learn."""

import sys

import matplotlib
import matplotlib.colors
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


def made_up(epochs, names=("loss",)):
    history = lm.History()
    for epoch in range(epochs):
        history._append(epoch, dict.fromkeys(names, 1 / (1 + epoch)))
    return history


def test_compare_takes_one_history(history):
    loss, accuracy = plotting.compare(history).axes
    assert lines(loss)["run 1", "-"] == [[1, 2, 3, 4], history.history["loss"]]
    (only,) = plotting.compare(history, metrics="accuracy").axes
    assert lines(only) == lines(accuracy)
    for nothing in (5, None, {"a": 5}):
        with pytest.raises(lm.ArgumentError, match="objects that fit returned, got"):
            plotting.compare(nothing)


def test_compare_names_every_run_that_it_draws():
    runs = {"with mae": made_up(3, ("loss", "mae")), "no mae": made_up(3)}
    mae, loss = plotting.compare(runs, metrics=["mae", "loss"]).axes
    legend = mae.get_legend()
    assert [text.get_text() for text in legend.get_texts()] == list(runs)
    assert [line.get_color() for line in legend.get_lines()] == [line.get_color() for line in loss.lines]
    (mae,) = plotting.compare(runs, metrics=["mae"]).axes
    assert [text.get_text() for text in mae.get_legend().get_texts()] == ["with mae"]


@pytest.mark.parametrize("names", [range(14), range(45), ["a name of a run that is long indeed"]])
def test_compare_puts_a_large_legend_beside_the_panels(names):
    figure = plotting.compare({name: made_up(3, ("loss", "mae")) for name in names})
    figure.canvas.draw()
    assert all(panel.get_legend() is None for panel in figure.axes)
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == list(map(str, names))
    box, whole = legend.get_window_extent(), figure.bbox
    assert (whole.min <= box.min).all()
    assert (box.max <= whole.max).all()
    for panel in figure.axes:
        assert not panel.get_tightbbox().overlaps(box)
        assert panel.get_window_extent().width > 0.7 * 4.6 * figure.dpi
    assert len({line.get_color() for line in figure.axes[0].lines}) == len(names)


@pytest.mark.parametrize("epochs", [1, 2, 3, 8, 300])
def test_ticks_are_whole_epochs(epochs):
    unfinished = made_up(1)
    for epoch in range(1, epochs):
        unfinished._append(epoch, {"loss": float("nan")})
    for history in (made_up(epochs), unfinished):
        (panel,) = history.plot().axes
        low, high = panel.get_xlim()
        assert low < 1 <= epochs < high
        ticks = [tick for tick in panel.get_xticks() if low <= tick <= high]
        assert ticks
        assert all(tick == int(tick) for tick in ticks)
    if epochs == 1:
        assert ticks == [1]


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


def test_confusion_matrix_in_a_subfigure_saves_the_whole(tmp_path):
    figure = matplotlib.figure.Figure((4, 3), dpi=50)
    inner = figure.subfigures(1, 2)[1].subfigures(2, 1)[0]
    path = tmp_path / "whole.png"
    assert plotting.confusion_matrix([0, 1], [0, 1], ax=inner.subplots(), path=path) is figure
    assert matplotlib.image.imread(path).shape[:2] == (150, 200)


@pytest.mark.parametrize(
    ("y_true", "y_pred", "labels", "expected"),
    [
        (["cat", "dog"], [[0.9, 0.1], [0.2, 0.8]], ["cat", "dog"], [[1, 0], [0, 1]]),
        (["cat", "dog"], [[0.9, 0.1], [0.2, 0.8]], ["dog", "cat"], [[0, 1], [1, 0]]),
        (["cat", "dog"], [0.1, 0.2], ["dog", "cat"], [[1, 0], [1, 0]]),
        ([[1, 0, 0], [0, 0, 1]], ["a", "a"], ["a", "b", "c"], [[1, 0, 0], [0, 0, 0], [1, 0, 0]]),
        (["cat", "dog"], ["dog", "dog"], ["dog", "cat"], [[1, 0], [1, 0]]),
        (np.array(["cat", "dog"], object), ["dog", "dog"], ["A", "B"], [[0, 1], [0, 1]]),
        ([-1, 1], [1, 1], [-1, 1], [[0, 1], [0, 1]]),
        (np.array([True, False], object), [0, 1], None, [[0, 1], [1, 0]]),
    ],
)
def test_confusion_matrix_of_names(y_true, y_pred, labels, expected):
    (panel,) = plotting.confusion_matrix(y_true, y_pred, labels).axes
    np.testing.assert_array_equal(panel.images[0].get_array(), expected)
    if labels is not None:
        assert [tick.get_text() for tick in panel.get_yticklabels()] == list(map(str, labels))


NAN = float("nan")


@pytest.mark.parametrize(
    ("y_true", "y_pred", "labels", "error", "words"),
    [
        (["cat", "dog"], [[0.9, 0.1], [0.2, 0.8]], None, lm.ArgumentError, "'cat', .* in y_pred, got none"),
        (["cat", "eel"], [0, 1], ["cat", "dog"], lm.ArgumentError, r"'eel', .*got \['cat', 'dog'\]"),
        (["cat", "dog"], [0, 2], ["cat", "dog"], lm.ArgumentError, "from 0 to 1, .*got 0 to 2"),
        (["cat", "dog"], [[0.9, 0.1, 0]] * 2, ["cat", "dog"], lm.ArgumentError, "3 classes, got 2"),
        ([0, 1, 1], np.full((3, 1), NAN), None, lm.DataError, "y_pred without NaN .*row 0"),
        ([0, 1], [[0.2, 0.8], [NAN, 1]], None, lm.DataError, "y_pred without NaN .*row 1"),
        ([0, np.inf], [0, 1], None, lm.DataError, "y_true without NaN or infinity"),
        (
            np.array(["a", None], object),
            ["a", "a"],
            None,
            lm.DataError,
            "y_true without gaps, got None in row 1",
        ),
        (
            np.array(["a", NAN], object),
            ["a", "a"],
            None,
            lm.DataError,
            "y_true without gaps, got nan in row 1",
        ),
        (np.array(["a", 1], object), ["a", "a"], None, lm.ArgumentError, "got both"),
        ([1.5, 2.5], [1, 2], None, lm.ArgumentError, "y_true of whole numbers.*from 1.5 to 2.5"),
        ([1, 0], [-1.5, 0.5], None, lm.ArgumentError, "y_pred of whole numbers"),
        ([["a", "b"]], [0], None, lm.ArgumentError, "numbers in the columns of y_true"),
        ([0, 1], np.zeros((2, 0)), None, lm.ShapeError, "y_pred of shape"),
    ],
)
def test_confusion_matrix_does_not_guess(y_true, y_pred, labels, error, words):
    with pytest.raises(error, match=f"^confusion_matrix: expected .*{words}"):
        plotting.confusion_matrix(y_true, y_pred, labels)


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


def point_colors(panel):
    """The colour of the points of each class."""
    points = [c for c in panel.collections if c.get_label() and not c.get_label().startswith("_")]
    return {c.get_label(): tuple(c.get_facecolor()[0][:3]) for c in points}


def color_at(panel, x, y):
    """The hue of the picture there, as strong as it can be."""
    image = panel.images[0]
    left, right, bottom, top = image.get_extent()
    pixels = image.get_array()
    row = int((y - bottom) / (top - bottom) * pixels.shape[0])
    column = int((x - left) / (right - left) * pixels.shape[1])
    return 1 - pixels[row, column]


CENTRES = np.array([[0.0, 0], [4, 0], [0, 4]])


def nearest(points):
    return ((points[:, None, :] - CENTRES) ** 2).sum(axis=2).argmin(axis=1)


class Labels:
    """An estimator that only predicts: the name of the nearest centre."""

    def __init__(self, names, known=True):
        self.names = np.asarray(names)
        if known:
            self.classes_ = np.unique(self.names)

    def predict(self, points):
        return self.names[nearest(points)]


class Shares(Labels):
    def predict_proba(self, points):
        order = np.searchsorted(self.classes_, self.names)
        return (0.7 * np.eye(3) + 0.1)[order[nearest(points)]]


def logits(points):
    return -((points[:, None, :] - CENTRES) ** 2).sum(axis=2)


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (logits, [0, 1, 2]),
        (Labels([0, 1, 2]), [0, 1, 2]),
        (Labels([7, -1, 2]), [7, -1, 2]),
        (Labels([1, 2, 3], known=False), [1, 2, 3]),
        (Labels([1.0, 2.0, 3.0], known=False), [1, 2, 3]),
        (Labels(["cat", "eel", "dog"]), ["cat", "eel", "dog"]),
        (Labels(np.array(["cat", "eel", "dog"], object)), ["cat", "eel", "dog"]),
        (lambda points: np.array(["c", "b", "a"])[nearest(points)], ["c", "b", "a"]),
        (nearest, [0, 1, 2]),
        (Shares(["cat", "eel", "dog"]), ["cat", "eel", "dog"]),
    ],
)
@pytest.mark.parametrize("present", [[0, 1, 2], [1, 2], [2]])
def test_points_have_the_colour_of_their_class(model, names, present):
    """A point in the region of its class has the hue of the region, also where other classes are absent."""
    x = np.concatenate([CENTRES - 0.5, CENTRES + 0.5])
    kept = np.isin(nearest(x), present)
    y = np.array(names)[nearest(x)]
    (panel,) = plotting.decision_boundary(model, x, np.where(kept, y, y[kept][0]), resolution=50).axes
    drawn = point_colors(panel)
    assert len(drawn) == len(present)
    hues = [color_at(panel, *centre) for centre in CENTRES]
    assert len({tuple(hue.round(4)) for hue in hues}) == 3
    for i in present:
        hue = 1 - np.array(drawn[str(names[i])])
        np.testing.assert_allclose(hues[i] / hues[i].max(), hue / hue.max(), atol=1e-6)
    contours = [c for c in panel.collections if c.get_label() not in drawn]
    assert len(contours) == 2
    assert all(len(path.vertices) for c in contours for path in c.get_paths())


def test_decision_boundary_of_support_vectors():
    from sklearn.svm import SVC

    x = np.concatenate([CENTRES - 0.5, CENTRES + 0.5])
    for names in ([1, 2], ["no", "yes"], [-1.0, 1.0]):
        y = np.array(names)[(nearest(x) > 0).astype(int)]
        (panel,) = plotting.decision_boundary(SVC().fit(x, y), x, y, resolution=40).axes
        contour, *_ = panel.collections
        assert sum(len(path.vertices) for path in contour.get_paths()) > 10
        assert [*map(matplotlib.colors.to_hex, point_colors(panel).values())] == list(COLORS[:2])


def test_one_hot_rows_are_the_classes_of_an_estimator():
    x = np.concatenate([CENTRES, CENTRES + 0.5])
    model = Shares(["cat", "eel", "dog"])
    (panel,) = plotting.decision_boundary(model, x, np.eye(3)[[1, 1, 1, 2, 2, 2]], resolution=20).axes
    expected = {"dog": COLORS[1], "eel": COLORS[2]}
    drawn = {name: matplotlib.colors.to_hex(color) for name, color in point_colors(panel).items()}
    assert drawn == expected


def test_one_output_knows_its_classes():
    x = CENTRES[[0, 1, 2, 0]] + np.arange(4)[:, None]
    for y, expected in [
        ([1, 1, 1, 1], [1]),
        ([1, 1, -1, 1], [0, 1]),
        ([-1] * 4, [0]),
        ([3, 5, 3, 3], [0, 1]),
    ]:
        (panel,) = plotting.decision_boundary(lambda points: points[:, 0] - 1, x, y, resolution=9).axes
        drawn = map(matplotlib.colors.to_hex, point_colors(panel).values())
        assert list(drawn) == [COLORS[i] for i in expected]


def test_many_classes_have_a_colour_each():
    x = np.stack([np.arange(26.0) // 2, np.arange(26) % 2], axis=1)
    y = np.arange(26) // 2
    (panel,) = plotting.decision_boundary(lambda points: points[:, 0].round().astype(int), x, y).axes
    assert len(set(point_colors(panel).values())) == 13


TWO = np.array([[0.0, 1], [2, 3], [4, 4]])


@pytest.mark.parametrize(
    ("x", "options", "error", "words"),
    [
        (TWO, {"y": [0, 1]}, lm.ShapeError, "y of 3 rows, as many as x, got 2"),
        (TWO, {"y": [0, 1, NAN]}, lm.DataError, "y without NaN or infinity, got one in row 2"),
        (TWO, {"y": np.zeros((3, 1, 1))}, lm.ShapeError, "y of shape"),
        (np.where(TWO == 3, NAN, TWO), {}, lm.DataError, "x, got NaN or infinity in row 1"),
        (TWO * 1e300, {}, lm.DataError, "x, got NaN or infinity in row 0"),
        (TWO, {"features": (0, 1, 1)}, lm.ArgumentError, r"two of 2 features, .* got \(0, 1, 1\)"),
        (TWO, {"features": 1}, lm.ArgumentError, "two of 2 features"),
        (TWO, {"features": (False, True)}, lm.ArgumentError, "two of 2 features"),
        (TWO, {"features": (0, -1)}, lm.ArgumentError, "two of 2 features"),
        (TWO, {"model": lambda points: points[:3]}, lm.ShapeError, "predictions of 16 rows"),
        (TWO, {"model": lambda points: points * NAN}, lm.DataError, "predictions without NaN"),
        (TWO, {"model": lambda points: np.full(16, np.inf)}, lm.DataError, "finite predictions"),
    ],
)
def test_decision_boundary_says_what_is_wrong(x, options, error, words):
    arguments = {"model": lambda points: points[:, 0], "resolution": 4, **options}
    with pytest.raises(error, match=f"^decision_boundary: expected .*{words}"):
        plotting.decision_boundary(x=x, **arguments)


def test_numpy_integers_are_features():
    features = (np.int64(1), np.array(0))
    figure = plotting.decision_boundary(lambda points: points[:, 0], TWO, None, features, np.int32(5))
    (panel,) = figure.axes
    assert (panel.get_xlabel(), panel.get_ylabel()) == ("feature 1", "feature 0")


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
    names = {"matplotlib", "sklearn", "tqdm", "pandas", "IPython", "tensorboardX"}
    names |= {"urllib.request", "zipfile"}
    code = "import sys, numpy; before = set(sys.modules); import lamina; print(*set(sys.modules) - before)"
    imported = set(run_python(code).split())
    assert "lamina.data" in imported
    assert not names & imported
