"""Downloads into the cache: whole and checked, or not at all."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from ._files import file_errors, make_folder
from ._summary import size_text
from .errors import FileError, FormatError

_SECONDS = 20.0  # without a byte, after which a mirror counts as dead
_CHUNK = 1 << 16


class _Wrong(Exception):
    """What a mirror sent is not the file."""


def cache_folder() -> str:
    """Return where data sets are kept: `LAMINA_DATA`, else `lamina` in the user's cache."""
    data = os.environ.get("LAMINA_DATA")
    if data:
        return data
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(cache, "lamina")


def fetch(title: str, mirrors: Sequence[str], name: str, folder: str, size: int, digest: str) -> None:
    """Download a file of known size and SHA-256 into a folder, from the first mirror that has it.

    `FileError` when no mirror can be reached or the folder can't be written, `FormatError` when a mirror sent
    something else; then there is no file.
    """
    import http.client

    make_folder(folder)
    wrong, failed = "", ""
    for mirror in mirrors:
        url = mirror + name
        print(f"Downloading {url} ({size_text(size)})", file=sys.stderr, flush=True)
        try:
            _download(url, os.path.join(folder, name), size, digest)
            return
        except FileError:
            raise
        except _Wrong as error:
            wrong = wrong or f"{title}: expected {error}."
        except (OSError, http.client.HTTPException, ValueError) as error:
            failed = failed or f"{url}: {getattr(error, 'reason', None) or error or type(error).__name__}"
    if wrong:
        raise FormatError(wrong)
    raise FileError(
        f"{title}: expected its IDX files in '{folder}' or a network to download them by, got {failed}; "
        "pass the folder that holds them as path."
    )


def _download(url: str, path: str, size: int, digest: str) -> None:
    import hashlib
    import tempfile
    from urllib.request import urlopen

    with file_errors(path, "written"):
        handle, temporary = tempfile.mkstemp(prefix=f".{os.path.basename(path)}.", dir=os.path.dirname(path))
    try:
        checksum, received = hashlib.sha256(), 0
        with open(handle, "wb") as file, urlopen(url, timeout=_SECONDS) as response:
            while received <= size and (chunk := response.read(_CHUNK)):
                checksum.update(chunk)
                received += len(chunk)
                with file_errors(path, "written"):
                    file.write(chunk)
            with file_errors(path, "written"):
                file.flush()
                os.fsync(file.fileno())
        if received != size:
            got = f"more than {size}" if received > size else str(received)
            raise _Wrong(f"{size} bytes from {url}, got {got}")
        if checksum.hexdigest() != digest:
            raise _Wrong(f"SHA-256 {digest} of {url}, got {checksum.hexdigest()}")
        with file_errors(path, "written"):
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise
