"""Rows of Arrow come in order whatever their size; large ones a few at a time."""

from __future__ import annotations

from pathlib import Path

import pyarrow
import pytest

from aigc_models.errors import BadInput
from tasks.ingest.readers import batches


@pytest.mark.parametrize("sizes", [[3] * 5000, [5_000_000, 1, 5_000_000, 2, 9_000_000] * 2])
def test_all_rows_come_in_order(sizes: list[int]) -> None:
    table = pyarrow.table({"text": [f"{at}:" + "x" * size for at, size in enumerate(sizes)]})
    texts = [row["text"] for row in batches.rows(table.to_batches(max_chunksize=700))]
    assert [(int(text.partition(":")[0]), len(text.partition(":")[2])) for text in texts] == list(enumerate(sizes))


def test_a_date_beyond_all_calendars_is_told(tmp_path: Path) -> None:
    batch = pyarrow.record_batch({"date": pyarrow.array([2**62], pyarrow.timestamp("s"))})
    with pytest.raises(BadInput, match=r"t\.arrow holds a date that is in no calendar"), batches.reading("t.arrow", "a table"):
        list(batches.rows([batch]))
