"""Batch generation: a folder of items and `manifest.jsonl`, one line for each.

A run that was killed goes on after the last complete item: an item's file is there before its line
is, and a line counts only when it is whole and its files are what it says. Item i depends on the
seed and on i alone, so what is made again is the same, byte for byte.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import IO, Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, unknown
from aigc_models.training.devices import AUTO, Device
from tasks.stage.execution import Stopped
from tasks.stage.links import refuse_links
from tasks.stage.references import EnsembleRef, GenerationRef, ModelRef, RegisteredRef, digest_of
from tasks.stage.stage import StageContext, stage
from tasks.use.provenance import Identity, Label, labelled

MANIFEST, ASKED = "manifest.jsonl", "generation.json"
Option = float | str | dict[str, Any]
NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST)


class GenerationSettings(BaseModel):
    """What to generate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(16, ge=1, description="items")
    seed: int = Field(0, ge=0, lt=2**53, description="item i is made from this seed and from i alone")
    label: str | None = Field(None, description="one of the model's labels; without one each item draws its own")
    prompt: str | None = Field(None, description="what each text begins with")
    sampling: dict[str, Option] = Field({}, description="the model's own sampling options, such as temperature (no unit)")
    device: Device = Field("auto", description=AUTO)
    copy_guard: bool = Field(True, description="whether texts are kept from repeating 50 characters of the training data")


class Line(Label):
    """What `manifest.jsonl` says of one item: where it is and how to make it again."""

    file: str
    sha256: str
    label: str | None
    prompt: str | None
    renderings: dict[str, str] = Field({}, description="the item as files of other kinds, with the sha256 of each; if any")
    emptiness: str | None = None  # in what way the item says nothing, in the modality's word (`empty`, `silent`), if it does


@stage(process=True)
def generate(
    bundle: EnsembleRef | ModelRef, settings: GenerationSettings, registered: RegisteredRef | None, context: StageContext
) -> GenerationRef:
    """Generate a folder of items with the model in `bundle`, under the name that it is registered by."""
    from aigc_models.generator import Generator

    source, folder = bundle.path(context.workspace), context.folder / "items"
    identity = identity_of(source, registered)
    generate_into(
        Generator.load(source, settings.device, settings.copy_guard), folder, settings, identity, context.progress, context.stop
    )
    context.log(items=settings.count)
    return GenerationRef.to(context.workspace, folder, count=settings.count)


def identity_of(folder: Path, registered: RegisteredRef | None = None) -> Identity:
    """How the outside knows the bundle in `folder`; read without torch."""
    card = json.loads((folder / "bundle.json").read_bytes())
    return Identity(
        model=registered.model if registered else card["name"],
        version=str(registered.version) if registered else "0",
        dataset=card["dataset"],
        data_version=card["version"],
        bundle_sha256=registered.bundle_sha256 if registered else digest_of([folder], folder),
    )


def generate_into(
    generator: Any,
    folder: Path,
    settings: GenerationSettings,
    identity: Identity,
    progress: Callable[..., None] = lambda step, total, **figures: None,
    stop: Callable[[], bool] = lambda: False,
) -> int:
    """Fill `folder`, going on where an earlier call with the same arguments was cut; returns how many items were made.

    Raises `BadInput` where the folder holds something else or cannot be written, `Stopped` when told to end.
    """
    check(generator, settings)
    with writable(folder), claimed(folder, settings, identity) as manifest:
        done = first = resume(manifest, folder)
        asked = {"label": settings.label, "prompt": settings.prompt, "seed": settings.seed, "first": done}
        contents = generator.each(settings.count - done, **asked, **settings.sampling)
        while done < settings.count:
            progress(done, settings.count)
            if stop():
                raise Stopped(f"stopped after {done} of {settings.count} items; the same command goes on from here")
            some = list(islice(contents, generator.card.micro_batch))
            lines = written(generator, folder, settings, identity, done, some)
            append(manifest, lines)
            done += len(lines)
        progress(done, settings.count)
    return done - first


def check(generator: Any, settings: GenerationSettings) -> None:
    """Raise `BadInput` for what this model cannot do."""
    card = generator.card
    if settings.label is not None and settings.label not in card.labels:
        raise unknown("label", settings.label, card.labels)
    if settings.prompt and card.modality != "text":
        raise BadInput(f"a prompt begins a text, and {card.name} makes {card.modality}; leave it out or say --label")


