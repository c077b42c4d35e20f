"""Tunes on a grid in a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput, Unreadable
from aigc_models.modalities import events
from tasks.ingest.source import RawItem, SourceSettings, plugin
from tasks.ingest.sources import grids
from tasks.ingest.sources import json as objects

TUNES = {"train": [[[72, 67], [72, 65]], [[60], [62]]], "valid": [[[50, -1], [50, 48]]], "test": [[[40]]]}


def settings(tmp_path: Path, whole: Any, **fields: Any) -> SourceSettings:
    (tmp_path / "tunes.json").write_text(json.dumps(whole))
    return SourceSettings(name="a", location=str(tmp_path / "tunes.json"), **fields)


def items(source: SourceSettings) -> list[RawItem]:
    assert plugin(source) is grids
    return list(grids.read(source, grids.modality(source)))


def test_keys_are_splits_where_the_user_wants_it(tmp_path: Path) -> None:
    raw_items = items(settings(tmp_path, TUNES, split="key"))
    assert [(item.source, item.split) for item in raw_items] == [
        ("tunes.json#train/1", "train"),
        ("tunes.json#train/2", "train"),
        ("tunes.json#valid/1", "validation"),
        ("tunes.json#test/1", "test"),
    ]
    assert {item.split for item in items(settings(tmp_path, TUNES))} == {None}
    with pytest.raises(BadInput, match="the key 'a' is none of train"):
        items(settings(tmp_path, {"a": TUNES["train"]}, split="key"))


def test_a_step_is_a_sixteenth_unless_it_is_said(tmp_path: Path) -> None:
    source = settings(tmp_path, TUNES["train"])
    content = events.read(items(source)[0].payload, "a.json")
    assert content.times.tolist() == [0, 0, 0.25]
    assert content.durations.tolist() == [0.5, 0.25, 0.25]  # a pitch that is held is one note
    other = settings(tmp_path, TUNES["train"], options={"step": "1"})
    assert events.read(items(other)[0].payload, "a.json").times.tolist() == [0, 0, 1]
    assert grids.fingerprint(source) != grids.fingerprint(other)


def test_other_json_is_left_to_the_reader_of_objects(tmp_path: Path) -> None:
    assert plugin(settings(tmp_path, [{"text": "a"}])) is objects
    assert plugin(settings(tmp_path, [[["a"]]])) is objects


def test_what_does_not_fit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--group does not fit"):
        items(settings(tmp_path, TUNES, group="composer"))
    with pytest.raises(BadInput, match="the modality text does not fit"):
        list(grids.read(settings(tmp_path, TUNES), "text"))
    with pytest.raises(BadInput, match="'b' holds no list of tunes"):
        items(settings(tmp_path, {"a": TUNES["train"], "b": 3}))


def test_a_tune_that_is_none_is_an_item_with_a_reason(tmp_path: Path) -> None:
    good, bad = items(settings(tmp_path, [[[60]], [[60], "x"]]))
    assert events.read(good.payload, good.name).values.tolist() == [60]
    with pytest.raises(Unreadable, match="step 2 of the grid is 'x'"):
        events.read(bad.payload, bad.name)
