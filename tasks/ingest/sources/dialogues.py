"""Dialogues in YAML: a file, or a folder of files, with a list `conversations` of lists of turns; one item a conversation.

    conversations:
    - - What is AI?
      - The science of machines that think.

So https://github.com/gunthercox/chatterbot-corpus has them. The turns of an item are its lines.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput, Unreadable, unusable
from tasks.ingest.readers import files, linked
from tasks.ingest.readers.digests import digests
from tasks.ingest.source import RawItem, SourceSettings

SUFFIXES = (".yml", ".yaml")
KEY = "conversations"
LARGEST = 5_000_000  # bytes of a file; what is read from it takes up to 200 times as much memory
NEWLINE = b"\n"
DEEPEST = 20  # lists and mappings inside each other
_HEAD = re.compile(rb"^conversations[ \t]*:", re.MULTILINE)


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    if path.is_file():
        return _is_dialogue(path)
    return path.is_dir() and _are_dialogues(path)


def content_files(source: SourceSettings) -> list[Path]:
    """The files in the order of their names."""
    return [source.path] if source.path.is_file() else [source.path / name for name in _dialogues(linked.names(source))]


def fingerprint(source: SourceSettings) -> str:
    whole, entries = hashlib.sha256(), content_files(source)
    for file, digest in zip(entries, digests(entries), strict=True):
        whole.update(f"{_relative(file, source)}\0{digest}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def modality(source: SourceSettings) -> str:
    return "text"


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """The conversations of each file; labels by folder, or by the name of the file."""
    if modality != "text":
        raise BadInput(f"{source.location} holds dialogues: say --modality text, or nothing")
    source.labels.needs(("folder", "name"), source.location)
    files.check(source, modality)
    names = [_relative(file, source) for file in content_files(source)]
    labels = files.labels(names, source, modality)
    for file, name in zip(content_files(source), names, strict=True):
        label = labels.get(files.parent(name)) or source.labels.of_name(file.name)
        yield from _conversations(file, name, label, files.split(name, source))
    yield from linked.left_out(source)


def _conversations(file: Path, name: str, label: str | None, split: str | None) -> Iterator[RawItem]:
    try:
        entries = conversations(file)
    except Unreadable as error:
        yield RawItem(b"", unusable(file.name, str(error)), name, label, split=split)
        return
    for number, turns in enumerate(entries, start=1):
        one, place = f"{file.name} conversation {number}", f"{name}#{number}"
        lines = turns if isinstance(turns, list) else [turns]
        if all(isinstance(line, str) for line in lines):
            yield RawItem("\n".join(lines).encode("utf-8", "surrogatepass"), one, place, label, split=split)
        else:
            yield RawItem(b"", unusable(one, "a turn is no text but a list or a mapping"), place, label, split=split)


def conversations(file: Path) -> list[Any]:
    """What stands under `conversations`, every value as it is written; raises `Unreadable` for what is no such list."""
    import yaml

    if file.stat().st_size > LARGEST:
        raise Unreadable(f"has more than {LARGEST / 1e6:.0f} MB")
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # every value is a text: no tag is followed, `yes` stays a word
    try:
        text = file.read_bytes().decode("utf-8-sig")
        _check_shape(text, loader)
        whole = yaml.load(text, Loader=loader)
    except UnicodeDecodeError as error:
        line = error.object.count(NEWLINE, 0, error.start) + 1
        raise Unreadable(f"is no UTF-8 in line {line:,}, byte {error.start:,}") from error
    except yaml.YAMLError as error:
        raise Unreadable(f"is no YAML: {' '.join(str(error).split())[:200]}") from error
    entries = whole.get(KEY) if isinstance(whole, dict) else None
    if not isinstance(entries, list):
        raise Unreadable(f"has no list {KEY!r}")
    return entries


def _check_shape(text: str, loader: Any) -> None:
    """Raises `Unreadable` for what could grow without bounds: values that stand for others, and values deep inside others."""
    import yaml

    depth = 0
    for event in yaml.parse(text, Loader=loader):
        if isinstance(event, yaml.AliasEvent):
            raise Unreadable(f"uses an alias (*) in {_line(event)}, which may stand for anything; write the value itself")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > DEEPEST:
            raise Unreadable(f"has values more than {DEEPEST} deep inside each other in {_line(event)}")


def _line(event: Any) -> str:
    return f"line {event.start_mark.line + 1:,}"


def _are_dialogues(folder: Path) -> bool:
    """Whether there is nothing but YAML, and the first of it holds dialogues; looks no further than the first other file."""
    for path in folder.rglob("*"):
        hidden = any(part.startswith(".") for part in path.relative_to(folder).parts)
        if not hidden and path.name.lower() not in files.NOTES and path.is_file() and path.suffix.lower() not in SUFFIXES:
            return False
    names = _dialogues(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return bool(names) and _is_dialogue(folder / names[0])


def _is_dialogue(file: Path) -> bool:
    if file.suffix.lower() not in SUFFIXES:
        return False
    with file.open("rb") as handle:
        return _HEAD.search(handle.read(files.HEAD)) is not None


def _dialogues(names: Iterable[str]) -> list[str]:
    return [name for name in files.content(names) if name.lower().endswith(SUFFIXES)]


def _relative(file: Path, source: SourceSettings) -> str:
    return file.relative_to(source.path).as_posix() if source.path.is_dir() else file.name
