"""A zip or tar archive of pictures, of sounds, of text files or of tables, read without unpacking it to the disk.

    aigc data add orders export.zip --content text --option delimiter=";"

An entry that cannot be used comes as an item without content, whose name says why.
"""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, unusable
from aigc_models.find import find
from aigc_models.modality import divided_inside
from tasks.ingest.readers import files, omitted, packed, rows, tables, tars, zips
from tasks.ingest.readers.held import InMemory
from tasks.ingest.source import RawItem, SourceSettings, options

LAST = True  # an archive that has a meaning of its own is read by the plug-in that knows it
TABLE = 300_000_000  # bytes of a table, which is in memory as a whole
ZIPS = (".zip",)
TARS = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz")


class Options(BaseModel):
    """How much an archive may unpack to. Further options are those of the tables in it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    total: int = Field(100_000_000_000, ge=1, description="bytes that may come out of the archive in all")
    items: Literal["files", "lines", "functions", "turns"] = Field(
        "files",
        description="of texts: files, lines, each with the label of its file, functions (of Python), or turns (of a script)",
    )
    ratio: int = Field(200, ge=1, description="times its own size that the archive may unpack to; 100 MB are always allowed")


@dataclass(frozen=True)
class Listing:
    """What an archive holds: by its place the kind and the name of each file, and why an entry cannot be used."""

    kinds: dict[int, str]
    names: dict[int, str]
    problems: dict[int, str]
    notes: list[str]  # what lies beside the content
    advice: str  # what the first of the problems is


def accepts(location: str) -> bool:
    return location.lower().endswith((*ZIPS, *TARS)) and Path(location).expanduser().is_file()


def fingerprint(source: SourceSettings) -> str:
    return rows.digest(source.path)


def modality(source: SourceSettings) -> str:
    """The one modality of all files; raises `BadInput` with what was found where there are several kinds."""
    listing = _listing(source)
    if not listing.kinds:
        raise BadInput(f"{source.location} holds no file that can be read{listing.advice}")
    entries = files.one_modality(Counter(listing.kinds.values()), source.location)
    return entries or _of_tables(source, listing)


def _of_tables(source: SourceSettings, listing: Listing) -> str:
    """What the first of the tables holds."""
    number, name = next(iter(listing.names.items()))
    for entry in _walk(source.path, lambda at, _: TABLE + 1 if at == number else 0, _budget(source)):
        if entry.number == number:
            return rows.modality(*tables.table(tables.without(source, Options), _held(entry)), _inside(source, entry.name))
    raise BadInput(f"{source.location}: {name} cannot be read")


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """Files in the order of the archive; with `--modality` given, files of other kinds are left out."""
    listing = _listing(source)
    if divided_inside(find("aigc_models.modalities", modality)):
        name = next(iter(listing.names.values()), "TABLE")
        raise BadInput(f"{source.location} holds tables of {modality}; unpack it and name a table itself, such as {name}")
    held = {number: name for number, name in listing.names.items() if listing.kinds[number] in files.tables()}
    if held and modality not in listing.kinds.values():
        yield from _rows(source, modality, held, listing.problems)
        return
    files.check(source, modality)
    if further := tables.without(source, Options).options:
        raise BadInput(f"option {next(iter(further))!r} does not fit {source.location}: it holds no tables")
    chosen = {number: name for number, name in listing.names.items() if listing.kinds[number] == modality}
    if not chosen:
        raise BadInput(f"{source.location} holds no file of the modality {modality}{listing.advice}")
    omitted.say_notes(source, listing.notes, ())
    omitted.say_others(source, sorted(set(listing.names.values()) - set(chosen.values())), modality)
    if modality == "text":
        omitted.say_endings(source, list(chosen.values()))
    yield from _items(source, modality, chosen, listing.problems)


def _items(source: SourceSettings, modality: str, chosen: dict[int, str], problems: dict[int, str]) -> Iterator[RawItem]:
    top = _top(list(chosen.values()))
    labels = files.labels([name.removeprefix(top) for name in chosen.values()], source, modality)
    for entry in _walk(source.path, lambda number, _: files.LARGEST + 1 if number in chosen else 0, _budget(source)):
        name = entry.name.removeprefix(top)
        problem = entry.problem or problems.get(entry.number, "")  # some come out only where the first bytes are read
        if problem:
            yield from () if _hidden(entry.name) else (_unusable(entry.name, problem, source),)
        elif entry.number in chosen:
            short = name.rsplit("/", 1)[-1]
            label = labels.get(files.parent(name)) or source.labels.of_name(short)
            item = RawItem(entry.payload, short, entry.name, label, split=files.split(name, source))
            yield from files.inside(item, source, modality, len(chosen))


def _rows(source: SourceSettings, modality: str, chosen: dict[int, str], problems: dict[int, str]) -> Iterator[RawItem]:
    """The rows of each table, one table in memory at a time; raises `BadInput` that names one that is none."""
    for entry in _walk(source.path, lambda number, _: TABLE + 1 if number in chosen else 0, _budget(source)):
        problem = entry.problem or problems.get(entry.number, "")
        if problem or len(entry.payload) > TABLE:
            problem = problem or f"has more than {TABLE / 1e6:,.0f} MB, too much to read from an archive; unpack it"
            yield from () if _hidden(entry.name) else (_unusable(entry.name, problem, source),)
        elif entry.number in chosen:
            table, columns = tables.table(tables.without(source, Options), _held(entry))
            for item in rows.items(table, columns, _inside(source, entry.name), modality):
                yield replace(item, source=f"{entry.name}#{item.source.rpartition('#')[2]}")


def _held(entry: packed.Packed) -> InMemory:
    return InMemory(entry.name.rsplit("/", 1)[-1], entry.payload)


def _inside(source: SourceSettings, name: str) -> SourceSettings:
    """The source as the table of that name; its cells name no files beside it."""
    return source.model_copy(update={"location": str(source.path / name), "options": {}})


def _walk(path: Path, wanted: packed.Wanted, budget: packed.Budget) -> Iterator[packed.Packed]:
    """By what its first bytes say that it is."""
    with path.open("rb") as file:
        zipped = file.read(2) == b"PK" or (path.suffix.lower() in ZIPS and zipfile.is_zipfile(path))
    return zips.walk(path, wanted, budget) if zipped else tars.walk(path, wanted, budget)


def _unusable(name: str, problem: str, source: SourceSettings) -> RawItem:
    unread = None if name else ""  # damaged from there on: what else it held cannot be told
    name = name or source.path.name
    return RawItem(b"", unusable(name.rsplit("/", 1)[-1], problem), name, unread=unread)


def _top(names: list[str]) -> str:
    """The one folder that all lies in, if there are folders below: an archive's own name is neither label nor split."""
    first = {name.partition("/")[0] for name in names}
    deeper = any(name.count("/") > 1 for name in names)
    return f"{first.pop()}/" if len(first) == 1 and deeper else ""


def _hidden(name: str) -> bool:
    return any(part.startswith(".") and part != ".." for part in name.split("/"))


def _budget(source: SourceSettings) -> packed.Budget:
    given = options(source, Options)
    return packed.Budget(source.path, given.total, given.ratio)


def _listing(source: SourceSettings) -> Listing:
    stat, budget = source.path.stat(), _budget(source)
    state = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
    return _listed(source.path.absolute(), state, budget.total, budget.ratio)


@lru_cache(maxsize=2)
def _listed(path: Path, state: tuple[int, ...], total: int, ratio: int) -> Listing:
    """Found by going through the archive once; `state` changes when the file does."""
    last: dict[str, tuple[int, str]] = {}  # of several with one name the last is what unpacking leaves
    problems: dict[int, str] = {}
    advice = ""
    for entry in _walk(path, _head_wanted, packed.Budget(path, total, ratio)):
        if not entry.problem:
            last[entry.name] = (entry.number, _kind(entry))
        elif not _hidden(entry.name):
            problems[entry.number] = entry.problem
            advice = advice or f": {entry.name or path.name}: {entry.problem}"
    entries = [(name, *last[name]) for name in files.content(last)]
    kinds, names = {number: kind for _, number, kind in entries}, {number: name for name, number, _ in entries}
    return Listing(kinds, names, problems, sorted(set(last) - {name for name, _, _ in entries}), advice)


def _head_wanted(number: int, name: str) -> int:
    """Bytes that tell what a file is, where its suffix does not."""
    return 0 if files.has_usual_ending(name) else files.HEAD


def _kind(entry: packed.Packed) -> str:
    return files.kind(entry.name, lambda: entry.payload)
