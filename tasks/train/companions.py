"""Processes that train a member beside the stage's own: `processes` of its plan, each with a share of each step's items.

    python -m tasks.train.companions < orders        one line of JSON

A companion makes the same model from the same settings and takes the same steps; what it has at the end is what the stage's
own process has, and is thrown away. It ends when its stdin closes, so that a stage that was killed leaves none.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aigc_models.errors import AigcError
from tasks.stage.context import StageContext
from tasks.stage.references import CorpusRef, ModelRef, decode, encode
from tasks.stage.settings import Workspace
from tasks.train.members import MemberSettings

PATIENCE = 20.0  # seconds that one which says nothing any more gets to end
GONE = 5.0  # seconds from a connection that broke to a status of the process at its other end, which the system gives later
READY = "ready\n"  # said when it has what it learns from
DIED = "a process of the training ended with status {}; it said why on stderr"


@contextmanager
def companions(
    count: int, data: CorpusRef, body: ModelRef | None, member: MemberSettings, context: StageContext
) -> Iterator[None]:
    """This process is the first of `count` that train `member` in the block; they share the cores that it has.

    Raises `AigcError` where another one died.
    """
    if count == 1:
        yield
        return
    import torch

    before, others = torch.get_num_threads(), list[subprocess.Popen[str]]()
    threads = max(1, before // count)
    group = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": str(count)}
    group |= {"LOCAL_WORLD_SIZE": str(count), "OMP_NUM_THREADS": str(threads)}
    arguments = encode({"data": data, "body": body, "member": member})
    orders = {"folder": str(context.folder), "workspace": str(context.workspace.root), "arguments": arguments}
    try:
        others += [started(index, group, orders) for index in range(1, count)]
        for other in others:  # one that died before would be waited for in vain
            if other.stdout is None or other.stdout.readline() != READY:
                raise AigcError(DIED.format(other.wait(PATIENCE)))
        torch.set_num_threads(threads)
        with placed(0, group):
            try:
                yield
            except RuntimeError as error:  # what torch says where another process has gone
                # asked before this process leaves the group, of which the others would die
                if (status := _died(others)) is not None:
                    raise AigcError(DIED.format(status)) from error
                raise
    finally:
        torch.set_num_threads(before)
        for other in others:
            other.kill()
            other.wait()


def _died(others: list[subprocess.Popen[str]]) -> int | None:
    """The status of one that ended badly, for which a moment is waited; None where all of them go on."""
    end = time.monotonic() + GONE
    while time.monotonic() < end:
        if died := [status for other in others if (status := other.poll())]:
            return died[0]
        time.sleep(0.05)
    return None


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def started(index: int, group: dict[str, str], orders: dict[str, Any]) -> subprocess.Popen[str]:
    """Companion `index` (from 1), with its orders."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tasks.train.companions"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **group, **rank(index)},
        text=True,
    )
    assert child.stdin is not None
    child.stdin.write(json.dumps(orders) + "\n")
    child.stdin.flush()
    return child


def rank(index: int) -> dict[str, str]:
    return {"RANK": str(index), "LOCAL_RANK": str(index)}


@contextmanager
def placed(index: int, group: dict[str, str]) -> Iterator[None]:
    """In the block this process is `index` of the group; afterwards it is alone again."""
    from torch import distributed

    chosen = {**group, **rank(index)}
    before = {name: os.environ.get(name) for name in chosen}
    os.environ.update(chosen)
    try:
        yield
    finally:
        if distributed.is_initialized():
            distributed.destroy_process_group()
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def main() -> int:
    """A companion: see the module's first lines."""
    orders = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_stdin, daemon=True).start()
    from aigc_models.training.fit import fit
    from aigc_models.training.plan import Interrupted
    from tasks.train.inputs import prepared
    from tasks.train.members import training_plan

    context = StageContext(Path(orders["folder"]), Workspace(Path(orders["workspace"])))
    arguments = decode(orders["arguments"])
    model, corpora = prepared(**arguments, context=context)
    print(READY, end="", flush=True)
    with suppress(Interrupted):  # the first process says so
        fit(model, corpora["train"], corpora["validation"], training_plan(arguments["member"]), context)
    return 0


def _end_with_stdin() -> None:
    while sys.stdin.readline():
        pass
    os._exit(1)


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
