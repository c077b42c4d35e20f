"""A table with separators under another name than csv: `.dat`, `.data`, `.tab`, and a `.txt` of nothing but numbers.

What it is, its lines say; everything else is as for csv.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from aigc_models.errors import BadInput
from aigc_models.reading.cells import is_value
from tasks.ingest.readers import charset, rows
from tasks.ingest.readers.held import Held
from tasks.ingest.readers.table_file import TableFile
from tasks.ingest.source import RawItem, SourceSettings
from tasks.ingest.sources import csv, folder

TABLES = (".dat", ".data", ".tab")
TEXT = ".txt"  # a table only where all are numbers
SEPARATORS = "\t,;| "
SAMPLE = 1 << 14  # characters
FEWEST = 3  # lines that tell a table
REGULAR = 0.9  # of the lines, which have as many cells as the first
Options = csv.Options


def accepts(location: str) -> bool:
    path = Path(location).expanduser()
    if path.suffix.lower() not in (*TABLES, TEXT) or not path.is_file():
        return False
    lines = _lines(path)
    return _separator(lines) is not None and (path.suffix.lower() != TEXT or _numbers(lines))


def table(source: SourceSettings, file: Held) -> tuple[Iterator[rows.Row], list[str]]:
    """The rows and the columns of a file."""
    separator = _separator(_lines(file))
    if not separator and not source.options.get("delimiter"):
        raise BadInput(
            f"{file.name} is no table: its lines are not cut alike; say --option delimiter=CHARACTER, or call it .txt"
        )
    options = {**({"delimiter": separator} if separator else {}), **source.options}
    return csv.table(source.model_copy(update={"options": options}), file)


def is_table(file: Held) -> bool:
    """Whether a text is lines of numbers, with as many in each."""
    lines = _lines(file)
    return _separator(lines) is not None and _numbers(lines)


_FILE = TableFile((*TABLES, TEXT), table)
fingerprint, modality = _FILE.fingerprint, _FILE.modality


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """Its rows; a `.txt` that is to be a text is one."""
    as_text = modality == "text" and source.path.suffix.lower() == TEXT
    yield from folder.read(source, modality) if as_text else _FILE.read(source, modality)


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
