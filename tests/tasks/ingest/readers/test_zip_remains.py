"""Zip archives that were cut off, so that their table of contents is missing."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from tasks.ingest.readers import zips
from tasks.ingest.readers.packed import Budget, Packed


def entries(path: Path) -> list[Packed]:
    return list(zips.walk(path, lambda number, name: 1_000_000, Budget(path, 10**9, 200)))


class Stream(io.BytesIO):
    """One that a zip archive is written to without going back, so that sizes stand behind the files."""

    def seekable(self) -> bool:
        return False

    def tell(self) -> int:
        raise io.UnsupportedOperation


@pytest.mark.parametrize("stored", [True, False])
@pytest.mark.parametrize("streamed", [True, False])
@pytest.mark.parametrize("share", [0.4, 0.97])
def test_of_a_zip_that_was_cut_off_the_rest_is_read(tmp_path: Path, stored: bool, streamed: bool, share: float) -> None:
    noise, file = random.Random(0), Stream() if streamed else io.BytesIO()
    content = {f"{number}.png": noise.randbytes(2_000) * 2 for number in range(60)}
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED) as zipped:
        for name, payload in ({"dir/": b""} | content).items():
            zipped.writestr(name, payload)
    (tmp_path / "a.zip").write_bytes(file.getvalue()[: int(len(file.getvalue()) * share)])
    if stored and streamed:
        with pytest.raises(BadInput, match="damaged from its start"):  # nothing says where a file ends
            entries(tmp_path / "a.zip")
        return
    remains = entries(tmp_path / "a.zip")
    whole = [entry for entry in remains if entry.payload]
    assert [(entry.name, entry.payload) for entry in whole] == list(content.items())[: len(whole)]
    assert len(whole) >= int(60 * share) - 1
    assert (remains[-1].name, remains[-1].payload) == ("", b"")
    assert "damaged at or after" in remains[-1].problem
