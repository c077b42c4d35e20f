from __future__ import annotations

import csv
from functools import partial

from tasks.ingest.readers.quoting import Lines, Rows


def parsed(text: str, delimiter: str) -> Rows:
    reader = partial(csv.reader, delimiter=delimiter)
    return Rows(Lines(text.splitlines(keepends=True)), reader, delimiter, '"')


def test_rows_that_a_mark_would_swallow_are_read_without_quotes() -> None:
    rows = parsed('a\tb\nx\t"one\ny\ttwo\nz\tthree"\nw\t4\n', "\t")
    assert list(rows) == [["a", "b"], ["x", '"one'], ["y", "two"], ["z", 'three"'], ["w", "4"]]
    assert rows.strays == [2]


def test_a_mark_that_never_closes() -> None:
    rows = parsed('a,b\nx,"one\ny,two\n', ",")
    assert list(rows) == [["a", "b"], ["x", '"one'], ["y", "two"]]


def test_what_is_quoted_well_stays_one_cell() -> None:
    rows = parsed('a,b\nx,"one, two\n\nthree, four"\n', ",")
    assert list(rows)[1] == ["x", "one, two\n\nthree, four"]
    assert rows.strays == []
