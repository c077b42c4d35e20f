"""The rows of a database query: the location is a SQLAlchemy URL, the query is the option `query`; one item a row.

    aigc data add replies postgresql+psycopg://reader@db.example/shop --option query="select question, answer from replies"

A password is never part of the location, since that is remembered: the driver takes it from where it always does
(PGPASSWORD or ~/.pgpass for PostgreSQL). The database is asked in a transaction that may only read.

Databases promise no order. An item is therefore known by its content, or by the column named with the option `key`, and
never by the number of its row; and a query without an `order by` of its own is put into
`select * from (...) order by` every column, so that the order too depends on the content alone (and on the database's
collation). With an own `order by`, rows that tie in it come as the database likes: the items and the fingerprint
are the same, their order may not be.

The fingerprint is the sum of the digests of all rows: it costs one full reading of the result, over the network too.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, Unreachable
from aigc_models.find import find
from aigc_models.modality import divided_inside
from tasks.ingest.readers import rows
from tasks.ingest.source import RawItem, SourceSettings, options

if TYPE_CHECKING:
    from sqlalchemy import URL, Connection, CursorResult, Engine

DIALECTS = ("mariadb", "mssql", "mysql", "oracle", "postgres", "postgresql", "sqlite")
BATCH = 1000  # rows held at a time
DRIVERS = {"postgresql": "write postgresql+psycopg:// and `pip install 'aigc-foundry[sql]'`"}
# Quoted texts and comments are left out before a query is looked at.
_ASIDE = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`|(\$\w*\$).*?\1|--[^\n]*|/\*.*?\*/", re.DOTALL)
_SELECT = re.compile(r"[\s(]*(select|with|values|table)\b", re.IGNORECASE)
KEEPS = True  # a query may see but a part of what was there, such as the last month
PARTS = ("query",)


class Options(BaseModel):
    """What a database is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    query: str = Field(description="one SELECT (SQL); its columns are those of the items")
    key: str | None = Field(None, description="column that tells rows apart; a row that changed replaces its old state")


def accepts(location: str) -> bool:
    scheme, separator, _ = location.partition("://")
    base = scheme.split("+")[0].lower()
    return bool(separator) and (base in DIALECTS or base in entry_points(group="sqlalchemy.dialects").names)


def description(source: SourceSettings) -> str:
    """The URL without a password, and of a database in a file no path of this machine."""
    url = _url(source)
    file = url.set(database=Path(url.database or "").name) if url.get_backend_name() == "sqlite" else url
    return file.set(query={}).render_as_string(hide_password=True)


def place(source: SourceSettings) -> str:
    """The location such that it holds from every folder."""
    url = _url(source)
    if url.get_backend_name() != "sqlite":
        return source.location
    return url.set(database=str(Path(url.database or "").resolve())).render_as_string(hide_password=True)


def fingerprint(source: SourceSettings) -> str:
    count = total = 0
    for row in _rows(source):
        count += 1
        total += int.from_bytes(_digest(row), "big")
    return hashlib.sha256(f"{_columns(source)} {count} {total}".encode()).hexdigest()


def modality(source: SourceSettings) -> str:
    return rows.modality(_rows(source), _columns(source), _named(source))


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """One item a row, known by its content or its key; a series where rows are points of time."""
    table = _rows(source)
    if not divided_inside(find("aigc_models.modalities", modality)):
        table = _keyed(table, source)
    yield from rows.items(table, _columns(source), _named(source), modality)


def _named(source: SourceSettings) -> SourceSettings:
    """The same under a location that names the database alone: items and messages are named after it."""
    url = _url(source)
    return source.model_copy(update={"location": f"{url.get_backend_name()}://{Path(url.database or 'database').name}"})


def _keyed(table: Iterator[rows.Row], source: SourceSettings) -> Iterator[rows.Row]:
    key = options(source, Options).key
    if key and key not in _columns(source):
        raise BadInput(f"the query gives no column {key!r} (for key); it gives: {', '.join(_columns(source))}")
    for row in table:
        yield {**row, rows.NAME: str(row[key]) if key else _digest(row).hex()[:16]}


def _digest(row: rows.Row) -> bytes:
    text = json.dumps(list(row.items()), ensure_ascii=False, default=lambda cell: f"{type(cell).__name__} {cell!r}")
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _columns(source: SourceSettings) -> list[str]:
    query = _query(source)
    with _connection(source) as connection:
        return _unique(_asked(connection, f"select * from (\n{query}\n) aigc_rows where 1 = 0"))


def _unique(result: CursorResult[Any]) -> list[str]:
    names = list(result.keys())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BadInput(f"the query gives more than one column {twice[0]!r}; name each by its own `as`")
    return names


