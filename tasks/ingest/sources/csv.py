"""A csv or tsv file; one item a row. Its encoding, its separator and whether it has a header are found out."""

from __future__ import annotations

import codecs
import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import islice
from typing import IO, TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import BadInput
from aigc_models.reading import first_bytes
from tasks.ingest.readers import charset, first_row, headers, rows
from tasks.ingest.readers.held import Held
from tasks.ingest.readers.notices import say_once
from tasks.ingest.readers.quoting import Lines, Rows
from tasks.ingest.readers.table_file import TableFile
from tasks.ingest.source import SourceSettings, options

if TYPE_CHECKING:
    from _csv import Reader

TABLES = (".csv", ".tsv")
DELIMITERS = ",\t;|"
SPACE = " "  # where it separates, several of them do as one
NONE = "\x1f"  # a separator that no text holds: a line of a table with one column is one cell
SAMPLE = 1 << 14  # characters that the separator is found out from
REGULAR = 0.9  # share of the rows that have as many cells as the header, where a separator is the right one
LARGEST_CELL = 100_000_000  # characters
HEAD = 4096  # bytes that tell a file of another kind
CONFLICT = ("<<<<<<< ", ">>>>>>> ")  # what git leaves in a file that two have changed


class Options(BaseModel):
    """What is detected where it is not given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    encoding: str | None = Field(None, description="name of the encoding, such as cp1252")
    delimiter: str | None = Field(None, description="the character between the cells; 'tab' for a tab")

    columns: str | None = Field(None, description="names of the columns, with commas, of a table whose first line is a row")
    header: Literal["first", "none"] | None = Field(
        None, description="first: the first line names the columns; none: it is a row"
    )

    titles: str | None = Field(
        None, description="of histories: a csv with the id of each item in its first column, and its title"
    )

    @field_validator("encoding")
    @classmethod
    def _check_encoding(cls, name: str | None) -> str | None:
        with suppress(LookupError):
            return name and codecs.lookup(name).name
        raise BadInput(f"option encoding: {name!r} is not the name of an encoding; such are utf-8, cp1252, utf-16, gb18030")

    @field_validator("delimiter")
    @classmethod
    def _one_character(cls, text: str | None) -> str | None:
        text = "\t" if text in ("tab", "\\t") else text
        if text is not None and (len(text) != 1 or text in '"\r\n'):
            raise BadInput(f"option delimiter: {text!r} is not one character, or one that has another meaning; tab is 'tab'")
        return text


@dataclass(frozen=True)
class Table:
    """A file and how it is written."""

    path: Held
    encoding: str
    delimiter: str
    quote: str = '"'
    skip: bool = False
    names: tuple[str, ...] = ()  # of the columns, where the first line is a row
    guessed: bool = False  # that it is one

    def open(self) -> IO[str]:
        return self.path.open(encoding=self.encoding, errors=charset.errors(self.encoding), newline="")

    def cells(self, lines: Iterable[str]) -> Reader:
        return csv.reader(lines, delimiter=self.delimiter, quotechar=self.quote, skipinitialspace=self.skip)

    def rows(self, lines: Iterable[str]) -> Rows:
        lines = (line.strip(SPACE) for line in lines) if self.delimiter == SPACE else lines
        return Rows(Lines(lines), self.cells, self.delimiter, self.quote)

    def fits(self, lines: list[str]) -> bool:
        """Whether the rows have as many cells as the header, which has more than one, all without what is round them."""
        header, *rest = list(self.cells(lines))
        rest = rest[:-1] or rest  # the last may be cut off
        bare = not all(name[:1] in "' " for name in header[1:])
        return len(header) > 1 and bare and sum(len(row) == len(header) for row in rest) >= REGULAR * len(rest)


def table(source: SourceSettings, file: Held) -> tuple[Iterator[rows.Row], list[str]]:
    """The rows and the columns of a file."""
    parsed = _table(source, file)
    return _rows(parsed), _columns(parsed)


_FILE = TableFile(TABLES, table)
accepts, fingerprint, modality, read = _FILE.accepts, _FILE.fingerprint, _FILE.modality, _FILE.read


def _table(source: SourceSettings, file: Held) -> Table:
    """With the encoding and the separator that the user named, or those that are found; refuses other kinds of files."""
    with file.open("rb") as handle:
        kind = first_bytes.kind(handle.read(HEAD))
    if kind:
        raise BadInput(f"{file.name} is {kind}, no table of text; give the table itself")
    csv.field_size_limit(LARGEST_CELL)
    given = options(source, Options)
    names = tuple(name.strip() for name in given.columns.split(",")) if given.columns else ()
    table = Table(
        file, given.encoding or charset.of_file(file), given.delimiter or NONE, skip=given.delimiter == SPACE, names=names
    )
    with table.open() as handle:
        lines = [line for line in handle.read(SAMPLE).splitlines(keepends=True) if line.strip()]
    _check_merged(table.path.name, lines)
    table = table if given.delimiter or not lines else _separated(table, lines)
    return table if names or given.header == "first" else _named(table, lines, given.header == "none", source)


def _check_merged(name: str, lines: Sequence[str]) -> None:
    """Raise `BadInput` for a table in which two states of a file stand one after the other."""
    mark = next((line.strip() for line in lines if line.startswith(CONFLICT)), None)
    if mark:
        raise BadInput(f"{name} holds a merge conflict ({mark[:40]!r}); resolve it and add the table again")


def _named(table: Table, lines: list[str], none: bool, source: SourceSettings) -> Table:
    """With names for its columns where the first line is a row: it was said, or it looks so and holds no given name."""
    first, *rest = list(table.rows(lines)) or [[]]
    given = {name for column in source.columns.values() for name in (column, *column.split(","))}
    guessed = not none and not given & set(first) and first_row.is_data(first, rest[:-1] or rest)  # the last may be cut off
    return replace(table, names=tuple(headers.numbered(len(first))), guessed=guessed) if none or guessed else table


def _separated(table: Table, lines: list[str]) -> Table:
    """With the separator that the header has most of, or where rows do not fit that, the one that `csv` makes out."""
    most = max(DELIMITERS, key=lines[0].count)
    if most not in lines[0]:
        return table
    table = replace(table, delimiter=most)
    with suppress(csv.Error):
        if not table.fits(lines):
            dialect = csv.Sniffer().sniff("".join(lines), DELIMITERS)
            quote, skip = dialect.quotechar or '"', bool(dialect.skipinitialspace)
            other = replace(table, delimiter=dialect.delimiter, quote=quote, skip=skip)
            return other if other.fits(lines) else table
    return table


def _columns(table: Table) -> list[str]:
    with table.open() as handle:
        columns = list(table.names) or next((cells for cells in table.cells(handle) if cells), [])
    twice = next((name for name, count in Counter(columns).items() if name and count > 1), None)
    if twice is not None:
        raise BadInput(f"{table.path.name} has more than one column {twice!r}; give each a name of its own in the first line")
    return columns


def _rows(table: Table) -> Iterator[rows.Row]:
    """Bytes that are not in the encoding are carried as surrogates, so that cleaning sees the very bytes."""
    columns = _columns(table)
    with table.open() as handle:
        reader = table.rows(handle)
        try:
            for cells in islice(reader, 0 if table.names else 1, None):
                _check_merged(table.path.name, cells[:1])
                row = dict(zip(columns, cells, strict=False))
                yield row if len(cells) == len(columns) else _ragged(row, cells, columns)
        except csv.Error as error:
            raise BadInput(f"{table.path.name} line {reader.line + 1}: {_message(error)}") from error
    _say(table, reader)


def _say(table: Table, reader: Rows) -> None:
    """What was not as a table should be."""
    name = table.path.name
    if table.guessed:
        called = f"the columns are called {headers.listed(table.names)}; name them with --option columns=A,B,..."
        say_once(f"{name}: the first line is like the others, so it is a row and {called}, or say --header first")
    if reader.strays:
        listed = ", ".join(map(str, reader.strays[:5])) + (", ..." if len(reader.strays) > 5 else "")
        say_once(
            f"{name}: a quotation mark opens and does not close in line {listed}; the rows from there were read without quotes"
        )


def _message(error: csv.Error) -> str:
    if "field limit" in str(error):
        return f"a cell of more than {LARGEST_CELL / 1e6:,.0f} MB; is a quotation mark missing?"
    return f"{error}; is it a table with separators?"


def _ragged(row: dict[str, str], cells: list[str], columns: list[str]) -> rows.Row:
    """A row whose cells cannot be told to be in their columns; what is beyond the header has the key None, as in `csv`."""
    beyond = {None: cells[len(columns) :]} if len(cells) > len(columns) else {}
    problem = f"has {len(cells)} cells, the header {len(columns)}; quote cells that hold a separator or a line break"
    return {**row, **beyond, rows.PROBLEM: problem}  # type: ignore[dict-item]
