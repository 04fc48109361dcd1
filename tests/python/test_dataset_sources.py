"""lm.data.Dataset: files, text and functions that rows come from."""

import gzip

import numpy as np
import pandas as pd
import pytest
from helpers import numbered, rows_of, write_folder

import lamina as lm

Dataset = lm.data.Dataset


def test_from_generator_of_rows():
    x, y, w = numbered(600)
    rows = list(zip(x, y, w, strict=True))
    assert rows_of(Dataset.from_generator(lambda: iter(rows), each="row").batch(100)) == (
        y.tolist(),
        [100] * 6,
    )
    assert rows_of(Dataset.from_generator(rows, each="row").batch(600))[0] == y.tolist()


def test_files_of_other_layouts(tmp_path):
    x, y, w = numbered(5000)
    layouts = {"x": np.asfortranarray(x, ">f8"), "y": y.astype(">i2"), "sample_weight": np.float16(w / 4)}
    for name, array in layouts.items():
        np.save(tmp_path / f"{name}.npy", array)
    mapped = Dataset.from_folder(tmp_path)
    pieces = list(mapped)
    assert len(pieces) > 1
    np.savez(tmp_path / "all.npz", **layouts)
    for each in (pieces, list(Dataset.from_folder(tmp_path))):
        for got, expected in zip(zip(*each, strict=True), layouts.values(), strict=True):
            np.testing.assert_array_equal(np.concatenate(got), expected)
    assert all(part.dtype.isnative for part in next(iter(mapped)))


@pytest.mark.parametrize("kind", ["npy", "npz", "compressed", "fortran"])
def test_from_folder(tmp_path, kind):
    data = Dataset.from_folder(write_folder(tmp_path / "data", kind))
    assert data.rows == 20
    assert rows_of(data.batch(6)) == (list(range(20)), [6, 6, 6, 2])
    assert rows_of(data.shuffle(20, 1).batch(6))[0] != list(range(20))


def test_from_folder_by_other_names(tmp_path):
    np.save(tmp_path / "images.npy", np.ones((4, 2, 2), np.uint8))
    np.save(tmp_path / "labels.npy", np.arange(4))
    ((x, y),) = Dataset.from_folder(tmp_path, x="images", y="labels")
    assert x.shape == (4, 2, 2)
    assert y.tolist() == [0, 1, 2, 3]
    (x,) = Dataset.from_folder(tmp_path, x="labels", y="none")
    assert x.tolist() == [0, 1, 2, 3]


def spoil(folder, what):
    if what == "empty":
        for path in folder.iterdir():
            path.unlink()
    elif what == "missing":
        (folder / "y-10.npy").unlink()
    elif what == "no weights":
        (folder / "sample_weight-1.npy").unlink()
    elif what == "weights alone":
        for path in folder.glob("y-*"):
            path.unlink()
    elif what == "short":
        np.save(folder / "y-10.npy", np.arange(2))
    elif what == "shape":
        np.save(folder / "x-10.npy", np.zeros((12, 4)))
    elif what == "text":
        np.save(folder / "y-10.npy", np.array(["a"] * 12))
    elif what == "objects":
        np.save(folder / "y-10.npy", np.array([{}] * 12), allow_pickle=True)
    elif what == "cut":
        data = (folder / "x-10.npy").read_bytes()
        (folder / "x-10.npy").write_bytes(data[:-8])
    elif what == "noise":
        (folder / "x-10.npy").write_bytes(b"no array at all, just some words")


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        ("empty", lm.FileError, "found none"),
        ("missing", lm.FileError, r"'y-10\.npy' beside 'x-10\.npy'"),
        ("no weights", lm.FileError, r"sample_weight-1\.npy"),
        ("weights alone", lm.FileError, r"'y-0\.npy' beside"),
        ("short", lm.DataError, "equally many rows.*x-10"),
        ("shape", lm.DataError, r"\(4,\).*x-10"),
        ("text", lm.DataError, "numbers.*x-10"),
        ("objects", lm.DataError, "y-10"),
        ("cut", lm.DataError, "x-10"),
        ("noise", lm.DataError, "x-10"),
    ],
)
def test_bad_folders(tmp_path, what, error, words):
    folder = write_folder(tmp_path / "data", "npy")
    spoil(folder, what)
    with pytest.raises(error, match=words):
        list(Dataset.from_folder(folder))


