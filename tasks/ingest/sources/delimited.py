"""A table with separators under another name than csv: `.dat`, `.data`, `.tab`, and a `.txt` or a file whose ending says
nothing, where all is numbers or all lines are cut alike by tabs.

What it is, its lines say; everything else is as for csv.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from aigc_models.errors import BadInput
from aigc_models.reading.cells import is_value
from tasks.ingest.readers import charset, files, rows
from tasks.ingest.readers.held import Held
from tasks.ingest.readers.notices import say_once
from tasks.ingest.readers.table_file import TableFile
from tasks.ingest.source import RawItem, SourceSettings, options
from tasks.ingest.sources import csv, folder

TABLES = (".dat", ".data", ".tab")
TEXT = ".txt"  # a table only where all are numbers
SEPARATORS = "\t,;| "
SAMPLE = 1 << 14  # characters
FEWEST = 3  # lines that tell a table
ENOUGH, TABBED = 10, 0.95  # lines, and the share that has as many tabs, that make a table of what does not end as one
REGULAR = 0.9  # of the lines, which have as many cells as the first


class Options(csv.Options):
    """Those of a csv, and whether a file that does not end as tables do is one."""

    items: Literal["rows", "files", "lines"] = Field(
        "rows", description="rows of a table; or as a text: the file, or each line"
    )


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    suffix = files.ending(path.name)
    if not path.is_file() or (files.has_usual_ending(path.name) and suffix not in (*TABLES, TEXT)) or not _is_text(path):
        return False
    lines = _lines(path)
    return _separator(lines) is not None if suffix in TABLES else _is_table(lines)


def table(source: SourceSettings, file: Held) -> tuple[Iterator[rows.Row], list[str]]:
    """The rows and the columns of a file."""
    separator = _separator(_lines(file))
    if not separator and not source.options.get("delimiter"):
        raise BadInput(
            f"{file.name} is no table: its lines are not cut alike; say --option delimiter=CHARACTER, or call it .txt"
        )
    named = {name: value for name, value in source.options.items() if name != "items"}
    return csv.table(source.model_copy(update={"options": {**({"delimiter": separator} if separator else {}), **named}}), file)


def is_table(file: Held) -> bool:
    """Whether a text is lines of numbers, with as many in each, or lines cut alike by tabs."""
    return _is_table(_lines(file))


_FILE = TableFile((*TABLES, TEXT), table)
fingerprint = _FILE.fingerprint


def modality(source: SourceSettings) -> str:
    """What its rows are; text where `items` or a label at the end of each line says that it is none."""
    as_text = options(source, Options).items != "rows" or source.labels.kind == "line"
    return "text" if as_text and files.ending(source.path.name) not in TABLES else _FILE.modality(source)


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """Its rows; a text where `items` says so, and numbers that are to be one."""
    items = options(source, Options).items
    if files.ending(source.path.name) not in TABLES:
        if items != "rows" or source.labels.kind == "line" or (modality == "text" and _numbers(_lines(source.path))):
            yield from folder.read(source, modality)
            return
        say_once(f"{source.path.name}: its lines are cut alike, so each is a row; --option items=files takes it as a text")
    yield from _FILE.read(source, modality)


def _is_text(file: Path) -> bool:
    with file.open("rb") as handle:
        return files.is_text(handle.read(files.HEAD))


def _is_table(lines: Sequence[str]) -> bool:
    """Whether lines that nothing else calls a table are one: numbers, or, in enough of them, as many cells between tabs."""
    tabs = Counter(line.count("\t") for line in lines)
    (usual, count), *_ = tabs.most_common(1) or [(0, 0)]
    tabbed = usual > 0 and len(lines) >= ENOUGH and count >= TABBED * len(lines)
    return _separator(lines) is not None and (tabbed or _numbers(lines))


def _lines(file: Held) -> list[str]:
    """The first lines without the last, which may be cut off."""
    encoding = charset.of_file(file)
    with file.open(encoding=encoding, errors=charset.errors(encoding)) as handle:
        text = handle.read(SAMPLE)
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[:-1] if len(text) == SAMPLE else lines


def _separator(lines: Sequence[str]) -> str | None:
    """What divides most lines into as many cells, of which there are several; of one number a line anything does."""
    if len(lines) < FEWEST or any("\0" in line for line in lines):
        return None
    for separator in SEPARATORS:
        counts = [len(_cells(line, separator)) for line in lines]
        usual = max(set(counts), key=counts.count)
        regular = usual > 1 and counts.count(usual) >= REGULAR * len(lines)
        if regular and (separator != " " or _numbers(lines)):
            return separator
    return "\t" if _numbers(lines) else None


def _cells(line: str, separator: str) -> list[str]:
    return line.split() if separator == " " else line.split(separator)


def _numbers(lines: Sequence[str]) -> bool:
    """Whether all but the first, which may name columns, are numbers or missing ones."""
    cells = [cell for line in lines[1:] for cell in line.replace(",", " ").replace(";", " ").replace("|", " ").split()]
    return len(lines) >= FEWEST and bool(cells) and all(map(is_value, cells))
