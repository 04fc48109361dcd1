"""Threads in the worker processes of joblib, which share the machine."""

from __future__ import annotations

import multiprocessing
import os

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