def _rows(source: SourceSettings) -> Iterator[rows.Row]:
    """A server-side cursor where the database has one: only `BATCH` rows are held at a time."""
    query, count = _query(source), len(_columns(source))
    if not _ordered(query):
        query = f"select * from (\n{query}\n) aigc_rows order by {', '.join(str(at + 1) for at in range(count))}"
    with _connection(source) as connection:
        result = _asked(connection, query)
        names = _unique(result)
        for row in result:
            yield dict(zip(names, map(_plain, row), strict=True))


def _plain(cell: Any) -> Any:
    if isinstance(cell, memoryview):
        return bytes(cell)
    return json.dumps(cell, ensure_ascii=False, sort_keys=True) if isinstance(cell, (dict, list)) else cell


def _asked(connection: Connection, query: str) -> CursorResult[Any]:
    """The text goes to the driver as it stands: no `:name` and no `%` in it is a parameter."""
    return connection.execution_options(yield_per=BATCH, no_parameters=True).exec_driver_sql(query)


def _query(source: SourceSettings) -> str:
    """The one SELECT without what ends it; raises `BadInput` for anything else."""
    query = options(source, Options).query.strip().rstrip(";").rstrip()
    bare = _bare(query)
    if not _SELECT.match(bare):
        raise BadInput(f"the query is not a SELECT: {query[:60]!r}; a source may only read")
    if ";" in bare:
        raise BadInput("the query holds more than one statement; give one SELECT")
    return query


def _bare(query: str) -> str:
    """Without quoted texts and comments, of which no word counts.

    >>> _bare("select 'a;b' -- all;").split()
    ['select']
    """
    return _ASIDE.sub(" ", query)


def _ordered(query: str) -> bool:
    """Whether the query itself, and not only a part in brackets, says an order.

    >>> _ordered("select a from t order by a"), _ordered("select a from (select a from t order by a) q")
    (True, False)
    """
    bare, inner = _bare(query), re.compile(r"\([^()]*\)")
    while inner.search(bare):
        bare = inner.sub(" ", bare)
    return re.search(r"\border\s+by\b", bare, re.IGNORECASE) is not None


def _url(source: SourceSettings) -> URL:
    """Raises `BadInput` for what is no URL, or one that holds a password; the message never repeats it."""
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        url = make_url(source.location)
    except (ArgumentError, ValueError) as error:
        raise BadInput("the location is not a URL of SQLAlchemy, such as postgresql+psycopg://user@host/database") from error
    if url.password:
        raise BadInput("a password does not belong into the location; give it with PGPASSWORD or ~/.pgpass")
    if url.get_backend_name() == "sqlite" and not Path(url.database or "").is_file():
        raise BadInput(f"sqlite: there is no file {url.database or '(none named)'}; write sqlite:///PATH")
    return url


@contextmanager
def _connection(source: SourceSettings) -> Iterator[Connection]:
    """A connection that may only read; raises `BadInput` for all that goes wrong with it, in words."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import NoSuchModuleError, SQLAlchemyError
    from sqlalchemy.pool import NullPool

    url = _url(source)
    try:
        engine = create_engine(url, poolclass=NullPool)
        with _connected(engine).execution_options(**_read_only(url)) as connection:
            if url.get_backend_name() == "sqlite":
                connection.exec_driver_sql("pragma query_only = on")
            yield connection
    except (NoSuchModuleError, ImportError) as error:
        advice = DRIVERS.get(url.get_backend_name(), "install the driver of that database")
        raise BadInput(f"no driver for {url.drivername}://: {error}; {advice}") from error
    except SQLAlchemyError as error:
        raise BadInput(f"{description(source)}: {_message(error)}") from error
    except Unreachable as error:
        raise BadInput(f"{description(source)}: {error}") from error


def _connected(engine: Engine) -> Connection:
    """Raises `Unreachable` where the database does not answer."""
    from sqlalchemy.exc import OperationalError

    try:
        return engine.connect()
    except OperationalError as error:
        raise Unreachable(_message(error)) from error


def _read_only(url: URL) -> Mapping[str, Any]:
    return {"postgresql_readonly": True} if url.get_backend_name() == "postgresql" else {}


def _message(error: Exception) -> str:
    """The database's own first words; a hint where a column has no order."""
    words = re.split(r" LINE \d+:", " ".join(str(getattr(error, "orig", None) or error).split()))[0][:300]
    hint = "; give the query an `order by` of its own, or cast that column to text" if "ordering operator" in words else ""
    return f"the database refuses: {words}{hint}"
