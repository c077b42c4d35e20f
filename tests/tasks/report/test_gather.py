import json
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from aigc_models.modalities import events
from aigc_models.modalities.events.events import notes
from tasks.report.gather import HEARD, curve, discarded, examples, measurements, metrics, samples


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """Six texts of two labels, one of them not in the splits, and a quarantine of three rows."""
    rows = [
        {"id": str(place), "label": "b" if place < 4 else "a", "source": f"{place}.txt", "content": f"text <{place}>".encode()}
        for place in range(6)
    ]
    (tmp_path / "clean").mkdir()
    parquet.write_table(pa.Table.from_pylist(rows), tmp_path / "clean" / "00000-abc.parquet")
    parquet.write_table(pa.Table.from_pylist([{"id": "x"}]), tmp_path / "clean" / "00000-abc.rejected.parquet")
    parquet.write_table(pa.Table.from_pylist([{"id": str(place)} for place in range(1, 6)]), tmp_path / "splits.parquet")
    thrown = [
        {"stage": "clean", "rule": "too_long", "source": f"{place}.txt", "reason": f"{place} bytes"} for place in range(2)
    ] + [{"stage": "duplicate", "rule": "exact", "source": "9.txt", "reason": "as 1.txt"}]
    parquet.write_table(pa.Table.from_pylist(thrown), tmp_path / "quarantine.parquet")
    return tmp_path


def test_what_was_thrown_away_is_grouped_by_rule(dataset: Path) -> None:
    long, exact = discarded(dataset / "quarantine.parquet", examples=1)
    assert (long.rule, long.stage, long.count, [row.reason for row in long.examples]) == ("too_long", "clean", 2, ["0 bytes"])
    assert (exact.rule, exact.stage, exact.count) == ("exact", "duplicate", 1)


def test_examples_take_turns_over_labels_and_stand_in_a_split(dataset: Path) -> None:
    items = examples(dataset, "text", count=4)
    assert [(item.label, item.note) for item in items] == [("a", "4.txt"), ("b", "1.txt"), ("a", "5.txt"), ("b", "2.txt")]
    assert "text &lt;4&gt;" in items[0].html


@pytest.fixture
def evaluation(tmp_path: Path) -> Path:
    """What an evaluation leaves: figures of two candidates, and one sample."""
    gain = {"value": -0.5, "low": -0.6, "high": -0.4}
    figures = {"value": 1.5, "low": 1.4, "high": 1.6, "unit": "bits per byte", "better": "lower"}
    summary = {
        **figures,
        "baseline": 2.0,
        "best_member": None,
        "split": "test",
        "versus": {"baseline": gain},
        "best_member_name": None,
    }
    files = {
        "metrics.json": {"bits_per_byte": summary},
        "candidates.json": {"ensemble": {"bits_per_byte": figures}, "baseline": {"bits_per_byte": {**figures, "value": 2.0}}},
        "samples/samples.json": [{"file": "000.txt", "label": "rich", "seed": 20_000}],
    }
    (tmp_path / "evaluation" / "samples").mkdir(parents=True)
    for name, value in files.items():
        (tmp_path / "evaluation" / name).write_text(json.dumps(value))
    (tmp_path / "evaluation" / "samples" / "000.txt").write_text("a <b> sample")
    return tmp_path / "evaluation"


def test_figures_come_in_the_fixed_form_and_with_their_differences(evaluation: Path) -> None:
    metric = metrics(evaluation)["bits_per_byte"]
    assert (metric.value, metric.baseline, metric.best_member) == (1.5, 2.0, None)
    by_candidate = measurements(evaluation)["bits_per_byte"]
    assert by_candidate["ensemble"].versus["baseline"].high == -0.4
    assert (by_candidate["baseline"].value, by_candidate["baseline"].versus) == (2.0, {})


def test_samples_are_copied_beside_the_page_and_shown(evaluation: Path, tmp_path: Path) -> None:
    (item,) = samples(evaluation, "text", tmp_path / "outputs", "docstrings")
    assert (item.label, item.note, item.path) == ("rich", "seed 20000", "samples/docstrings/000.txt")
    assert "a &lt;b&gt; sample" in item.html
    assert (tmp_path / "outputs" / item.path).read_text() == "a <b> sample"


def test_a_plain_model_has_no_curve(tmp_path: Path) -> None:
    assert curve(tmp_path / "bundle") == ()
    (tmp_path / "curve.json").write_text('[{"step": 1, "loss.model": 0.5}]')
    assert curve(tmp_path / "bundle") == ({"step": 1, "loss.model": 0.5},)


def test_tunes_are_written_as_sound_beside_the_page(tmp_path: Path) -> None:
    folder = tmp_path / "evaluation" / "samples"
    folder.mkdir(parents=True)
    for at in range(HEARD + 1):
        events.write(notes([0, 1], [60, 62 + at], [1, 1], [0, 0]), folder / f"{at:03d}")
    entries = [{"file": f"{at:03d}.events", "label": None, "seed": at} for at in range(HEARD + 1)]
    (folder / "samples.json").write_text(json.dumps(entries))
    shown = samples(folder.parent, "events", tmp_path / "outputs", "jigs")
    assert shown[0].renderings == {suffix: f"samples/jigs/000{suffix}" for suffix in (".mid", ".abc", ".wav")}
    assert (tmp_path / "outputs" / shown[0].renderings[".wav"]).read_bytes()[:4] == b"RIFF"
    assert shown[-1].renderings == {}
