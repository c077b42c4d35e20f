"""Stages of a second for the tests of what wraps a stage; child interpreters import them by name."""

import os
import time

from pydantic import BaseModel, ConfigDict

from aigc_models.errors import BadInput
from tasks.stage.references import Reference
from tasks.stage.stage import StageContext, stage


class Toy(BaseModel):
    model_config = ConfigDict(frozen=True)
    name: str = "toy"
    threads: int = 1
    ending: str = "well"
    seconds: float = 0.0  # that `work` takes
    pause: float = 0.0  # that `make` takes


@stage
def make(toy: Toy, context: StageContext) -> Reference:
    """Write a file."""
    with (context.folder / "calls.tmp").open("a") as calls:
        calls.write("x")
    time.sleep(toy.pause)
    (context.folder / "made.txt").write_text(toy.name)
    context.log(length=len(toy.name), kind="toy")
    return Reference.to(context.workspace, context.folder / "made.txt")


@stage(process=True)
def work(made: Reference, toy: Toy, context: StageContext) -> Reference:
    """Read a file, write a file, in an interpreter of its own."""
    if toy.ending == "bad input":
        raise BadInput("the toy is broken; mend it")
    if toy.ending == "fault":
        raise KeyError("toy")
    if toy.ending == "killed":
        os.kill(os.getpid(), 9)
    print("a library that prints to stdout disturbs nobody")
    until = time.monotonic() + toy.seconds
    while time.monotonic() < until:
        context.progress(1, 2, loss=0.5)
        if context.stop():
            (context.folder / "saved.tmp").write_text("saved")
            raise BadInput("stopped")
        time.sleep(0.05)
    context.progress(2, 2, loss=0.25)
    context.attach(context.folder / "worked.txt")
    context.log(threads=int(os.environ["OMP_NUM_THREADS"]), pid=os.getpid())
    (context.folder / "worked.txt").write_text(made.path(context.workspace).read_text() + toy.name)
    return Reference.to(context.workspace, context.folder / "worked.txt")


@stage
def join(parts: list[Reference], context: StageContext) -> Reference:
    """All parts in one file."""
    (context.folder / "joined.txt").write_text("+".join(part.path(context.workspace).read_text() for part in parts))
    return Reference.to(context.workspace, context.folder / "joined.txt")


@stage(cached=False)
def ring(toy: Toy, context: StageContext) -> int:
    """How often it was rung."""
    bell = context.workspace.root / "rings.txt"
    with bell.open("a") as rings:
        rings.write("x")
    return len(bell.read_text())
