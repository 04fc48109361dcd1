"""Reading ahead in a thread."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from .errors import StateError

if TYPE_CHECKING:
    from queue import Queue

_JOIN_SECONDS = 1.0  # to wait for a thread that is in the middle of reading; it ends by itself afterwards


class _End:
    """The last thing in the queue: what the thread raised, or nothing."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def read_ahead(source: Iterator[Any], size: int) -> Iterator[Any]:
    """Yield what `source` does, read up to `size` items ahead by a thread that ends with this generator."""
    from queue import Empty, Queue

    queue: Queue[Any] = Queue(size)
    stopped = threading.Event()
    # The thread must not know this generator, or an abandoned one would never be collected.
    arguments = (source, queue, stopped)
    thread = threading.Thread(target=_read, args=arguments, name="lamina-prefetch", daemon=True)
    process = os.getpid()
    del source, arguments
    thread.start()
    try:
        while True:
            item = queue.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item
            if os.getpid() != process:
                raise StateError(
                    "Dataset.prefetch: expected a pass that was begun in this process, "
                    "got one from before a fork; begin a new one."
                )
    finally:
        if os.getpid() == process:  # a fork takes no thread along, and its locks may be held for ever
            stopped.set()
            try:
                while True:
                    queue.get_nowait()  # so that a thread that waits to put something can go on
            except Empty:
                pass
            thread.join(_JOIN_SECONDS)


def _read(source: Iterator[Any], queue: Queue[Any], stopped: threading.Event) -> None:
    error: BaseException | None = None
    try:
        for item in source:
            queue.put(item)
            if stopped.is_set():
                break
    except BaseException as caught:
        error = caught
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()
    if not stopped.is_set():
        queue.put(_End(error))
