"""The parent's side of the workers: starts them, asks them in turn, ends them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from .environment import worker_environment

_SETTLE_SECONDS = 0.01  # for the threads of the last one to go to sleep


class WorkerError(RuntimeError):
    """A worker ended."""


class Member:
    """A worker process."""

    def __init__(self, name: str, label: str, row: str, threads: int, isa: str | None) -> None:
        self.name = name
        command = [sys.executable, "-m", "lamina_bench.worker", label, row, str(threads)]
        self.process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
            env=worker_environment(threads, isa),
        )

    def ask(self, *request: Any) -> Any:
        """Send one request and wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        time.sleep(_SETTLE_SECONDS)
        try:
            print(json.dumps(request), file=self.process.stdin)
            answer = self.process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            code = self.process.wait()
            raise WorkerError(f"{self.name}: the worker ended with exit code {code} at {request[0]}.")
        return json.loads(answer)

    def end(self) -> None:
        """Let it end by itself, else kill it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        with suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


@contextmanager
def crew(entries: Sequence[tuple[str, str, int]], row: str, isa: str | None) -> Iterator[list[Member]]:
    """Workers for a row, one for each (name, label, threads); ended at the end of a `with` block."""
    with ExitStack() as stack:
        members = []
        for name, label, threads in entries:
            member = Member(name, label, row, threads, isa)
            stack.callback(member.end)
            members.append(member)
        yield members
