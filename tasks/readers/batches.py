"""Batches of Arrow as rows of a table; parquet and Arrow files give them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from aigc_models.errors import BadInput
from tasks.readers.rows import Row

if TYPE_CHECKING:
    import pyarrow

ROWS = 1000  # turned into Python's values at once


def rows(batches: Iterable[pyarrow.RecordBatch]) -> Iterator[Row]:
    """Each row as a dict; batches are checked first, since an offset of a damaged one may lead anywhere."""
    for batch in batches:
        batch.validate(full=True)
        for start in range(0, batch.num_rows, ROWS):
            yield from batch.slice(start, ROWS).to_pylist()


@contextmanager
def reading(file: str, kind: str) -> Iterator[None]:
    """Raise `BadInput` that names the file for what Arrow cannot read."""
    import pyarrow

    try:
        yield
    except (pyarrow.ArrowException, OSError, EOFError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno:
            raise
        raise BadInput(f"{file} is not {kind}, or a damaged one: {error}") from error
