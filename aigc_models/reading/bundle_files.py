"""The files of a bundle's folder, which anybody may have written: bounded reads, plain names, and a digest for each.

Whatever is not as the card lists it is refused in a sentence. Nothing outside of the folder is opened, and torch is not needed.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NoReturn

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from aigc_models.errors import BadInput, Damaged, fault

CARD, WEIGHTS, MEMBERS = "bundle.json", "weights.safetensors", "members"
SIGNATURE = "bundle.sig"  # of the card's digest, and so in no digest itself
LARGEST_CARD = 16 * 2**20  # bytes; a card with the pieces of a large tokeniser has about 1 MB
DEEPEST = 32  # parts of a path: ensembles of ensembles
AGAIN = "restore the bundle or train it again"


def _inside(path: str) -> str:
    """A relative path of plain names that stays in its folder; raises `ValueError` of any other."""
    parts = path.split("/")
    if any(part in ("", ".", "..") for part in parts) or set(path) & set("\\:") or not path.isprintable():
        raise ValueError(f"{path!r} leads out of the bundle's folder")
    if len(parts) > DEEPEST or max(map(len, parts)) > 255:
        raise ValueError(f"{path[:60]!r}... is too long for a path")
    if path in (CARD, SIGNATURE):
        raise ValueError(f"{path} has no digest in itself")
    return path


def _single(name: str) -> str:
    if "/" in name:
        raise ValueError(f"{name!r} is no name of a folder")
    return _inside(name)


Inside = Annotated[str, AfterValidator(_inside)]
Single = Annotated[str, AfterValidator(_single)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Listing(BaseModel):
    """What a card says of files."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: str = "member"
    members: tuple[Single, ...] = ()
    digests: dict[Inside, Sha256] = {}


def sha256(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def card_bytes(folder: Path) -> bytes:
    """`bundle.json` as it stands; `BadInput` where it is missing, no plain file, or too large."""
    path = folder / CARD
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would wait for a writer
    except FileNotFoundError as error:
        raise BadInput(f"{folder} is no bundle: it has no {CARD}") from error
    except OSError as error:
        reason = "is a link" if path.is_symlink() else f"cannot be read: {error.strerror or error}"
        raise BadInput(f"{path} {reason}; {AGAIN}") from error
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise BadInput(f"{path} is no plain file; {AGAIN}")
        content = open(handle, "rb", closefd=False).read(LARGEST_CARD + 1)  # noqa: SIM115 (the handle is closed below)
    finally:
        os.close(handle)
    if len(content) > LARGEST_CARD:
        raise BadInput(f"{path} is larger than {LARGEST_CARD // 2**20} MB, which no card is; {AGAIN}")
    return content


def card_text(folder: Path) -> str:
    """`bundle.json` as the text of one JSON object, each name in it once and each number finite; raises `BadInput`."""
    path, content = folder / CARD, card_bytes(folder)
    try:
        text = content.decode()
        whole = json.loads(text, object_pairs_hook=_unique, parse_constant=_not_finite)
    except UnicodeDecodeError as error:
        raise BadInput(f"{path} is not UTF-8; {AGAIN}") from error
    except RecursionError as error:
        raise BadInput(f"{path} cannot be used: it is nested too deeply; {AGAIN}") from error
    except ValueError as error:
        reason = f"Invalid JSON: {error}" if isinstance(error, json.JSONDecodeError) else str(error).partition(";")[0]
        raise BadInput(f"{path} cannot be used: {reason}; {AGAIN}") from error
    if not isinstance(whole, dict):
        raise BadInput(f"{path} cannot be used: it has to be a mapping of fields; {AGAIN}")
    return text


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"{twice[:60]!r} is stated twice")
    return fields


