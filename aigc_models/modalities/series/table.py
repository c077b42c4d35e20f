"""Tables of cells as series, and series as csv: a column `time`, then one for each channel."""

from __future__ import annotations

import csv
import io
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from aigc_models.errors import Unreadable, no_content
from aigc_models.modalities.series.grid import regular
from aigc_models.modalities.series.series import Series
from aigc_models.modalities.series.step_finding import find_step
from aigc_models.reading import time_columns, timestamps
from aigc_models.reading.cells import Numbers, is_formula, is_number
from aigc_models.reading.steps import Step
from aigc_models.reading.timestamps import Moments

MOST_BYTES = 64_000_000  # of a table
SAMPLE = 200  # rows looked at to find the time
COMMENT = "#"


def read(payload: bytes, name: str) -> Series:
    """A csv with a header as a series at regular steps, NaN where a value is missing; raises `Unreadable`."""
    moments, values, names, notes = _table(payload, name)
    return regular(moments, values, names).noted(*notes)


def read_points(payload: bytes, name: str, step: str) -> Series:
    """As `read`, of a csv that may hold a single point of a series whose `step` is known; raises `Unreadable`."""
    moments, values, names, notes = _table(payload, name)
    if len(moments.times) > 1:
        return regular(moments, values, names).noted(*notes)
    fitting = step if Step.parse(step).dated == moments.dated else "1D" if moments.dated else "1"
    times = moments.local if Step.parse(fitting).of_days else moments.times
    return Series(values, names, float(times[0]), fitting, tuple(notes))


def _table(payload: bytes, name: str) -> tuple[Moments, np.ndarray, tuple[str, ...], list[str]]:
    """When its rows are, values (channel, row), the channels' names, and what there is to say."""
    if not payload:
        raise no_content(name)
    if len(payload) > MOST_BYTES:
        raise Unreadable(
            f"has {len(payload) / 1e6:,.0f} MB; the limit is {MOST_BYTES / 1e6:,.0f}: take a coarser step, or cut it"
        )
    try:
        text = payload.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: byte {error.start} is 0x{payload[error.start]:02x}") from error
    if "\0" in text:
        raise Unreadable("holds a NUL character: a binary file, or a damaged one")
    header, rows = _opened(text)
    time = _time_at(text, header)
    names = tuple(name for at, name in enumerate(header) if at != time)
    texts, values, notes = _cells(rows, len(header), time, names)
    if not texts:
        raise Unreadable("has a header and no rows")
    if time is None:
        counted = np.arange(len(texts), dtype=np.float64)
        notes.append(f"rows counted {len(texts)}: no column holds a time")
        return Moments(counted, counted, False), values, names, notes
    if time_columns.is_serial(header[time], texts):
        texts = list(map(time_columns.of_serial, texts))
    return timestamps.read(texts), values, names, notes


def _opened(text: str) -> tuple[list[str], Iterator[list[str]]]:
    """The header, and the rows that are no comments."""
    first = next((line for line in text.splitlines() if line.strip() and not line.startswith(COMMENT)), "")
    delimiter = max(",\t;|", key=first.count)
    rows = (
        row for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter) if row and not row[0].startswith(COMMENT)
    )
    header = [name.strip() for name in next(rows, [])]
    if header and all(is_number(name) or timestamps.is_date(name) for name in header):
        raise Unreadable(f"has no header: its first line is {first[:60]!r}; put the names of the columns there")
    formula = next(filter(is_formula, header), None)
    if formula is not None:  # names go on into the files that are made
        raise Unreadable(f"the column {formula[:60]!r} is named by a formula, which a spreadsheet would compute; rename it")
    twice = next((name for at, name in enumerate(header) if name in header[:at]), None)
    if twice is not None:
        raise Unreadable(f"two columns are named {twice!r}; give each a name of its own")
    return header, rows


def _time_at(text: str, header: Sequence[str]) -> int | None:
    """Which column is the time: the first if it is called so, as in what a source gives, or one that looks like it."""
    if header and header[0] == "time":
        return 0
    head = list(islice(_opened(text)[1], SAMPLE))
    columns = {name: [row[at] for row in head if at < len(row)] for at, name in enumerate(header)}
    column = time_columns.time_column(columns)
    return None if column is None else list(header).index(column)


def _cells(
    rows: Iterator[list[str]], width: int, time: int | None, names: Sequence[str]
) -> tuple[list[str], np.ndarray, list[str]]:
    """The written times, float64 (channel, row), and what there is to say of the cells."""
    texts: list[str] = []
    columns = [array("d") for _ in names]
    numbers = Numbers()
    for count, row in enumerate(rows, start=1):
        if len(row) > width:
            raise Unreadable(
                f"row {count} has {len(row)} cells, the header {width}; a decimal comma needs quotes or another separator"
            )
        row += [""] * (width - len(row))
        texts.append(row.pop(time) if time is not None else str(count))
        for column, cell, name in zip(columns, row, names, strict=True):
            column.append(numbers.value(cell, count, name))
    notes = [f"decimal commas {numbers.commas}: read as decimal points"] if numbers.commas else []
    return texts, np.array(columns, dtype=np.float64).reshape(len(columns), len(texts)), notes


def pack(content: Series) -> bytes:
    """Csv with numbers that come back exactly; notes, and a step that cannot be told from the times, as comments at the end."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerow(["time", *content.channels])
    for stamp, row in zip(content.stamps(), content.values.T.tolist(), strict=True):
        buffer.write(f"{stamp},{','.join('' if value != value else repr(value) for value in row)}\n")
    if not content.steps or str(find_step(content.times(), content.dated)) != content.step:
        buffer.write(f"{COMMENT} step {content.step}\n")
    buffer.writelines(f"{COMMENT} {note}\n" for note in content.notes)
    return buffer.getvalue().encode()


def unpack(payload: bytes) -> Series:
    """What `pack` wrote."""
    lines = payload.decode().split("\n")[:-1]
    comments = [line.removeprefix(f"{COMMENT} ") for line in lines if line.startswith(COMMENT)]
    names, *rows = csv.reader(lines[: len(lines) - len(comments)])
    step = comments.pop(0).removeprefix("step ") if comments and comments[0].startswith("step ") else ""
    cells = [[float(cell or "nan") for cell in row[1:]] for row in rows]
    values = np.array(cells, dtype=np.float64).reshape(len(rows), len(names) - 1).T
    times, dated = _canonical_times([row[0] for row in rows])
    step = step or str(find_step(times, dated))
    return Series(np.ascontiguousarray(values), tuple(names[1:]), float(times[0]) if rows else 0.0, step, tuple(comments))


def _canonical_times(texts: Sequence[str]) -> tuple[np.ndarray, bool]:
    """Times as `Series.stamps` writes them."""
    if not texts or is_number(texts[0]):
        return np.array(texts, dtype=np.float64), False
    return np.array(texts, dtype="datetime64[ms]").astype(np.int64) / 1000, True
