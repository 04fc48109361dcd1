"""The data sets that come as files: found, downloaded from a server on this machine, refused when damaged."""

import dataclasses
import gzip
import hashlib
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

import lamina as lm
from lamina import _idx

DEBIAN = Path("/usr/share/datasets/fashion-mnist")
NAMES = [f"{part}-{kind}-ubyte.gz" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]


def idx(array):
    head = bytes([0, 0, {"u1": 8, "i4": 12, "f8": 14}[array.dtype.str[1:]], array.ndim])
    shape = np.array(array.shape, ">u4").tobytes()
    return head + shape + array.astype(array.dtype.newbyteorder(">")).tobytes()


def arrays(rng):
    x, y = rng.integers(0, 256, (7, 4, 5), dtype=np.uint8), np.arange(7, dtype=np.uint8)
    return (x[:5], y[:5]), (x[5:], y[5:])


def files_of(data):
    (x, y), (x_test, y_test) = data
    return {name: gzip.compress(idx(part)) for name, part in zip(NAMES, (x, y, x_test, y_test), strict=True)}


def write(folder, files, compressed=True):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        path = folder / (name if compressed else name.removesuffix(".gz"))
        path.write_bytes(content if compressed else gzip.decompress(content))
    return folder


def check(got, expected):
    for pair, other in zip(got, expected, strict=True):
        for array, wanted in zip(pair, other, strict=True):
            np.testing.assert_array_equal(array, wanted)
            assert array.dtype == np.uint8
            assert array.flags.writeable


@pytest.fixture
def data(rng):
    return arrays(rng)


class Server:
    """Serves bytes; `answers[name]` may be changed to misbehave. `asked` lists what was asked for."""

    def __init__(self, files):
        self.files, self.status, self.asked, self.promise = dict(files), 200, [], 0
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                name = self.path.rpartition("/")[2]
                outer.asked.append(name)
                body = outer.files.get(name, b"")
                self.send_response(outer.status if name in outer.files else 404)
                self.send_header("Content-Length", str(len(body) + outer.promise))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *arguments):
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}/data/"
        self.thread = threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.01})
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.http.server_close()
        self.thread.join()


@pytest.fixture
def server(data, monkeypatch, tmp_path):
    """A mirror of small data under MNIST's names; the cache is tmp_path / "cache"."""
    files = files_of(data)
    server = Server(files)
    known = {name: (len(body), hashlib.sha256(body).hexdigest()) for name, body in files.items()}
    small = dataclasses.replace(_idx.MNIST, mirrors=(server.url,), files=known)
    monkeypatch.setattr(_idx, "MNIST", small)
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    yield server
    server.close()


@pytest.fixture
def cache(tmp_path):
    return tmp_path / "cache" / "mnist"


def mirrors(monkeypatch, *urls):
    monkeypatch.setattr(_idx, "MNIST", dataclasses.replace(_idx.MNIST, mirrors=urls))


# ---- downloads


def test_download_once(server, data, cache, capfd):
    check(lm.datasets.mnist(), data)
    assert sorted(server.asked) == sorted(NAMES)
    assert sorted(os.listdir(cache)) == sorted(NAMES)
    assert "Downloading" in capfd.readouterr().err
    check(lm.datasets.mnist(), data)
    assert len(server.asked) == 4  # the second time from the cache
    assert capfd.readouterr() == ("", "")


def test_only_what_is_missing_is_downloaded(server, data, cache):
    lm.datasets.mnist()
    (cache / NAMES[2]).unlink()
    check(lm.datasets.mnist(), data)
    assert server.asked[4:] == [NAMES[2]]


def test_without_download(server, cache):
    with pytest.raises(lm.FileError, match=r"looked in .*mnist.*path"):
        lm.datasets.mnist(download=False)
    assert server.asked == []


def spoil(server, what):
    name = NAMES[2]
    body = server.files[name]
    if what == "other bytes":
        server.files[name] = body[:-1] + bytes([body[-1] ^ 1])
    elif what == "a page instead":
        server.files[name] = b"<html>Please log in</html>"
    elif what == "cut":
        server.files[name], server.promise = body[:-5], 5
    elif what == "longer":
        server.files[name] = body + bytes(10)
    elif what == "missing":
        del server.files[name]
    elif what == "broken":
        server.status = 500


@pytest.mark.parametrize(
    ("what", "error", "words"),
    [
        (
            "other bytes",
            lm.FormatError,
            r"MNIST: expected SHA-256 [0-9a-f]{64} of http.*, got [0-9a-f]{64}\.",
        ),
        ("a page instead", lm.FormatError, r"expected \d+ bytes from http.*, got 26\."),
        ("cut", lm.FormatError, r"expected \d+ bytes"),
        ("longer", lm.FormatError, r"got more than \d+\."),
        ("missing", lm.FileError, "network.*Not Found.*path"),
        ("broken", lm.FileError, "network.*Internal Server Error"),
    ],
)
def test_bad_downloads_leave_nothing(server, cache, what, error, words):
    spoil(server, what)
    with pytest.raises(error, match=words):
        lm.datasets.mnist()
    whole = [] if what == "broken" else NAMES[:2]
    assert sorted(os.listdir(cache)) == sorted(whole)  # no half file, no temporary one


