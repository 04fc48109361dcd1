"""Threads: in the worker processes of joblib, which share the machine, and in SciPy."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from ..config import get_num_threads, set_num_threads


def heed_workers() -> None:
    """In a worker process, compute with no more threads than it was given.

    joblib tells workers their share in OMP_NUM_THREADS, or `inner_max_num_threads` does; a pool of
    `multiprocessing` tells nothing, and its workers take one thread each. LAMINA_NUM_THREADS wins.
    """
    if multiprocessing.parent_process() is None or os.environ.get("LAMINA_NUM_THREADS"):
        return
    share = os.environ.get("OMP_NUM_THREADS", "")
    if share.isdecimal():
        limit = max(1, int(share))
    elif multiprocessing.current_process().daemon:
        limit = 1
    else:
        return
    if limit < get_num_threads():
        set_num_threads(limit)


@cache
def _libraries() -> Any:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


_limiting = threading.Lock()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Let SciPy's BLAS work on the calling thread: L-BFGS has matrices of 20 x 20, not worth waking others.

    The limit is that of the process. Of several fits at a time the first one sets and lifts it.
    """
    if not _limiting.acquire(blocking=False):
        yield
        return
    try:
        with _libraries().limit(limits=1, user_api="blas"):
            yield
    finally:
        _limiting.release()
