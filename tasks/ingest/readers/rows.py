"""Rows of a table (csv, jsonl, parquet) as raw items: which column is the content, and what the others are for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from os.path import isfile
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput, unusable
from aigc_models.find import find, names
from aigc_models.modality import divided_inside
from tasks.ingest.readers import headers, histories, magic, purposes, timelines
from tasks.ingest.readers.cell import PROBLEM, Row, text
from tasks.ingest.source import RawItem, SourceSettings

SAMPLE = 200  # rows looked at to find the column of the content
SAMPLE_BYTES = 16_000_000  # of these, about
NAME = "\0name"  # the key of what a row is known by, where that is not its number


class ClassName(str):
    """A cell that is the name of a class, so not the content."""


def digest(path: Path) -> str:
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def modality(table: Iterable[Row], columns: list[str], source: SourceSettings) -> str:
    """A series where rows are points of time; else what the bytes of the content say, or the files that it names; else text."""
    headers.check(columns, source.path.name)
    head = beginning(iter(table))
    if timelines.suits(head, columns, source):
        return timelines.MODALITY
    timelines.ask(head, columns, source)
    settled_on = source.model_copy(update={"content": _content_column(head, columns, source)})
    content = contents(settled_on, columns)[0]
    first = next((_unwrapped(row[content]) for row in head if row.get(content) is not None), "")
    if not isinstance(first, bytes):
        return _named_files(str(first), source.path.parent)
    try:
        first.decode("utf-8")
    except UnicodeDecodeError:
        return magic.modality_of(first) or "image"
    return "text"


def beginning(table: Iterator[Row]) -> list[Row]:
    """Rows from which the columns are recognised: no more than `SAMPLE`, and of large ones fewer."""
    head: list[Row] = []
    size = 0
    while len(head) < SAMPLE and size < SAMPLE_BYTES and (row := next(table, None)) is not None:
        head.append(row)
        size += sum(len(value) for value in map(_unwrapped, row.values()) if isinstance(value, (str, bytes)))
    return head


def _named_files(cell: str, folder: Path) -> str:
    """The modality of the file that a cell names, or text if there is no such file."""
    suffix = Path(cell).suffix.lower()
    modalities = (name for name in names("aigc_models.modalities") if suffix in find("aigc_models.modalities", name).SUFFIXES)
    return next(modalities, "text") if isfile(folder / cell) else "text"


def items(table: Iterable[Row], columns: list[str], source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """One item a row, or rows together: a series, the history of a user. A cell may hold the path of a file beside."""
    headers.check(columns, source.path.name)
    if histories.suits(source, modality):
        yield from histories.items(table, columns, source)
        return
    if divided_inside(find("aigc_models.modalities", modality)):
        yield from timelines.items(table, columns, source)
        return
    source.labels.needs(("column", "name"), source.location)
    rest = iter(table)
    head = beginning(rest)
    source = settled(head, columns, source)
    named, together = source.columns, contents(source, columns)
    if len(together) > 1 and modality != "text":
        raise BadInput(f"--content {source.content}: several columns are the lines of a text, and {modality} is asked for")
    file = source.path.name
    fixed = source.labels.of_name(file)
    for number, row in enumerate((row for part in (head, rest) for row in part), start=1):
        bad = PROBLEM in row  # then nobody knows what its cells are
        cells = {} if bad else {purpose: text(row.get(name)) for purpose, name in named.items() if purpose != "content"}
        payload = b"" if bad else _joined([_payload(row.get(name), source.path.parent, modality) for name in together])
        name = unusable(f"{file} row {number}", row[PROBLEM]) if bad else f"{file} row {number}"
        yield RawItem(payload, name, f"{file}#{row.get(NAME, number)}", **{"label": fixed, **cells})


def contents(source: SourceSettings, columns: list[str]) -> list[str]:
    """The columns whose cells are the content: one, or several with commas, such as a question and its answer."""
    named = source.content or ""
    return [named] if named in columns else [name.strip() for name in named.split(",")]


def _joined(cells: list[bytes]) -> bytes:
    """The cells as lines, all but the last on one line each; nothing where one of them is empty."""
    if len(cells) == 1 or not all(cell.strip() for cell in cells):
        return cells[0] if len(cells) == 1 else b""
    return b"\n".join([*(b" ".join(cell.split()) for cell in cells[:-1]), cells[-1]])


def settled(head: list[Row], columns: list[str], source: SourceSettings) -> SourceSettings:
    """With the column of the content and, where that is guessed and nothing was said of labels, the one of the labels."""
    content = _content_column(head, columns, source)
    if source.content:
        return source
    alone = len(_texts(head, columns, source)) == 1  # then nothing was guessed so far
    free = [name for name in columns if name not in {content, *source.columns.values()}]
    unnamed = columns == headers.numbered(len(columns))  # names say nothing there, so numbers may be labels
    likely = [name for name in free if unnamed or purposes.is_called_label(name) or (not alone and _is_content(head, name))]
    label = purposes.label({name: _strings(head, name) for name in likely}) if not source.label else None
    if label or not alone or (unnamed and free):
        purposes.say_guess(source, content, label)
    return source.model_copy(update={"content": content, **({"label": f"column:{label}"} if label else {})})


def _strings(head: list[Row], column: str) -> list[str]:
    return [value for row in head if PROBLEM not in row and (value := text(row.get(column)))]


def _texts(head: list[Row], columns: list[str], source: SourceSettings) -> list[str]:
    """The columns that hold texts and are for nothing else."""
    taken = set(source.columns.values())
    return [column for column in columns if column not in taken and _is_content(head, column)]


def _content_column(head: list[Row], columns: list[str], source: SourceSettings) -> str:
    listed = headers.listed(columns)
    for purpose, column in source.columns.items():
        for name in contents(source, columns) if purpose == "content" else [column]:
            if name not in columns:
                raise headers.missing(columns, name, purpose, source.path.name)
    if not head:
        raise BadInput(
            f"{source.path.name} {'has a header and no rows' if columns else 'is empty: it has no column and no row'}"
        )
    if source.content:
        return source.content
    free = _texts(head, columns, source)
    if len(free) > 1 and (plain := purposes.content({name: _strings(head, name) for name in free})):
        return plain
    if len(free) != 1:
        nothing = "no column holds text, so rows may be steps of a series, which --modality series counts"
        problem = f"more than one column could be the content ({headers.listed(free)})" if free else nothing
        raise BadInput(f"{source.path.name}: {problem}; say which with --content; it has: {listed}")
    return free[0]


def _is_content(head: list[Row], column: str) -> bool:
    values = [_unwrapped(row[column]) for row in head if row.get(column) not in (None, "")]
    return bool(values) and all(isinstance(value, bytes) or _is_text(value) for value in values)


def _is_text(value: Any) -> bool:
    """Whether a cell may be content: no number, no name of a class."""
    return isinstance(value, str) and not isinstance(value, ClassName) and not _number(value)


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _unwrapped(value: Any) -> Any:
    """Picture columns of published tables hold {"bytes": ..., "path": ...}; without bytes the path names a file beside."""
    if not (isinstance(value, dict) and "bytes" in value):
        return value
    return value.get("path") if value["bytes"] is None else value["bytes"]


def _payload(value: Any, folder: Path, modality: str) -> bytes:
    value = _unwrapped(value)
    if isinstance(value, bytes):
        return value
    cell = "\n".join(value) if _is_lines(value) else text(value) or ""
    if modality != "text" and Path(cell).suffix.lower() in find("aigc_models.modalities", modality).SUFFIXES:
        inside = (folder / cell).resolve()
        return inside.read_bytes() if inside.is_relative_to(folder.resolve()) and inside.is_file() else b""
    try:
        return cell.encode("utf-8")
    except UnicodeEncodeError:
        return cell.encode("utf-8", "surrogateescape" if _escaped(cell) else "surrogatepass")


def _is_lines(value: Any) -> bool:
    """Whether a cell holds the lines of a text, as those of a poem."""
    return isinstance(value, list) and all(isinstance(line, str) for line in value)


def _escaped(text: str) -> bool:
    """Whether lone surrogates in `text` stand for bytes that were no UTF-8."""
    return all("\udc80" <= character <= "\udcff" for character in text if "\ud800" <= character <= "\udfff")