def test_the_next_mirror_is_asked(server, data, cache, monkeypatch):
    other = Server(server.files)
    try:
        mirrors(monkeypatch, server.url, other.url)
        spoil(server, "other bytes")
        check(lm.datasets.mnist(), data)
        assert other.asked == [NAMES[2]]
    finally:
        other.close()


def test_without_a_network(server, cache, monkeypatch):
    server.close()
    with pytest.raises(
        lm.FileError, match=r"MNIST: expected its IDX files in '.*mnist' or a network.*refused"
    ) as e:
        lm.datasets.mnist()
    assert isinstance(e.value, OSError)
    mirrors(monkeypatch, "http://no-such-host.invalid/")
    with pytest.raises(lm.FileError, match="network"):
        lm.datasets.mnist()
    assert os.listdir(cache) == []


def test_an_interrupt_leaves_nothing(server, cache, monkeypatch):
    def interrupt(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", interrupt)
    with pytest.raises(KeyboardInterrupt):
        lm.datasets.mnist()
    assert os.listdir(cache) == []


def test_a_cache_that_cannot_be_written(server, tmp_path):
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(lm.FileError, match="made"):
        lm.datasets.mnist()


def test_two_at_once(server, data):
    got = []
    threads = [threading.Thread(target=lambda: got.append(lm.datasets.mnist())) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(got) == 3
    for split in got:
        check(split, data)


def test_where_the_cache_is(monkeypatch, tmp_path):
    from lamina._download import cache_folder

    monkeypatch.delenv("LAMINA_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache_folder() == str(tmp_path / ".cache" / "lamina")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "other"))
    assert cache_folder() == str(tmp_path / "other" / "lamina")
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path / "mine"))
    assert cache_folder() == str(tmp_path / "mine")


def test_the_mirrors_are_written_down_whole():
    for known in (_idx.MNIST, _idx.FASHION_MNIST):
        assert sorted(known.files) == sorted(NAMES)
        assert all(url.startswith("http") and url.endswith("/") for url in known.mirrors)
        digests = {digest for _, digest in known.files.values()}
        assert len(digests) == 4
        assert all(len(bytes.fromhex(digest)) == 32 for digest in digests)


# ---- folders


@pytest.mark.parametrize("compressed", [True, False])
def test_a_folder_of_ones_own(data, tmp_path, compressed):
    folder = write(tmp_path / "mine", files_of(data), compressed)
    check(lm.datasets.mnist(folder), data)
    check(lm.datasets.fashion_mnist(str(folder)), data)


def test_the_environment_names_the_cache(data, tmp_path, monkeypatch):
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    write(tmp_path / "fashion_mnist", files_of(data))
    check(lm.datasets.fashion_mnist(download=False), data)
    with pytest.raises(lm.FileError):
        lm.datasets.mnist(download=False)


def test_debians_package(monkeypatch, tmp_path):
    if not DEBIAN.is_dir():
        pytest.skip("Debian's dataset-fashion-mnist isn't installed: the real Fashion-MNIST is not read")
    monkeypatch.setenv("LAMINA_DATA", str(tmp_path))
    (x, y), (x_test, y_test) = lm.datasets.fashion_mnist(download=False)
    assert (x.shape, x_test.shape) == ((60000, 28, 28), (10000, 28, 28))
    assert np.bincount(y).tolist() == [6000] * 10
    assert np.bincount(y_test).tolist() == [1000] * 10
    assert x.dtype == y.dtype == np.uint8
    np.testing.assert_allclose(x[:, :, :].mean() / 255, 0.2860, atol=1e-4)  # as published


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"\0\0\x08\x03\0\0"), "begins otherwise"),
        (gzip.compress(b"something else"), "begins otherwise"),
        (gzip.compress(b""), "begins otherwise"),
        (gzip.compress(idx(np.zeros((5, 4, 5), np.uint8))[:-1]), r"Expected 116 bytes in '.*', got 115"),
        (gzip.compress(idx(np.zeros((6, 4, 5), np.uint8))), "as many labels"),
        (b"no gzip", "gzip"),
        (gzip.compress(idx(np.zeros((5, 4, 5), np.uint8)))[:-9], "damaged"),
    ],
)
def test_damaged_files(data, tmp_path, content, words):
    folder = write(tmp_path / "mine", files_of(data) | {NAMES[0]: content})
    with pytest.raises(lm.FormatError, match=words):
        lm.datasets.mnist(folder)


def test_a_folder_that_lacks_a_file(data, tmp_path):
    files = files_of(data)
    del files[NAMES[3]]
    with pytest.raises(lm.FileError, match="t10k-labels"):
        lm.datasets.mnist(write(tmp_path / "mine", files))


def test_other_types(data, tmp_path):
    for array in (np.arange(6, dtype="i4").reshape(2, 3), np.linspace(0, 1, 4)):
        (tmp_path / "a").write_bytes(idx(array))
        np.testing.assert_array_equal(_idx.read_idx(str(tmp_path / "a")), array)


@pytest.mark.parametrize("path", [3, b"folder"])
def test_a_folder_must_be_a_path(path):
    with pytest.raises(lm.ArgumentError, match="expected the path of a folder"):
        lm.datasets.fashion_mnist(path)
