"""Batches of Arrow as rows of a table; parquet and Arrow files give them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aigc_models.errors import BadInput
from tasks.readers.rows import Row

if TYPE_CHECKING:
    import pyarrow

ROWS = 1000  # turned into Python's values at once, at most
BYTES = 16_000_000  # of these
FEW = 8  # rows of which it is seen how large rows are


def rows(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[Row]:
    """Each row as a dict; batches are checked first, since an offset of a damaged one may lead anywhere."""
    at_once = FEW
    for batch in batches:
        batch.validate(full=True)
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, at_once).to_pylist()
            yield from part
            start += len(part)
            at_once = max(1, min(ROWS, 2 * at_once, BYTES * len(part) // (1 + sum(map(_size, part)))))


def _size(row: Row) -> int:
    """About how many bytes its texts take, also those in an object, as of a picture."""
    lengths = (_size(value) if isinstance(value, dict) else len(value) for value in row.values() if hasattr(value, "__len__"))
    return sum(lengths)


@contextmanager
def reading(file: str, kind: str) -> Iterator[None]:
    """Raise `BadInput` that names the file for what Arrow cannot read."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        said = str(error).strip().split("\n")[0].split(". ")[0].rstrip(".")
        raise BadInput(f"{file} is not {kind}, or a damaged one: {said}") from error
    except OverflowError as error:
        raise BadInput(f"{file} holds a date that is in no calendar: {error}; mend or leave out its column") from error
