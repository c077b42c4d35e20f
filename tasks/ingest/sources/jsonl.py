"""A file with one JSON object a line; one item a line."""

from __future__ import annotations

import json
from collections.abc import Iterator

from aigc_models.errors import BadInput
from tasks.ingest.readers import charset, nested, rows
from tasks.ingest.readers.held import Held
from tasks.ingest.readers.table_file import TableFile
from tasks.ingest.source import SourceSettings

TABLES = (".jsonl", ".ndjson")


def table(source: SourceSettings, file: Held) -> tuple[Iterator[rows.Row], list[str]]:
    """The rows and the columns of a file."""
    return _rows(file), _columns(file)


_FILE = TableFile(TABLES, table)
accepts, fingerprint, modality, read = _FILE.accepts, _FILE.fingerprint, _FILE.modality, _FILE.read


def _rows(path: Held) -> Iterator[rows.Row]:
    """Bytes of no certain encoding are carried as surrogates, so that cleaning sees the very bytes."""
    encoding = charset.of_file(path)
    with path.open(encoding=encoding, errors=charset.errors(encoding)) as handle:
        for line in handle:
            if line.strip():
                yield _row(line)


def _row(line: str) -> rows.Row:
    try:
        return nested.row(json.loads(line, parse_int=nested.whole))
    except json.JSONDecodeError as error:
        return {rows.PROBLEM: f"not JSON: {error.msg} at character {error.pos + 1}"}
    except RecursionError:
        return {rows.PROBLEM: "not JSON that can be read: values are too deep inside each other"}
    except nested.Huge as error:
        return {
            rows.PROBLEM: f"not JSON that can be read: a number of {len(str(error)):,} digits; the limit is {nested.DIGITS:,}"
        }


def _columns(path: Held) -> list[str]:
    """The keys of all rows, in the order in which they first come."""
    columns = {key: None for row in _rows(path) for key in row if key != rows.PROBLEM}
    if not columns:
        raise BadInput(f"{path.name} holds no JSON object; one object a line is expected")
    return list(columns)
