"""Tunes and histories through ingesting, cleaning, comparing and dividing."""

from __future__ import annotations

import io
import json
from pathlib import Path

import mido
import numpy as np
import pytest
from pyarrow import parquet

from aigc_models.modalities import events
from flows.config import DataConfig
from flows.order import Order
from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.datasets import remember
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings, modality
from tasks.split.split import SplitSettings, split
from tasks.stage.references import DuplicatesRef, SplitRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext


def prepared(workspace: Workspace, source: SourceSettings) -> tuple[DuplicatesRef, SplitRef]:
    def context(name: str) -> StageContext:
        (workspace.stages / name).mkdir(parents=True, exist_ok=True)
        return StageContext(workspace.stages / name, workspace)

    cleaned = clean.plain(ingest.plain(source, context("ingest")), CleanSettings(), context("clean"))
    found = deduplicate.plain(cleaned, DeduplicateSettings(), context("deduplicate"))
    return found, split.plain(cleaned, found, SplitSettings(validation=0.2, test=0.2), context("split"))


def midi(seed: int, up: int = 0) -> bytes:
    track = mido.MidiTrack()
    for pitch in np.random.default_rng(seed).integers(50, 80, 60).tolist():
        track.append(mido.Message("note_on", note=pitch + up, velocity=80))
        track.append(mido.Message("note_off", note=pitch + up, time=(1 + pitch % 3) * 24))
    file, held = mido.MidiFile(ticks_per_beat=96), io.BytesIO()
    file.tracks.append(track)
    file.save(file=held)
    return held.getvalue()


def quarantine(workspace: Workspace, name: str) -> dict[str, str]:
    rows = parquet.read_table(workspace.data / name / "quarantine.parquet").to_pylist()
    return {row["source"]: f"{row['rule']}: {row['reason']}" for row in rows}


def test_a_folder_of_tunes_with_copies_and_damage(tmp_path: Path) -> None:
    folder, workspace = tmp_path / "tunes", Workspace(tmp_path / "workspace").create()
    folder.mkdir()
    for at in range(40):
        (folder / f"{at:02}.mid").write_bytes(midi(at))
    (folder / "copy.mid").write_bytes(midi(3))
    (folder / "higher.mid").write_bytes(midi(5, up=2))
    (folder / "cut.mid").write_bytes(midi(6)[:80])
    (folder / "text.mid").write_text("no tune at all")
    (folder / "book.abc").write_text("X:1\nK:C\nCDEF GABc\n\nX:2\nK:C\nCD#E\n\nX:3\nK:G\nGABc d2B2\n")
    source = SourceSettings(name="tunes", location=str(folder))
    assert modality(source) == "events"
    found, divided = prepared(workspace, source)
    assert (found.exact, found.groups, found.grouped) == (1, 1, 2)
    assert divided.rows == 43
    told = quarantine(workspace, "tunes")
    assert told.keys() == {"copy.mid", "cut.mid", "text.mid", "book.abc#2"}
    assert "cut off" in told["cut.mid"]
    assert "does not begin with MThd" in told["text.mid"]
    assert "line 3 of book.abc" in told["book.abc#2"]
    card = json.loads((workspace.data / "tunes" / "card.json").read_text())
    assert card["format"]["kind"] == "notes"


def test_a_history_that_went_on_takes_the_place_of_the_earlier_one(tmp_path: Path) -> None:
    workspace, table = Workspace(tmp_path / "workspace").create(), tmp_path / "films.csv"
    films = np.random.default_rng(0).integers(0, 500, 600)
    rows = [f"user{at % 40},film{film},{at}" for at, film in enumerate(films)]
    source = SourceSettings(name="films", location=str(table), modality="events", group="user", content="film", time="when")
    table.write_text("\n".join(["user,film,when", *rows]) + "\n")
    _, before = prepared(workspace, source)
    table.write_text("\n".join(["user,film,when", *rows, "user7,film1,1000"]) + "\n")
    found, after = prepared(workspace, source)
    assert (before.rows, after.rows, found.superseded) == (40, 40, 0)
    clean_rows = [
        row for path in (workspace.data / "films/clean").glob("*.parquet") for row in parquet.read_table(path).to_pylist()
    ]
    placed = parquet.read_table(workspace.data / "films" / "splits.parquet").to_pylist()
    newest = max((row for row in clean_rows if row.get("group") == "user7"), key=lambda row: len(row["content"]))
    assert newest["id"] in {row["id"] for row in placed}
    assert events.unpack(newest["content"]).values.tolist()[-1] == "film1"


def test_tunes_are_learnt_by_the_preset_of_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    (tmp_path / "a.abc").write_text("X:1\nK:C\nCDE\n")
    remember(Workspace(tmp_path), DataConfig(source=SourceSettings(name="tunes", location=str(tmp_path / "a.abc"))))
    (run,) = Order(data="tunes").config.runs
    assert [member.family for member in run.training.members] == ["rnn", "transformer", "cache"]
    assert run.evaluation.primary in ("", "bits_per_event")
