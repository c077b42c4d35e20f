"""Live data: files that arrive in a folder are answered as they arrive, each exactly once.

    out/answers/NAME/         one folder for each file: the items, and `answer.json`, which says what they are
    out/journal.jsonl         one line for each file that was answered
    out/following.json        whose answers these are
    out/points.csv            of a series: the newest points, which those that arrive next go on from

An answer is written in `out/.unfinished` and appears whole, by a rename; the file counts as answered when its
line is in the journal. After a kill an answer that stands without a line gets its line, and what was half
written is made again: seeds follow from the file's name and the row, so it is the same, byte for byte.
A file whose content changed after it was answered has arrived anew, and its answer stands in `NAME~2`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from aigc_models.training.devices import AUTO, Device
from tasks.stage.execution import Stopped
from tasks.stage.links import LEADS_OUT, leads_out, refuse_links
from tasks.stage.stage import StageContext, stage
from tasks.use.arrivals import journal as journals
from tasks.use.arrivals.answers import ANSWER, Responder
from tasks.use.arrivals.inbox import Arrival, Inbox
from tasks.use.arrivals.journal import JOURNAL, Journal
from tasks.use.arrivals.points import POINTS
from tasks.use.generate import writable, write

FOLLOWING, ANSWERS, UNFINISHED = "following.json", "answers", ".unfinished"
NAP = 0.2  # seconds between two looks at whether to stop; the folder is looked into every `every` seconds


class FollowSettings(BaseModel):
    """Which folder to answer, with what."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str = Field(description="NAME (its champion), NAME@alias or NAME/version", min_length=1)
    folder: Path = Field(description="where files arrive: .txt, .jsonl, .json, for a series .csv; relative: in the workspace")
    out: Path = Field(description="folder for the answers and the journal; a relative one lies in the workspace")
    every: float = Field(2.0, gt=0, le=86_400, description="seconds from one look into the folder to the next")
    idle_exit: float | None = Field(None, gt=0, description="seconds without a new file after which it ends; none: never")
    once: bool = Field(False, description="answer what is there and end")
    seed: int = Field(0, ge=0, lt=2**53, description="varies the rows that name no seed of their own")
    device: Device = Field("auto", description=AUTO)
    copy_guard: bool = Field(True, description="whether texts are kept from repeating 50 characters of the training data")

    @property
    def name(self) -> str:
        return self.model