def written(
    generator: Any, folder: Path, settings: GenerationSettings, identity: Identity, first: int, contents: Sequence[Any]
) -> list[Line]:
    """Write the files of some items, from number `first` on."""
    labels = [*generator.card.labels, None]
    conditions = generator.conditions(len(contents), label=settings.label, seed=settings.seed, first=first)
    drawn = [labels[int(condition)] for condition in conditions]
    modality, lines = generator.modality, []
    for item, (content, label) in enumerate(zip(contents, drawn, strict=True), start=first):
        mark, stem = identity.mark(settings.seed, item), f"{item:06d}"
        file = f"{stem}{modality.suffix}"
        sha256 = write(folder / file, labelled(modality.pack(content), modality.suffix, mark))
        others = {}
        for kind, payload in (modality.renderings(content) if hasattr(modality, "renderings") else {}).items():
            others[f"{stem}{kind}"] = write(folder / f"{stem}{kind}", labelled(payload, kind, mark))
        about = {"label": label, "prompt": settings.prompt, "emptiness": modality.emptiness(content), "renderings": others}
        lines.append(Line(**mark.model_dump(), file=file, sha256=sha256, **about))
    return lines


def write(path: Path, payload: bytes) -> str:
    """Write a file, whole or not at all; returns its sha256."""
    unfinished = path.with_name(f"{path.name}.tmp")
    unfinished.unlink(missing_ok=True)
    with unfinished.open("xb") as file:  # never through a link that somebody has put there
        file.write(payload)
    unfinished.replace(path)
    return hashlib.sha256(payload).hexdigest()


def append(manifest: IO[bytes], lines: Sequence[Line]) -> None:
    """Add lines, and have them on the disk before going on."""
    plain = (line.model_dump_json(exclude=None if line.renderings else {"renderings"}) for line in lines)
    manifest.write(b"".join(line.encode() + b"\n" for line in plain))
    manifest.flush()
    os.fsync(manifest.fileno())


def resume(manifest: IO[bytes], folder: Path) -> int:
    """How many items are complete; what follows them in the manifest is cut off."""
    manifest.seek(0)
    done = whole = 0
    for line in manifest:
        if not complete(line, done, folder):
            break
        done, whole = done + 1, whole + len(line)
    manifest.truncate(whole)
    manifest.seek(whole)
    for unfinished in folder.glob("*.tmp"):
        unfinished.unlink()
    return done


def complete(line: bytes, index: int, folder: Path) -> bool:
    """Whether the line is whole, that of item `index`, and its files are what it says."""
    try:
        record = json.loads(line)
        files = {record["file"]: record["sha256"], **record.get("renderings", {})}
        same = (hashlib.sha256((folder / file).read_bytes()).hexdigest() == sha256 for file, sha256 in files.items())
        return line.endswith(b"\n") and record["item"] == index and all(same)
    except (ValueError, KeyError, TypeError, FileNotFoundError):
        return False


@contextmanager
def claimed(folder: Path, settings: GenerationSettings, identity: Identity) -> Iterator[IO[bytes]]:
    """The manifest, open and locked; where nothing was made, nothing is left.

    Raises `BadInput` where the folder is somebody else's or in use.
    """
    folder.mkdir(parents=True, exist_ok=True)
    refuse_links(folder.iterdir())
    there = {path.name for path in folder.iterdir() if path.suffix != ".tmp"}
    if there and not there & {MANIFEST, ASKED}:
        raise BadInput(f"{folder} is not empty and was not made by this command; choose another --out")
    with (folder / MANIFEST).open("a+b") as manifest:
        try:
            fcntl.flock(manifest, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise BadInput(f"another command is writing into {folder}; wait for it or choose another --out") from error
        asked = {**settings.model_dump(exclude={"device"}), **identity.model_dump()}
        if ASKED in there and there - {MANIFEST, ASKED}:
            raise_if_other(folder, asked)
        try:
            write(folder / ASKED, json.dumps(asked, indent=2).encode() + b"\n")
            yield manifest
        finally:
            if not size(manifest):
                abandon(folder)


def size(file: IO[bytes]) -> int:
    return os.fstat(file.fileno()).st_size


def abandon(folder: Path) -> None:
    """Remove the traces of a generation that made nothing."""
    for path in [folder / ASKED, folder / MANIFEST, *folder.glob("[0-9]*"), *folder.glob("*.tmp")]:
        path.unlink(missing_ok=True)
    with suppress(OSError):  # it holds something else
        folder.rmdir()


def raise_if_other(folder: Path, asked: Mapping[str, Any]) -> None:
    """Raise `BadInput` saying what differs from the generation that `folder` holds."""
    before = json.loads((folder / ASKED).read_bytes())
    apart = [f"{name} {before.get(name)!r} there, {asked.get(name)!r} now" for name in asked if before.get(name) != asked[name]]
    if apart:
        raise BadInput(f"{folder} holds another generation ({'; '.join(apart)}); choose another --out")


@contextmanager
def writable(folder: Path) -> Iterator[None]:
    """Turn a full disk or a missing permission into `BadInput`."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        raise BadInput(f"cannot write to {folder}: {error.strerror}; make room or choose another --out") from error
