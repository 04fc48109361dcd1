"""What shows in a notebook, with a stand-in for IPython and in a real kernel; and the graph in DOT."""

import copy
import html.parser
import io
import pickle
import shutil
import subprocess
import sys
import types
import xml.etree.ElementTree as ElementTree

import matplotlib
import matplotlib.figure
import matplotlib.image
import numpy as np
import pytest
from helpers import small_classifier

import lamina as lm

NASTY = [
    'a "quoted" name',
    "back\\slash\\n",
    "<b>bold<b>",
    "a & b &lt;",
    "{curly|bar}",
    "ünïcode",
    "%s",
    "#1;",
]


def fit(classes, callback, epochs=3, model=None):
    x, y = classes
    trainer = lm.Trainer(model or small_classifier(), loss="sparse_categorical_crossentropy", seed=1)
    return trainer.fit(x, y, epochs=epochs, validation_split=0.2, verbose=0, callbacks=[callback])


class Shown:
    """Stands in for IPython: keeps what was displayed, and what took its place."""

    def __init__(self, monkeypatch, kernel=True):
        self.outputs = []
        ipython, display = types.ModuleType("IPython"), types.ModuleType("IPython.display")
        ipython.version_info = (9, 0, 0, "")  # which matplotlib looks at
        shell = types.SimpleNamespace(kernel=object()) if kernel else types.SimpleNamespace()
        ipython.get_ipython = lambda: shell
        ipython.display = display
        display.display, display.Image = self.display, lambda data, format: (format, data)
        monkeypatch.setitem(sys.modules, "IPython", ipython)
        monkeypatch.setitem(sys.modules, "IPython.display", display)

    def display(self, what, display_id=None, raw=False):
        place = len(self.outputs)
        self.outputs.append([(what, raw)])
        if display_id:
            return types.SimpleNamespace(update=lambda new: self.outputs[place].append((new, False)))
        return None


# ---- live plot


def test_live_plot_replaces_its_picture(classes, monkeypatch):
    shown = Shown(monkeypatch)
    drawn = []
    curves = lm.plotting.learning_curves
    monkeypatch.setattr(
        lm.plotting, "learning_curves", lambda history: drawn.append(len(history)) or curves(history)
    )
    fit(classes, lm.callbacks.LivePlot(interval=0.0), epochs=1)
    assert drawn == [1]
    (pictures,) = shown.outputs
    for (kind, data), _ in pictures:
        assert kind == "png"
        assert matplotlib.image.imread(io.BytesIO(data)).shape[0] > 100