class Followed(BaseModel):
    """What was answered; latency from a file's arrival to its whole answer, in seconds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    version: str
    out: str
    answered: int = Field(description="files, those with errors among them")
    failed: int = Field(description="files of which at least a row could not be answered")
    items: int
    latency_median: float | None
    latency_p95: float | None


@stage(process=True, cached=False)
def follow(settings: FollowSettings, context: StageContext) -> Followed:
    """Answer the files that arrive in a folder until told to stop."""
    from aigc_models.generator import Generator
    from tasks.registry.registry import located

    source, identity = located(context.workspace, settings.model)
    places = {name: context.workspace.root / getattr(settings, name).expanduser() for name in ("folder", "out")}
    settings = settings.model_copy(update=places)
    generator = Generator.load(source, settings.device, settings.copy_guard)
    responder = Responder(generator, identity, settings.seed, points=settings.out / POINTS)
    followed = follow_into(responder, settings, context.progress, context.stop)
    figures = followed.model_dump(exclude_none=True, exclude={"out", "model", "version"})
    context.log(model=followed.model, version=followed.version, **{f"follow.{name}": value for name, value in figures.items()})
    return followed


def follow_into(
    responder: Responder,
    settings: FollowSettings,
    progress: Callable[..., None] = lambda step, total, **figures: None,
    stop: Callable[[], bool] = lambda: False,
) -> Followed:
    """Answer what is in the folder and what arrives in it; ends by `once`, `idle_exit` or `stop`.

    Raises `BadInput` where `out` belongs to something else, is in use, or cannot be written.
    """
    inbox = Inbox(settings.folder.resolve(), settings.every)
    with writable(settings.out), following(responder, settings) as journal:
        journal.tell(inbox)
        looked = busy = time.monotonic()
        while not stop():
            for arrival in inbox.ready():
                if not answer(arrival, responder, settings.out, journal, stop):
                    continue
                busy = time.monotonic()
                progress(journal.answered, 0, failed=journal.failed, items=journal.items, latency_s=journal.seconds[-1])
            patient = settings.idle_exit is None or time.monotonic() - busy < settings.idle_exit
            if not inbox.waiting and (settings.once or not patient):
                break
            looked = rest(looked + settings.every, stop)
        return summary(responder, settings, journal)


def rest(until: float, stop: Callable[[], bool]) -> float:
    """Sleep until that moment of the monotonic clock; the moment when it woke."""
    while (left := until - time.monotonic()) > 0 and not stop():
        time.sleep(min(left, NAP))
    return time.monotonic()


def summary(responder: Responder, settings: FollowSettings, journal: Journal) -> Followed:
    return Followed(
        model=responder.identity.model,
        version=responder.identity.version,
        out=str(settings.out),
        answered=journal.answered,
        failed=journal.failed,
        items=journal.items,
        latency_median=journal.latency(0.5),
        latency_p95=journal.latency(0.95),
    )


def answer(arrival: Arrival, responder: Responder, out: Path, journal: Journal, stop: Callable[[], bool]) -> bool:
    """Answer one file, whole and once; whether that was done: not where it was before, or is left to the next command."""
    if stop():
        return False
    payload, trouble = b"", ""
    try:
        if leads_out(arrival.path, arrival.path.parent):
            trouble = f"{LEADS_OUT}; put the file itself there"
        else:
            payload = arrival.path.read_bytes()
    except FileNotFoundError:  # taken away since it was seen
        return False
    except OSError as error:
        trouble = f"cannot be read: {error.strerror}"
    sha256 = hashlib.sha256(payload).hexdigest()
    if (arrival.name, sha256) in journal.done:
        return False
    place, manifest = placed(out / ANSWERS, arrival.name, sha256)
    if manifest is None:
        half = out / UNFINISHED / place.name
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(parents=True)
        try:
            if trouble:
                manifest = responder.refuse(arrival.name, trouble, half)
            else:
                manifest = responder.answer(payload, arrival.name, half, stop)
        except Stopped:
            shutil.rmtree(half)
            return False
        appear(half, place)
    journal.add(arrival, sha256, place.relative_to(out).as_posix(), manifest)
    return True


def placed(answers: Path, name: str, sha256: str) -> tuple[Path, dict[str, Any] | None]:
    """Where the answer to this content of a file goes (`NAME`, `NAME~2`, ...), and what it says if it stands there."""
    for number in count(1):
        place = answers / (name if number == 1 else f"{name}~{number}")
        if not os.path.lexists(place):
            return place, None
        try:
            manifest: dict[str, Any] = json.loads((place / ANSWER).read_bytes())
        except (OSError, ValueError):  # somebody else's; what is there is never overwritten
            continue
        if (manifest.get("input"), manifest.get("sha256")) == (name, sha256):
            return place, manifest
    raise AssertionError("count ends nowhere")


def appear(half: Path, place: Path) -> None:
    """Give a finished answer its name, with all of it on the disk."""
    for path in [*half.iterdir(), half]:
        synced(path)
    place.parent.mkdir(exist_ok=True)
    half.rename(place)
    synced(place.parent)


def synced(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def following(responder: Responder, settings: FollowSettings) -> Iterator[Journal]:
    """The journal, locked; raises `BadInput` where the folder holds something else."""
    out = settings.out
    if out.resolve() == settings.folder.resolve():
        raise BadInput(f"{out} is the folder that is followed; choose another --out, which may lie in it")
    out.mkdir(parents=True, exist_ok=True)
    refuse_links(out.iterdir())
    there = {path.name for path in out.iterdir()}
    if there and not there & {JOURNAL, FOLLOWING}:
        raise BadInput(f"{out} is not empty and was not made by this command; choose another --out")
    with journals.opened(out) as journal:
        follows = os.path.relpath(settings.folder.resolve(), out.resolve())
        asked = {"model": responder.identity.model, "follows": follows, "seed": settings.seed}
        if FOLLOWING in there and (before := json.loads((out / FOLLOWING).read_bytes())) != asked:
            raise BadInput(f"{out} holds the answers of another command ({before}, now {asked}); choose another --out")
        write(out / FOLLOWING, json.dumps(asked, indent=2).encode() + b"\n")
        shutil.rmtree(out / UNFINISHED, ignore_errors=True)
        yield journal
