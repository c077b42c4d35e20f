"""A function of tables, called for many of them by interpreters of their own, in order.

Threads share one interpreter lock, and most of what is done with a small item holds it. A fork of a process with threads
can hang, so each worker is a fresh interpreter: orders as one line of JSON, then tables as Arrow streams through pipes.
It ends when its stdin does, so that a parent that was killed leaves no orphan.
"""

from __future__ import annotations

import json
import os
import queue
import struct
import subprocess
import sys
import traceback
from collections import deque
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from importlib import import_module
from typing import IO, TYPE_CHECKING, Any, TypeVar

from aigc_models import errors
from aigc_models.errors import AigcError
from tasks.stage.addresses import without_secrets

if TYPE_CHECKING:
    import pyarrow

Given = TypeVar("Given")
Made = TypeVar("Made")
AHEAD = 8  # for each thread, that wait or whose results do: what is done while the caller writes
LENGTH = struct.Struct("<q")


class Crashed(AigcError):
    """A worker ended without an answer. `signal` is what ended it, 0 if none did."""

    def __init__(self, signal: int) -> None:
        super().__init__(f"an interpreter ended {f'by signal {signal}' if signal else 'without an answer'}")
        self.signal = signal


class Workers:
    """`count` interpreters that call what `function` ("module:name") makes of `arguments` (JSON): a table to a list of tables.

    Raises what the function raised, if it is an `AigcError`, else an `AigcError` that says it; its traceback is printed
    with `--debug`.
    """

    def __init__(self, function: str, arguments: Sequence[Any], count: int) -> None:
        self.orders = json.dumps({"function": function, "arguments": list(arguments)})
        self.idle: queue.SimpleQueue[subprocess.Popen[bytes]] = queue.SimpleQueue()
        self.children: list[subprocess.Popen[bytes]] = []
        self.closed = False
        for _ in range(count):
            self._start()

    def __enter__(self) -> Workers:
        return self

    def __exit__(self, *failure: object) -> None:
        self.closed = True
        for child in self.children:
            child.kill()
            child.wait()
            for pipe in filter(None, (child.stdin, child.stdout)):
                with suppress(BrokenPipeError):
                    pipe.close()

    def __call__(self, table: pyarrow.Table) -> list[pyarrow.Table]:
        """What the function makes of a table; may be called from many threads. Raises `Crashed` if the worker died."""
        child = self.idle.get()
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            _send(child.stdin, _packed(table))
            child.stdin.flush()
            answer = json.loads(_receive(child.stdout))
            made = [_unpacked(_receive(child.stdout)) for _ in range(answer.get("tables", 0))]
        except (BrokenPipeError, EOFError):
            if not self.closed:
                self._start()
            raise Crashed(max(0, -child.wait())) from None
        self.idle.put(child)
        if "error" in answer:
            raise getattr(errors, answer["error"], AigcError)(answer["message"])
        return made

    def _start(self) -> None:
        child = subprocess.Popen(
            [sys.executable, "-m", "tasks.stage.workers"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"},
            start_new_session=True,
        )
        assert child.stdin is not None
        child.stdin.write(self.orders.encode() + b"\n")
        self.children.append(child)
        self.idle.put(child)


def in_order(function: Callable[[Given], Made], given: Iterable[Given], count: int) -> Generator[Made]:
    """`map` by `count` threads; no more of `given` is taken than keeps them busy."""
    waiting: deque[Future[Made]] = deque()
    with ThreadPoolExecutor(count) as threads:
        try:
            for one in given:
                waiting.append(threads.submit(function, one))
                if len(waiting) >= AHEAD * count:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            threads.shutdown(wait=False, cancel_futures=True)


def cores() -> int:
    """That this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _send(pipe: IO[bytes], message: bytes | pyarrow.Buffer) -> None:
    pipe.write(LENGTH.pack(len(message)))
    pipe.write(message)


def _receive(pipe: IO[bytes]) -> bytes:
    """Raises `EOFError` where the other side is gone."""
    head = pipe.read(LENGTH.size)
    message = pipe.read(LENGTH.unpack(head)[0]) if len(head) == LENGTH.size else b""
    if len(head) < LENGTH.size or len(message) < LENGTH.unpack(head)[0]:
        raise EOFError
    return message


def _packed(table: pyarrow.Table) -> pyarrow.Buffer:
    import pyarrow

    sink = pyarrow.BufferOutputStream()
    with pyarrow.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return sink.getvalue()


def _unpacked(message: bytes) -> pyarrow.Table:
    import pyarrow

    return pyarrow.ipc.open_stream(message).read_all()


def main() -> None:
    """The worker: see the module's first lines. What libraries print goes to stderr."""
    source, sink = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    orders = json.loads(source.readline())
    with suppress(EOFError, BrokenPipeError):  # the parent has closed its side, or is gone
        _serve(orders, source, sink)
    os._exit(0)


def _serve(orders: dict[str, Any], source: IO[bytes], sink: IO[bytes]) -> None:
    module, _, name = orders["function"].partition(":")
    function = None
    while True:
        table = _unpacked(_receive(source))
        try:
            function = function or getattr(import_module(module), name)(*orders["arguments"])
            made = [_packed(one) for one in function(table)]
            answer: dict[str, Any] = {"tables": len(made)}
        except AigcError as error:
            made, answer = [], {"error": type(error).__name__, "message": str(error)}
        except Exception as error:
            if os.environ.get("AIGC_DEBUG"):
                print(without_secrets(traceback.format_exc()), file=sys.stderr)
            made, answer = [], {"error": "AigcError", "message": f"{name} failed: {type(error).__name__}: {error}"}
        for message in (json.dumps(answer).encode(), *made):
            _send(sink, message)
        sink.flush()


if __name__ == "__main__":
    main()
