"""A stage in a process of its own (see `forks`): JSON in, JSON lines out.

The child reads its orders from the first line of stdin and ends when stdin closes, so that a
parent that was killed leaves no orphan; the line `stop` asks it to save and end. It holds a lock
on the stage's folder, so that a successor never writes beside it.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from aigc_models import errors
from aigc_models.errors import AigcError, BadInput
from tasks.stage import forks
from tasks.stage.addresses import clean_logs, without_secrets
from tasks.stage.references import decode, encode
from tasks.stage.settings import Workspace, allowed

if TYPE_CHECKING:
    from tasks.stage.context import StageContext
    from tasks.stage.execution import Execution

PATIENCE = 20.0  # seconds that a child gets to write its checkpoint
Timed = tuple[Any, float, float]  # the result, and when the function began and ended


class Died(AigcError):
    """The child ended without an answer: out of memory, killed, a crash in native code."""


def run_here(function: Callable[..., Any], arguments: Mapping[str, Any], context: StageContext, execution: Execution) -> Timed:
    """Call the plain function in this process."""
    began = time.time()
    result = function(**arguments, context=context)
    return result, began, time.time()


def threads_of(arguments: Mapping[str, Any], cores: int) -> int:
    """How many cores a stage is given: what its settings say (`threads`), or else all."""
    asked = [getattr(value, "threads", 0) for value in arguments.values()]
    return min(cores, max([number for number in asked if isinstance(number, int)], default=0) or cores)


def run_in_process(
    function: Callable[..., Any], arguments: Mapping[str, Any], context: StageContext, execution: Execution
) -> Timed:
    """Call the plain function of a stage in a process of its own; raises what it raised, `Died` if it died.

    The environment, the working directory and the search path are inherited; torch and BLAS get the
    stage's share of the cores.
    """
    threads = threads_of(arguments, execution.cores)
    orders = {
        "stage": f"{function.__module__}:{function.__name__}",
        "arguments": encode(dict(arguments)),
        "folder": str(context.folder),
        "workspace": str(context.workspace.root),
        "run_id": context.run_id,
        "parent_run_id": context.parent_run_id,
    }
    with execution.holding_cores(threads):
        child = forks.child(__name__, threads)
        return _converse(child, orders, context, execution)


def _converse(child: forks.Child, orders: dict[str, Any], context: StageContext, execution: Execution) -> Timed:
    assert child.stdin is not None
    assert child.stdout is not None
    done = threading.Event()
    threading.Thread(target=_relay_stop, args=(child, execution.stopping, done), daemon=True).start()
    answer: dict[str, Any] = {}
    try:
        child.stdin.write(json.dumps(orders) + "\n")
        child.stdin.flush()
        for line in child.stdout:
            message = json.loads(line)
            if "step" in message:
                context.progress(message["step"], message["total"], **message["figures"])
            else:
                answer = message
        child.wait()
    except BrokenPipeError:
        child.wait()
    finally:
        done.set()
        if child.poll() is None:
            child.kill()
            child.wait()
        child.stdin.close() if not child.stdin.closed else None
        child.stdout.close()
    return _answered(answer, child.wait(), orders["stage"], context)


def _relay_stop(child: forks.Child, stopping: threading.Event, done: threading.Event) -> None:
    """When the command is told to end: ask the child to save and end, and end it if it does not."""
    while not done.is_set() and not stopping.wait(0.1):
        pass
    if done.is_set() or child.stdin is None:
        return
    try:
        child.stdin.write("stop\n")
        child.stdin.flush()
    except (BrokenPipeError, ValueError):
        return
    if not done.wait(PATIENCE):
        child.kill()


def _answered(answer: dict[str, Any], status: int, name: str, context: StageContext) -> Timed:
    if "result" in answer:
        context.figures.update(answer["figures"])
        context.attach(*map(Path, answer["attached"]))
        return decode(answer["result"]), answer["began"], answer["ended"]
    if "error" in answer:
        kind = getattr(errors, answer["error"], AigcError)
        raise kind(answer["message"])
    reason = f"by signal {-status}" if status < 0 else f"with status {status}"
    hint = " (out of memory? give the members less at a time)" if status == -9 else ""
    raise Died(f"{name.split(':')[-1]} ended {reason}{hint}; what it saved is in {context.folder}")


class _Voice:
    """The child's side of the talk: JSON lines on the real stdout; prints of libraries go to stderr."""

    def __init__(self) -> None:
        self._out = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)
        self._lock = threading.Lock()

    def say(self, **message: Any) -> None:
        with self._lock:
            self._out.write(json.dumps(message) + "\n")
            self._out.flush()


def _listen(stopping: threading.Event) -> None:
    """Runs until stdin says `stop` or ends; at its end the parent is gone, and so are we."""
    for line in sys.stdin:
        if line.strip() == "stop":
            stopping.set()
    os._exit(1)


def main() -> None:
    """The child: see the module's first lines."""
    orders = json.loads(sys.stdin.readline())
    voice, stopping = _Voice(), threading.Event()
    threading.Thread(target=_listen, args=(stopping,), daemon=True).start()
    folder = Path(orders["folder"])
    try:
        with allowed(folder), FileLock(folder / "lock.tmp"):
            _work(orders, folder, voice, stopping)
    except BadInput as error:
        voice.say(error="BadInput", message=str(error))
    # Interpreter shutdown with torch loaded costs half a second and can hang on its threads.
    sys.stderr.flush()
    os._exit(0)


def _work(orders: dict[str, Any], folder: Path, voice: _Voice, stopping: threading.Event) -> None:
    from tasks.stage.context import StageContext

    module, _, name = orders["stage"].partition(":")
    context = StageContext(
        folder, Workspace(Path(orders["workspace"])), orders["run_id"], orders["parent_run_id"], stopped=stopping.is_set
    )
    context.on_progress = lambda step, total, **figures: voice.say(step=step, total=total, figures=figures)
    clean_logs()
    try:
        function = getattr(import_module(module), name).plain
        arguments = decode(orders["arguments"])
        began = time.time()
        result = function(**arguments, context=context)
    except AigcError as error:
        voice.say(error=type(error).__name__, message=str(error))
        return
    except Exception as error:
        (folder / "error.log").write_text(without_secrets(traceback.format_exc()))
        voice.say(
            error="AigcError", message=f"{name}: {type(error).__name__}: {error}; its traceback is in {folder / 'error.log'}"
        )
        return
    voice.say(result=encode(result), figures=context.figures, attached=context.attached, began=began, ended=time.time())


if __name__ == "__main__":
    main()
