"""Drift between two versions: nothing where nothing moved, and what was planted is found and named."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow
import pyarrow.parquet as parquet
import pytest

from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.modalities.audio import Sound
from aigc_models.modalities.series import Series
from tasks.drift import drift as module
from tasks.drift.drift import Drift, DriftSettings, drift, usual_before
from tasks.stage.settings import Workspace

WORDS = ["profit", "sales", "rose", "fell", "quarter", "net", "company", "bank", "market", "share", "year", "period"]
GERMAN = ["gewinn", "umsatz", "stieg", "fiel", "quartal", "netto", "firma", "bank", "markt", "anteil", "jahr"]


def texts(count: int, seed: int, words: Sequence[str] = WORDS) -> list[str]:
    random = np.random.default_rng(seed)
    return [" ".join(random.choice(words, 12)) for _ in range(count)]


def pictures(count: int, seed: int, brighter: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [(random.integers(0, 120, (8, 8, 1)) + brighter).astype(np.uint8) for _ in range(count)]


def sounds(count: int, seed: int, gain: float = 0.1) -> list[Sound]:
    random = np.random.default_rng(seed)
    waves = random.normal(0, 1, (count, 1, 400)) * random.uniform(0.5, 1, (count, 1, 1)) * gain
    return [Sound(wave.clip(-1, 1).astype(np.float32), 8_000) for wave in waves]


def series(steps: int, seed: int, level: float = 50.0) -> Series:
    random = np.random.default_rng(seed)
    return Series(level + np.sin(np.arange(steps) / 4)[None] + random.normal(0, 1, (1, steps)), ("load",), 0.0, "1h")


@pytest.fixture
def versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """`versions("image", a=(pictures, labels), b=...)`: versions by name as the cache would hold them, on the disk."""
    paths: dict[str, dict[str, Path]] = {}

    def named(workspace: Workspace, name: str, wanted: str = "") -> SimpleNamespace:
        if wanted and wanted not in paths:
            raise BadInput(f"no version {wanted}")
        return SimpleNamespace(dataset=name, version=wanted or list(paths)[-1])

    def make(modality: str, **held: tuple[Sequence[Any], Sequence[str | None]]) -> None:
        for name, (contents, labels) in held.items():
            paths[name] = write_version(tmp_path / name, modality, contents, labels)

    monkeypatch.setattr(module, "find_version", named)
    monkeypatch.setattr(module, "present", lambda workspace, version: paths[version.version])
    monkeypatch.setattr(module, "ledger", lambda workspace, name: [SimpleNamespace(version=key) for key in paths])
    return make


def write_version(folder: Path, modality: str, contents: Sequence[Any], labels: Sequence[str | None]) -> dict[str, Path]:
    plugin = find("aigc_models.modalities", modality)
    exact = [plugin.fingerprint(content).exact for content in contents]
    ids = [digest[:24] for digest in exact]
    packed = [plugin.pack(content) for content in contents]
    (folder / "clean").mkdir(parents=True)
    kinds = {"id": pyarrow.string(), "label": pyarrow.string(), "exact": pyarrow.string(), "content": pyarrow.binary()}
    columns = {"id": ids, "label": list(labels), "exact": exact, "content": packed}
    files = {"clean/0.parquet": pyarrow.table(columns, schema=pyarrow.schema(kinds.items()))}
    places = {"id": ids, "split": ["train"] * len(ids), "group": exact}
    files["splits.parquet"] = pyarrow.table(places)
    for name, table in files.items():
        parquet.write_table(table, folder / name)
    format = plugin.choose_format(list(contents)).model_dump()
    (folder / "card.json").write_text(json.dumps({"modality": modality, "format": format}))
    return {name: folder / name for name in (*files, "card.json")}


def measured(before: str = "a", after: str = "b", **settings: Any) -> Drift:
    return drift(Workspace(Path("nowhere")), "set", before, after, DriftSettings(**settings))


def test_random_halves_and_the_same_version_have_not_moved(versions):
    versions("image", a=(pictures(300, 0), "xyz" * 100), b=(pictures(300, 1), "xyz" * 100))
    for measurement in (measured(), measured("a", "a")):
        assert measurement.score is not None
        assert measurement.score < 0.03
        assert not measurement.drifted
        assert measurement.moved == ()
    assert measured("a", "a").new is None
    assert measured("a", "a").counts == (300, 300, 300)
    assert measured().model_dump_json() == measured().model_dump_json()


def test_brighter_pictures_are_found_and_named(versions):
    versions("image", a=(pictures(200, 0), [None] * 200), b=(pictures(200, 1, brighter=40), [None] * 200))
    measurement = measured()
    assert measurement.drifted
    assert measurement.score > 0.9
    assert "brightness" in measurement.moved
    assert "contrast" not in measurement.moved
    assert measurement.summary == f"drift {measurement.score:.3g} above 0.1"
    assert (measurement.encoder, measurement.classifier.encoder) == ("plain features of image", "plain")


def test_a_few_new_items_of_another_kind_show_by_themselves(versions):
    """In 500 texts 25 of another language move the whole little, and what is new altogether."""
    old = texts(475, 0)
    new = old + texts(25, 1, [word.upper() for word in GERMAN])
    versions("text", a=(old, [None] * 475), b=(new, [None] * 500))
    measurement = measured()
    assert not measurement.drifted
    assert measurement.score <= 0.05
    assert measurement.counts == (475, 500, 475)
    assert measurement.new.items == (475, 25)
    assert measurement.new.score > 0.9
    assert "capital_share" in measurement.new.moved


def test_another_balance_of_labels_is_found(versions):
    old = texts(400, 0)
    labels = ["good" if at % 2 else "bad" for at in range(400)]
    versions("text", a=(old, labels), b=(texts(400, 1), ["good" if at % 10 else "bad" for at in range(400)]))
    measurement = measured()
    label = next(feature for feature in measurement.features if feature.name == "label")
    assert label.moved
    assert (label.test, label.before) == ("chi-squared", {"bad": 0.5, "good": 0.5})
    assert measurement.moved == ("label",)


def test_louder_sounds_are_found_and_named(versions):
    versions("audio", a=(sounds(80, 0), [None] * 80), b=(sounds(80, 1, gain=0.3), [None] * 80))
    measurement = measured()
    assert measurement.drifted
    assert {"level_db", "peak_db"} <= set(measurement.moved)


def test_of_series_pieces_are_compared(versions):
    whole = series(24 * 80, 0)
    risen = Series(np.concatenate([whole.values, series(24 * 40, 1, 58.0).values], axis=1), ("load",), 0.0, "1h")
    versions("series", a=([whole], [None]), b=([risen], [None]))
    measurement = measured()
    assert measurement.pieces
    assert measurement.counts == (80, 120, 80)
    assert measurement.drifted
    assert "mean" in measurement.new.moved
    assert measured("a", "a").score == 0


def test_too_little_is_said_and_not_guessed(versions):
    versions("text", a=(texts(19, 0), [None] * 19), b=(texts(300, 1, GERMAN), [None] * 300))
    measurement = measured()
    assert (measurement.score, measurement.classifier, measurement.features, measurement.drifted) == (None, None, (), False)
    assert "too little to tell" in measurement.summary
    versions("text", c=(texts(300, 0), [None] * 300), d=(texts(300, 0) + texts(5, 1, GERMAN), [None] * 305))
    assert measured("c", "d").new.score is None


def test_large_versions_are_sampled(versions):
    versions("text", a=(texts(400, 0), [None] * 400), b=(texts(400, 0) + texts(400, 1), [None] * 800))
    measurement = measured(items=100)
    assert measurement.items == (100, 100)
    assert measurement.counts == (400, 800, 400)
    assert not measurement.drifted


def test_an_item_that_only_one_encoder_fits(versions):
    versions("text", a=(texts(30, 0), [None] * 30))
    with pytest.raises(BadInput, match="no encoder was trained on set yet"):
        measured("a", "a", encoder="own")


def test_the_versions_that_are_compared_if_none_is_named(versions, monkeypatch):
    workspace = Workspace(Path("nowhere"))
    versions("text", a=(texts(2, 0), [None] * 2))
    with pytest.raises(BadInput, match="one version only"):
        usual_before(workspace, "set")
    versions("text", b=(texts(2, 1), [None] * 2), c=(texts(2, 2), [None] * 2))
    assert usual_before(workspace, "set") == "b"
    monkeypatch.setattr(module, "champion_data", lambda workspace, name, model: "a" if model == "mine" else "")
    assert usual_before(workspace, "set", "mine") == "a"


@pytest.mark.slow
def test_versions_in_the_cache(history):
    measurement = drift(history.workspace, "letters", history.versions[0])
    assert (measurement.before, measurement.after, measurement.counts) == (*history.versions, (60, 80, 60))
    assert not measurement.drifted
    with pytest.raises(BadInput, match="unknown version of letters 'abcdef'"):
        drift(history.workspace, "letters", "abcdef")