def test_bad_npz_files(tmp_path):
    np.savez(tmp_path / "a.npz", z=np.ones(3))
    with pytest.raises(lm.DataError, match=r"'x' in .*a\.npz.*got z"):
        Dataset.from_folder(tmp_path)
    np.savez(tmp_path / "a.npz", x=np.ones(3), sample_weight=np.ones(3))
    with pytest.raises(lm.DataError, match=r"'y' in .*a\.npz.*got sample_weight, x"):
        Dataset.from_folder(tmp_path)
    np.savez_compressed(tmp_path / "a.npz", x=np.random.default_rng(0).normal(size=(3000, 4)))
    data = (tmp_path / "a.npz").read_bytes()
    middle = len(data) // 2
    (tmp_path / "a.npz").write_bytes(data[:middle] + bytes(100) + data[middle + 100 :])
    with pytest.raises(lm.DataError, match=r"a\.npz"):
        list(Dataset.from_folder(tmp_path))
    (tmp_path / "a.npz").write_bytes(data[:middle])
    with pytest.raises(lm.DataError, match=r"a\.npz"):
        Dataset.from_folder(tmp_path)
    with pytest.raises(lm.FileError, match="nowhere"):
        Dataset.from_folder(tmp_path / "nowhere")


@pytest.mark.parametrize("ending", [".csv", ".csv.gz"])
@pytest.mark.parametrize("header", [True, False])
def test_from_csv(tmp_path, rng, header, ending):
    """Against pandas, over several pieces; and the same numbers from datasets.csv."""
    frame = pd.DataFrame(rng.normal(size=(9001, 4)), columns=["a", "b", "target", "c"])
    path = tmp_path / f"table{ending}"
    frame.to_csv(path, index=False, header=header)
    target = "target" if header else 2
    data = Dataset.from_csv(path, target)
    pieces = list(data)
    assert len(pieces) > 1
    x, y = (np.concatenate(parts) for parts in zip(*pieces, strict=True))
    np.testing.assert_array_equal(x, frame[["a", "b", "c"]].to_numpy(np.float32))
    np.testing.assert_array_equal(y, frame["target"].to_numpy())
    whole_x, whole_y = lm.datasets.csv(path, target)
    np.testing.assert_array_equal(whole_x, x)
    np.testing.assert_array_equal(whole_y, y.astype(np.float32))
    assert sum(len(piece) for piece in Dataset.from_csv(path, None)) == 9001
    with pytest.raises(lm.ArgumentError, match="target"):
        Dataset.from_csv(path, "nothing")


def test_csv_of_every_writing(tmp_path):
    path = tmp_path / "odd.csv"
    path.write_bytes('\ufeff\r\n"a;b";"c"\r\n1;"2.5"\r\n\r\n 3 ;-4e2\r\nnan;inf\r\n'.encode())
    table = np.concatenate(list(Dataset.from_csv(path, None, delimiter=";")))
    np.testing.assert_array_equal(table, np.array([[1, 2.5], [3, -400], [np.nan, np.inf]], np.float32))
    x, y = lm.datasets.csv(path, "c", delimiter=";")
    np.testing.assert_array_equal(x[:2], [[1], [3]])
    assert y.dtype == np.float32
    path.write_text("1,2\n3,4\n")
    x, y = lm.datasets.csv(path)
    assert y.dtype == np.int64
    assert y.tolist() == [2, 4]


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (b"", lm.DataError, "got none"),
        (b"a,b\n", lm.DataError, "got none"),
        (b"a,b\n1,2\n3\n", lm.DataError, "2 cells in line 3.*got 1"),
        (b"a,b\n1,2\n\n3,x\n", lm.DataError, "numbers in line 4.*'x'"),
        (b"1,2\n3,\n", lm.DataError, "line 2.*''"),
        (b"1,2\n3,\xff\n", lm.DataError, "text file"),
        (gzip.compress(b"1,2\n" * 9999)[:-20], lm.DataError, "text file"),
    ],
)
def test_bad_csv(tmp_path, text, error, words):
    path = tmp_path / ("bad.csv.gz" if text[:2] == b"\x1f\x8b" else "bad.csv")
    path.write_bytes(text)
    for read in (lm.datasets.csv, lambda p: list(Dataset.from_csv(p))):
        with pytest.raises(error, match=words):
            read(path)
    with pytest.raises(lm.FileError, match="nothing"):
        lm.datasets.csv(tmp_path / "nothing.csv")


def test_a_header_of_several_lines_is_one(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text('\n"a\nb",c\n1,2\n3,4\n')
    ((x, y),) = Dataset.from_csv(path, target="c")
    assert (x.tolist(), y.tolist()) == ([[1], [3]], [2, 4])
    path.write_text('"a\nb",c\n1,2\n3,word\n')
    with pytest.raises(lm.DataError, match="line 4"):
        list(Dataset.from_csv(path))


def test_a_function_that_returns_no_iterable_is_named():
    with pytest.raises(lm.ArgumentError, match="a function that returns an iterable, got 3"):
        list(Dataset.from_generator(lambda: 3))


def test_hidden_files_of_a_folder_are_not_data(tmp_path):
    np.savez(tmp_path / "a.npz", x=np.zeros((4, 2)), y=np.zeros(4))
    (tmp_path / "._a.npz").write_bytes(b"of another system")
    assert Dataset.from_folder(tmp_path).rows == 4