def _not_finite(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number of JSON")


def listing(folder: Path) -> Listing:
    """What the card says of files; raises `BadInput`."""
    try:
        return Listing.model_validate_json(card_text(folder), strict=True)
    except ValidationError as error:
        raise unusable_card(folder, error) from error


def unusable_card(folder: Path, error: ValidationError) -> BadInput:
    return BadInput(f"{folder / CARD} cannot be used: {first_fault(error)}; {AGAIN}")


def first_fault(error: ValidationError) -> str:
    """The first problem in one line: where, and what."""
    problem = error.errors(include_url=False)[0]
    parts = [str(part)[:60] for part in problem["loc"] if part != "[key]"]
    place = ".".join(part if part.isprintable() else repr(part) for part in parts)
    return f"{place}: {fault(problem)}" if place else fault(problem)


def check(folder: Path) -> None:
    """Hold every file against the card: those that are listed are there, all alike, and there is nothing else.

    Raises `BadInput` of a card that cannot be used, `Damaged` of the files.
    """
    listed, there = listing(folder), set(_files(folder, folder))
    for name in _needed(listed):
        if name not in listed.digests:
            raise BadInput(f"{folder / CARD} states no digest of {name}; {AGAIN}")
    for name in listed.digests:
        if name not in there:
            raise Damaged(f"{folder / name} is missing; {AGAIN}")
    if stray := sorted(there - set(listed.digests) - {CARD, SIGNATURE}):
        raise Damaged(f"{folder / stray[0]} is not listed in {folder / CARD}: remove it, or {AGAIN}")
    for name, expected in listed.digests.items():
        if sha256(folder / name) != expected:
            raise Damaged(f"{folder / name} is not what its digest says; restore or train it again")
    _agree(folder, listed)


def _needed(listed: Listing) -> list[str]:
    """The files without which there is no model."""
    return [f"{MEMBERS}/{name}/{CARD}" for name in listed.members] if listed.kind == "ensemble" else [WEIGHTS]


def _files(folder: Path, root: Path) -> Iterator[str]:
    """The names of all files below `folder`, relative to `root`; raises `Damaged` of a link, or of what is no file."""
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise Damaged(f"{folder} cannot be read: {error.strerror or error}") from error
    if not entries and folder != root:
        raise Damaged(f"{folder} is empty: remove it, or {AGAIN}")
    for entry in entries:
        path = folder / entry.name
        if entry.is_symlink():
            raise Damaged(f"{path} is a link, and a bundle holds its own files: put the file there, or {AGAIN}")
        if entry.is_dir(follow_symlinks=False):
            if len(path.relative_to(root).parts) >= DEEPEST:
                raise Damaged(f"{path} lies too deep: remove it, or {AGAIN}")
            yield from _files(path, root)
        elif entry.is_file(follow_symlinks=False):
            yield path.relative_to(root).as_posix()
        else:
            raise Damaged(f"{path} is no plain file: remove it, or {AGAIN}")


def _agree(folder: Path, listed: Listing) -> None:
    """Members are those whose files there are, and each one's own card lists the same files."""
    inside = {name.split("/")[1] for name in listed.digests if name.startswith(f"{MEMBERS}/")}
    if inside != set(listed.members) or len(listed.members) > len(inside):
        names = ", ".join(sorted(inside)) or "none"
        raise BadInput(f"{folder / CARD} cannot be used: members: these have files in it: {names}; {AGAIN}")
    for name in listed.members:
        part, prefix = folder / MEMBERS / name, f"{MEMBERS}/{name}/"
        inner = listing(part)
        stated = {f"{prefix}{file}": digest for file, digest in inner.digests.items()}
        outer = {file: digest for file, digest in listed.digests.items() if file.startswith(prefix) and file != prefix + CARD}
        if stated != outer:
            raise BadInput(f"{part / CARD} cannot be used: digests: {folder / CARD} lists others; {AGAIN}")
        for needed in _needed(inner):
            if needed not in inner.digests:
                raise BadInput(f"{part / CARD} states no digest of {needed}; {AGAIN}")
        _agree(part, inner)