def test_live_plot_draws_at_the_pace_asked_for(classes, monkeypatch):
    """A clock that runs a second an epoch, where drawing takes no time: every third epoch, and the last."""
    import lamina._notebook as notebook

    shown, epochs = Shown(monkeypatch), []
    clock = types.SimpleNamespace(now=0.0)
    monkeypatch.setattr(notebook, "perf_counter", lambda: clock.now)
    monkeypatch.setattr(
        lm.plotting, "learning_curves",
        lambda history: epochs.append(len(history)) or types.SimpleNamespace(savefig=lambda *a, **b: None),
    )  # fmt: skip

    class Tick(lm.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            clock.now += 1

    x, y = classes
    trainer = lm.Trainer(small_classifier(), loss="sparse_categorical_crossentropy")
    trainer.fit(x, y, epochs=8, verbose=0, callbacks=[Tick(), lm.callbacks.LivePlot(interval=3)])
    assert epochs == [1, 4, 7, 8]
    assert [len(pictures) for pictures in shown.outputs] == [4]


def test_live_plot_into_a_file_also_when_training_fails(classes, tmp_path):
    class Fail(lm.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            if epoch == 1:
                raise RuntimeError("mine")

    x, y = classes
    trainer = lm.Trainer(small_classifier(), loss="sparse_categorical_crossentropy")
    live = lm.callbacks.LivePlot(tmp_path / "live.png", interval=1000)
    with pytest.raises(RuntimeError, match="mine"):
        trainer.fit(x, y, epochs=3, verbose=0, callbacks=[live, Fail()])
    assert [path.name for path in tmp_path.iterdir()] == ["live.png"]
    assert len(live._history) == live._drawn == 2


def test_live_plot_says_what_it_lacks(classes, monkeypatch):
    with pytest.raises(lm.StateError, match="notebook, or path"):
        fit(classes, lm.callbacks.LivePlot())
    Shown(monkeypatch, kernel=False)  # IPython's terminal
    with pytest.raises(lm.StateError, match="notebook"):
        fit(classes, lm.callbacks.LivePlot())
    with pytest.raises(lm.ArgumentError, match="interval"):
        lm.callbacks.LivePlot(interval=-1)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.setitem(sys.modules, "matplotlib.backends.backend_agg", None)
    with pytest.raises(ImportError, match=r"lamina\[plot\]"):
        fit(classes, lm.callbacks.LivePlot("live.png"))


# ---- figures


def history_of(epochs):
    history = lm.History()
    for epoch in range(epochs):
        history._append(epoch, {"loss": 1 / (1 + epoch)})
    return history


def test_figures_show_themselves():
    """IPython asks for `_repr_png_`: the picture at the size and the resolution of the figure."""
    model = lm.Sequential([lm.Input((4,)), lm.Dense(3)])
    for figure in (
        history_of(3).plot(),
        lm.plotting.compare({str(i): history_of(3) for i in range(8)}),
        lm.plotting.confusion_matrix([0, 1], [1, 1]),
        lm.plotting.decision_boundary(lambda x: x[:, 0], [[0, 1], [1, 0]], resolution=5),
        lm.plotting.weights(model),
    ):
        with matplotlib.rc_context({"savefig.dpi": 10}):
            pixels = matplotlib.image.imread(io.BytesIO(figure._repr_png_()))
        width, height = figure.get_size_inches() * figure.dpi
        assert abs(pixels.shape[1] - width) <= 1
        assert abs(pixels.shape[0] - height) <= 1
        assert pixels.std() > 0.01
        assert repr(figure).startswith("<Figure size ")
        assert isinstance(figure, matplotlib.figure.Figure)  # for which %matplotlib inline has a printer
        for again in (pickle.loads(pickle.dumps(figure)), copy.deepcopy(figure)):
            assert type(again) is type(figure)
            assert len(again.axes) == len(figure.axes)
            assert again._repr_png_().startswith(b"\x89PNG")


def test_figures_of_the_caller_stay_what_they_are():
    figure = matplotlib.figure.Figure()
    assert lm.plotting.confusion_matrix([0, 1], [1, 1], ax=figure.subplots()) is figure
    assert type(figure) is matplotlib.figure.Figure
    assert not hasattr(figure, "_repr_png_")


@pytest.mark.parametrize("inline", [False, True])
def test_figures_in_a_real_kernel(inline, tmp_path, monkeypatch):
    cells = [
        "import lamina as lm" + "\n%matplotlib inline" * inline,
        "lm.plotting.confusion_matrix([0, 1], [1, 1])",
        "lm.plotting.confusion_matrix([0, 1], [1, 1]);",
    ]
    _, shown, silent = run_cells(cells, tmp_path, monkeypatch)
    assert [sorted(output.data) for output in shown] == [["image/png", "text/plain"]]  # once
    assert silent == []


# ---- summary


class Cells(html.parser.HTMLParser):
    """The texts of a table's cells, row by row; entities are undone."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.inside, self.open = [], False, []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attributes):
        if tag != "br":
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
            self.inside = True

    def handle_endtag(self, tag):
        assert self.open.pop() == tag
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def nasty_model():
    return lm.Sequential([lm.Input((3,)), *[lm.Dense(3, name=name) for name in NASTY]])


def test_html_is_the_same_table(capsys):
    model = nasty_model()
    model.layers[1].trainable = False
    rows = Cells(model._repr_html_()).rows
    assert rows[0] == ["layer (type)", "output shape", "params"]
    assert [row[0] for row in rows[1:]] == [
        f"{name} (Dense{', frozen' if i == 1 else ''})" for i, name in enumerate(NASTY)
    ]
    assert {tuple(row[1:]) for row in rows[1:]} == {("(batch, 3)", "12")}
    assert "Parameters: 96 (384 B)" in model._repr_html_()
    model.summary()
    text = capsys.readouterr().out
    for row in rows:
        assert all(cell in text for cell in row)
    assert "Not built yet" in small_classifier()._repr_html_()


def test_summary_in_a_notebook(monkeypatch, capsys):
    model, shown = small_classifier(), Shown(monkeypatch)
    model.summary()
    ((bundle, raw),) = shown.outputs[0]
    assert raw is True
    assert bundle["text/html"] == model._repr_html_()
    assert capsys.readouterr().out == ""
    model.summary(print_fn=print)
    assert capsys.readouterr().out == bundle["text/plain"] + "\n"
    assert len(shown.outputs) == 1


def run_cells(cells, tmp_path, monkeypatch):
    """Return the outputs of each cell of a notebook."""
    reason = "nbclient or ipykernel isn't installed: nothing is shown in a real notebook"
    nbclient = pytest.importorskip("nbclient", reason=reason)
    pytest.importorskip("ipykernel", reason=reason)
    import nbformat

    monkeypatch.setenv("JUPYTER_PLATFORM_DIRS", "1")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONWARNINGS", "ignore")
        nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    return [cell.outputs for cell in notebook.cells]


def test_in_a_real_kernel(tmp_path, monkeypatch):
    cells = [
        "import numpy as np, lamina as lm\n"
        "x = np.random.default_rng(0).normal(size=(90, 4)); y = x[:, 0]\n"
        "model = lm.Sequential([lm.Dense(4, 'relu'), lm.Dense(1)])\n"
        "h = lm.Trainer(model, loss='mse').fit(x, y, epochs=5, verbose=0,"
        " callbacks=[lm.callbacks.LivePlot(interval=0)])",
        "model.summary()",
        "model",
    ]
    live, summary, model = run_cells(cells, tmp_path, monkeypatch)
    assert [list(output.data) for output in live] == [["image/png", "text/plain"]]
    assert summary[0].data["text/html"].startswith("<table>")
    assert "layer (type)" in summary[0].data["text/plain"]
    assert model[0].data["text/html"] == summary[0].data["text/html"]


# ---- DOT


def test_dot_lists_layers_and_edges(tmp_path):
    model = lm.Sequential([lm.Input((4,)), lm.Dense(3), lm.Dropout(0.5), lm.Dense(2, trainable=False)])
    text = model.to_dot(tmp_path / "model.dot")
    assert (tmp_path / "model.dot").read_text() == text
    assert [line.strip() for line in text.splitlines()] == [
        "digraph model {",
        "rankdir=TB;",
        'node [shape=box, style=rounded, fontname="Helvetica", fontsize=11];',
        r'n0 [label="x\n(batch, 4)"];',
        r'n1 [label="dense (Dense)\n(batch, 3)\n15 parameters"];',
        r'n2 [label="dropout (Dropout)\n(batch, 3)"];',
        r'n3 [label="dense_1 (Dense, frozen)\n(batch, 2)\n8 parameters"];',
        "n0 -> n1;",
        "n1 -> n2;",
        "n2 -> n3;",
        "}",
    ]
    assert "batch" not in model.to_dot(show_shapes=False)
    assert "rankdir=LR" in model.to_dot(rankdir="LR")
    assert r'n0 [label="dense (Dense)"]' in small_classifier().to_dot()
    with pytest.raises(lm.ArgumentError, match="'XY'"):
        model.to_dot(rankdir="XY")
    with pytest.raises(lm.FileError, match="nowhere"):
        model.to_dot(tmp_path / "nowhere" / "model.dot")


def test_graphviz_reads_every_name():
    if shutil.which("dot") is None:
        pytest.skip("Graphviz isn't installed: what dot makes of the graph is not tried")
    svg = subprocess.run(
        ["dot", "-Tsvg"], input=nasty_model().to_dot(), capture_output=True, text=True, check=True, timeout=60
    )
    assert svg.stderr == ""
    root = ElementTree.fromstring(svg.stdout)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if "Dense" in text] == [f"{name} (Dense)" for name in NASTY]
    assert len([e for e in root.iter("{http://www.w3.org/2000/svg}g") if e.get("class") == "edge"]) == len(
        NASTY
    )
    assert np.isin(["x", "12 parameters"], texts).all()
