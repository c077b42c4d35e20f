"""Tables whose rows are points of time: all rows, or those of a group, are one item, a series."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from itertools import chain, islice
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput, unusable
from aigc_models.reading import cells, time_columns, timestamps
from tasks.ingest.readers import calendar_columns, files, headers
from tasks.ingest.readers.notices import say_once
from tasks.ingest.readers.panels import Panel, panel
from tasks.ingest.source import RawItem, SourceSettings, plugin

MODALITY = "series"
SAMPLE = 200  # rows looked at to tell what the columns are
MOST_BYTES = 1_000_000_000  # of a table, whose items are held in memory
Row = Mapping[str, Any]


@dataclass
class Timeline:
    """One series on its way into a csv with the columns `time` and its channels."""

    label: str | None
    text: io.StringIO = field(default_factory=io.StringIO)


@dataclass(frozen=True)
class Columns:
    """What the columns of a table are for; `time` is None where rows are counted, `apart` tells series from each other."""

    time: str | None
    channels: tuple[str, ...]
    label: str | None
    apart: str | None
    serial: bool = False  # the time is a spreadsheet's number of days


def suits(head: Sequence[Row], columns: Sequence[str], source: SourceSettings) -> bool:
    """Whether a table is a series: it has a time, numbers beside it, and no text but names."""
    one = calendar_columns.joined(head, columns, _named(source))
    head, columns = list(one.rows), one.columns
    time, free = _time(head, columns, source), _free(columns, source)
    free = [column for column in free if column != time]
    counted = list(columns) == headers.numbered(len(columns))  # no header that might tell what else numbers are
    texts = any(_is_text(head, column) for column in free)
    return ((time is not None or counted) and bool(free) and not texts) or _panel(head, columns, source, time) is not None


def ask(head: Sequence[Row], columns: Sequence[str], source: SourceSettings) -> None:
    """Raise `BadInput` where it may be a series: numbers beside a column that looks like times and is not known as one."""
    if source.content or source.time:
        return
    free = _free(columns, source)
    texts = [column for column in free if _is_text(head, column)]
    if len(texts) != 1 or len(free) == 1:
        return
    numbers = [column for column in free if column != texts[0]]
    cells = [_cell(row.get(texts[0])) for row in head]
    if time_columns.doubtful(cells):
        raise BadInput(
            f"{source.path.name}: the column {headers.shown(texts[0])} ({cells[0]!r}, ...) may hold times, written in a way "
            "that is not known; for a series write them as 2016-07-01T13:00, or count the rows with --modality series "
            f"--content {','.join(numbers[: headers.SHOWN])}; to learn its cells say --modality text"
        )


def items(table: Iterable[Row], columns: Sequence[str], source: SourceSettings) -> Iterator[RawItem]:
    """One item for each group, or one for the whole table; cells go through as they are."""
    source.labels.needs(("column", "name"), source.location)
    file = source.path.name
    one = calendar_columns.joined(table, columns, _named(source))
    if one.note:
        say_once(f"{file}: {one.note}")
    rest, columns = one.rows, one.columns
    head = list(islice(rest, SAMPLE))
    chosen = chosen_columns(head, columns, source)
    if chosen.time is None:
        say_once(f"{source.path.name}: no column holds a time, so rows are counted, a step of 1 each; --time names one")
    lines = _timelines(chain(head, rest), chosen, file)
    for key, line in lines.items():
        apart = f"#{key}" if chosen.apart is not None else ""
        label = line.label or source.labels.of_name(file)
        yield RawItem(line.text.getvalue().encode("utf-8", "replace"), f"{file}{apart}", f"{file}{apart}", label)


def of_folder(paths: Sequence[Path], source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """The series of each table below a folder, each named by its path in it; of one that cannot be read there is no content."""
    names = [file.relative_to(source.root).as_posix() for file in paths]
    labels = files.labels(names, source, modality) if source.labels.kind == "folder" else {}
    for file, name in zip(paths, names, strict=True):
        if not file.stat().st_size:
            yield RawItem(b"", file.name, name)
            continue
        one = source.model_copy(update={"location": str(file), "split": None, **({"label": None} if labels else {})})
        try:
            for item in plugin(one).read(one, modality):
                label = labels.get(files.parent(name), item.label)
                yield replace(item, source=name + item.source.removeprefix(file.name), label=label)
        except BadInput as error:
            yield RawItem(b"", unusable(file.name, str(error)), name)


def chosen_columns(head: Sequence[Row], columns: Sequence[str], source: SourceSettings) -> Columns:
    """The named columns, and what the rows say of the others; raises `BadInput` where that does not do."""
    listed = headers.listed(columns)
    for purpose, column in {**source.columns, "content": None}.items():
        if column and column not in columns:
            raise headers.missing(columns, column, purpose, source.path.name)
    time = _time(head, columns, source)
    panel = _panel(head, columns, source, time)
    time = panel.time if panel else time
    left_out = {time, panel.apart, *panel.left_out} if panel else {time}
    counters = set() if source.content else {name for name in columns if time is not None and time_columns.is_counter(name)}
    channels = [column for column in _free(columns, source) if column not in left_out | counters]
    if panel:
        panel.say(source.path.name, channels)
    for column in channels:
        if column not in columns:
            raise headers.missing(columns, column, "content", source.path.name)
    texts = [column for column in channels if _is_text(head, column)]
    if texts or not channels:
        what = f"{headers.listed(texts)} hold text" if texts else "no column is left to be a channel"
        raise BadInput(f"{source.path.name}: {what}; say with --content which columns are numbers; it has: {listed}")
    label = source.columns.get("label")
    serial = time is not None and time_columns.is_serial(time, [_cell(row.get(time)) for row in head])
    apart = panel.apart if panel else source.group or label
    return Columns(time, tuple(channels), label, apart, serial)


def _named(source: SourceSettings) -> set[str]:
    """The columns that the user named."""
    return {*source.columns.values(), *(name.strip() for name in (source.content or "").split(",") if name.strip())}


def _panel(head: Sequence[Row], columns: Sequence[str], source: SourceSettings, time: str | None) -> Panel | None:
    """What is guessed of columns of names beside the time and numbers; nothing where the user said what tells series apart."""
    named = source.columns
    if source.group or "label" in named or (source.content and any(_is_text(head, name) for name in _free(columns, source))):
        return None
    taken = {column for purpose, column in named.items() if purpose not in ("time", "content")}
    return panel({name: [_cell(row.get(name)) for row in head] for name in columns if name not in taken}, time)


def _time(head: Sequence[Row], columns: Sequence[str], source: SourceSettings) -> str | None:
    if source.time:
        return source.time
    taken = _named(source)
    return time_columns.time_column({name: [_cell(row.get(name)) for row in head] for name in columns if name not in taken})


def _free(columns: Sequence[str], source: SourceSettings) -> list[str]:
    """What may be channels: those that the user named, or all that are not named for anything else."""
    if source.content:
        return [source.content] if source.content in columns else [name.strip() for name in source.content.split(",")]
    taken = set(source.columns.values())
    return [column for column in columns if column not in taken]


def _is_text(head: Sequence[Row], column: str) -> bool:
    """Whether more than a few of the filled cells are no numbers."""
    filled = [cell for cell in (_cell(row.get(column)) for row in head) if cell.strip()]
    return sum(map(cells.is_value, filled)) < timestamps.MOST * len(filled)


def _timelines(table: Iterable[Row], columns: Columns, file: str) -> dict[str, Timeline]:
    """The series of a table by their group, in the order in which they first come."""
    lines: dict[str, Timeline] = {}
    size = 0
    for number, row in enumerate(table, start=1):
        key = _cell(row.get(columns.apart)) if columns.apart is not None else ""
        label = (_cell(row.get(columns.label)) or None) if columns.label else None
        if key not in lines:
            lines[key] = Timeline(label)
            _writer(lines[key]).writerow(["time", *columns.channels])
        if lines[key].label != label:
            raise BadInput(
                f"{file} row {number}: the series {key!r} has the labels {lines[key].label!r} and {label!r}; a series has one"
            )
        size += _writer(lines[key]).writerow(_cells(row, columns, number))
        if size > MOST_BYTES:
            raise BadInput(f"{file} holds more than {MOST_BYTES / 1e6:,.0f} MB of points; take a coarser step, or cut it")
    return lines


def _writer(line: Timeline) -> Any:
    return csv.writer(line.text, lineterminator="\n")


def _cells(row: Row, columns: Columns, number: int) -> list[str]:
    """The time, the channels and, so that reading refuses the row, what is beyond the header (csv names it None)."""
    time = _cell(row.get(columns.time)) if columns.time is not None else str(number)
    time = time_columns.of_serial(time) if columns.serial else time
    problem = next((str(value) for key, value in row.items() if isinstance(key, str) and key.startswith("\0")), "")
    beyond = row.get(None, []) if None in row else []  # type: ignore[call-overload]
    return [time or problem, *(_cell(row.get(name)) for name in columns.channels), *beyond]


def _cell(value: Any) -> str:
    """As text: a file's cells as they stand, those of typed tables written out."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return value.isoformat() if isinstance(value, (date, datetime)) else str(value)
