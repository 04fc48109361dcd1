"""Files that lamina writes: through links, into pipes, with the mode of what was there, and whole."""

import os
import stat
import threading

import pytest

import lamina as lm
from lamina._files import whole_file
from lamina.export import to_c


def model():
    return lm.Sequential([lm.Input((3,)), lm.Dense(2)], seed=0)


def write_table(path):
    pandas = pytest.importorskip("pandas")
    from lamina.tabular._tables import write_table

    write_table(pandas.DataFrame({"a": [1, 2]}), str(path))


def write_plot(path):
    pytest.importorskip("matplotlib")
    lm.plotting.weights(lm.Sequential([lm.Input((4,)), lm.Dense(2)], seed=0), path=path)


WRITERS = {
    "save": lambda path: model().save(path),
    "save_weights": lambda path: model().save_weights(path),
    "to_c": lambda path: to_c(model(), path),
    "to_dot": lambda path: model().to_dot(path),
    "table": write_table,
    "plot": write_plot,
}


@pytest.fixture(params=WRITERS, ids=str)
def write(request):
    return WRITERS[request.param]


def test_links_are_followed_and_stay(write, tmp_path):
    write(tmp_path / "plain.png")
    want = (tmp_path / "plain.png").read_bytes()
    (tmp_path / "folder").mkdir()
    there = tmp_path / "folder" / "there.png"
    there.write_text("old")
    chain = [tmp_path / "relative.png", tmp_path / "absolute.png", tmp_path / "dangling.png"]
    chain[0].symlink_to("folder/there.png")
    chain[1].symlink_to(chain[0])
    chain[2].symlink_to("folder/new.png")
    for link, target in zip(chain, (there, there, tmp_path / "folder" / "new.png"), strict=True):
        if target.exists():
            target.write_text("old")
        write(link)
        assert link.is_symlink()
        assert not target.is_symlink()
        assert target.read_bytes() == want
    assert sorted(os.listdir(tmp_path / "folder")) == ["new.png", "there.png"]


def test_the_mode_of_what_was_there_stays(write, tmp_path):
    path = tmp_path / "private.png"
    path.write_text("old")
    for mode in (0o600, 0o664):
        path.chmod(mode)
        write(path)
        assert stat.S_IMODE(path.stat().st_mode) == mode
    new = tmp_path / "new.png"
    mask = os.umask(0o027)
    try:
        write(new)
    finally:
        os.umask(mask)
    assert stat.S_IMODE(new.stat().st_mode) == 0o640


def test_a_pipe_is_written_into_and_stays(write, tmp_path):
    write(tmp_path / "plain.png")
    pipe = tmp_path / "pipe.png"
    os.mkfifo(pipe)
    received = []
    reader = threading.Thread(target=lambda: received.append(pipe.read_bytes()), daemon=True)
    reader.start()
    write(pipe)
    reader.join(10)
    assert received == [(tmp_path / "plain.png").read_bytes()]
    assert stat.S_ISFIFO(pipe.stat().st_mode)


def test_what_can_not_be_written_is_an_error_and_leaves_nothing(write, tmp_path):
    for path in (tmp_path, tmp_path / "absent" / "file.png"):
        with pytest.raises(lm.FileError, match="can't be written"):
            write(path)
    loop = tmp_path / "loop.png"
    loop.symlink_to(loop)
    with pytest.raises(lm.FileError, match="can't be written"):
        write(loop)
    assert os.listdir(tmp_path) == ["loop.png"]


def test_half_a_file_never_takes_the_place_of_a_whole_one(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")

    def fail():
        with whole_file(path) as file:
            file.write(b"half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]
