"""Clips as pictures."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from aigc_models.errors import BadInput, no_content
from tasks.ingest import source
from tasks.ingest.source import RawItem, SourceSettings
from tasks.split.place import place
from tasks.split.rows import Row
from tasks.split.settings import SplitSettings

av = pytest.importorskip("av")


def clip(path: Path, shade: int = 100, count: int = 20) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 32, 32, "yuv420p"
        for number in range(count):
            pixels = np.full((32, 32, 3), shade + number, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, "rgb24")))
        container.mux(stream.encode())
    return path


def of(path: Path, **fields: object) -> SourceSettings:
    return SourceSettings.model_validate({"name": "a", "location": str(path), **fields})


def items(path: Path, **fields: object) -> list[RawItem]:
    settings = of(path, **fields)
    return list(source.read(settings, source.modality(settings)))


def test_a_folder_of_clips_with_labels_and_groups(tmp_path: Path) -> None:
    clip(tmp_path / "cats/a.mp4")
    clip(tmp_path / "dogs/a.mkv", 50)
    (tmp_path / "README.md").write_text("notes")
    raw_items = items(tmp_path)
    assert source.modality(of(tmp_path)) == "image"
    assert [(item.source, item.label, item.group) for item in raw_items] == [
        ("cats/a.mp4#1", "cats", "cats/a.mp4"),
        ("cats/a.mp4#11", "cats", "cats/a.mp4"),
        ("dogs/a.mkv#1", "dogs", "dogs/a.mkv"),
        ("dogs/a.mkv#11", "dogs", "dogs/a.mkv"),
    ]
    assert raw_items[1].name == "a.mp4 at 1.00 s"


def test_a_frame_is_the_same_item_however_many_are_taken(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    few, many = items(path), items(path, options={"every": "0.5s"})
    assert {item.id for item in few} < {item.id for item in many}
    assert len(items(path, options={"frames": "3"})) == 3


def test_frames_of_a_clip_never_cross_splits(tmp_path: Path) -> None:
    for at in range(40):
        clip(tmp_path / f"{at:02}.mp4", 5 * at, 3)
    raw_items = items(tmp_path, options={"every": "0.1s"})
    rows = [Row(item.id, item.source, None, item.group, None, None, item.id, (), None, None) for item in raw_items]
    stand: dict[str | None, set[str | None]] = {}
    for one in place(rows, SplitSettings()):
        stand.setdefault(one.row.group, set()).add(one.split)
    assert {len(splits) for splits in stand.values()} == {1}
    assert set().union(*stand.values()) == {"train", "validation", "test"}


def test_a_damaged_clip_among_others_is_told_and_the_rest_read(tmp_path: Path) -> None:
    clip(tmp_path / "a.mp4")
    (tmp_path / "b.mp4").write_bytes(b"nothing")
    *good, bad = items(tmp_path)
    assert len(good) == 2
    assert bad.payload == b""
    assert bad.source == "b.mp4#1"
    assert str(no_content(bad.name)).startswith("is no video that can be read")


def test_splits_by_folder(tmp_path: Path) -> None:
    clip(tmp_path / "train/a.mp4")
    clip(tmp_path / "test/b.mp4")
    assert {(item.split, item.label) for item in items(tmp_path, split="folder")} == {("train", None), ("test", None)}


def test_clips_that_are_there_already_are_not_opened(tmp_path: Path) -> None:
    clip(tmp_path / "a.mp4")
    clip(tmp_path / "b.mp4", 50)
    assert {item.group for item in source.read(of(tmp_path), "image", {"a.mp4"})} == {"b.mp4"}


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    clip(tmp_path / "a.mp4")
    before = source.content_digest(of(tmp_path))
    clip(tmp_path / "b.mp4")
    assert source.content_digest(of(tmp_path)) != before


def test_pictures_beside_clips_are_not_swallowed(tmp_path: Path) -> None:
    clip(tmp_path / "a.mp4")
    (tmp_path / "b.png").write_bytes(b"")
    with pytest.raises(BadInput, match="mixed kinds"):
        source.modality(of(tmp_path))


def test_other_modalities_and_a_missing_library_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip(tmp_path / "a.mp4")
    with pytest.raises(BadInput, match="is video, which is read as pictures"):
        items(path, modality="audio")
    with pytest.raises(BadInput, match="often"):
        items(path, options={"every": "often"})
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(BadInput, match=r"pip install 'aigc-foundry\[video\]'"):
        items(path)
