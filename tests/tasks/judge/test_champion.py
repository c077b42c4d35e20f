"""The champion beside a challenger: whether it fits the data, and which items both knew."""

import json

import pytest

from tasks.judge.champion import ChampionRef, items_of, measured, paired, shared_counts
from tasks.stage.references import CorpusRef

FORMAT = {"length": 80, "scale": (1.0, 2.0)}
OLD = {"train": ["a", "b"], "validation": ["c"], "test": ["d", "e"]}
GROWN = {"train": ["a", "b", "f"], "validation": ["c"], "test": ["d", "e", "g"]}


def champion(**changes):
    fields = {"modality": "text", "labels": ("x", "y"), "format": FORMAT, **changes}
    return ChampionRef(outputs=("b",), sha256="", model="notes", version=3, **fields)


def corpus(**changes):
    fields = {"modality": "text", "labels": ("x", "y"), "format": json.loads(json.dumps(FORMAT)), **changes}
    return CorpusRef(outputs=("c",), sha256="", dataset="notes", version="1", splits={}, **fields)


def test_a_champion_that_fits_has_no_misfit():
    assert champion().misfit(corpus()) == ""


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (corpus(labels=("x", "z")), "labels are others than those of version 3 (new: z; gone: y)"),
        (corpus(labels=("y", "x")), "in another order"),
        (corpus(format={"length": 90, "scale": [1.0, 2.0]}), "format is another than that of version 3 (length)"),
        (corpus(modality="image"), "version 3 makes text, the data are image"),
    ],
)
def test_one_that_does_not_fit_says_why(data, words):
    assert words in champion().misfit(data)


def test_the_first_items_of_grown_data_are_those_that_were_known():
    record = items_of(OLD)
    assert len(record) < 500
    assert shared_counts(record, GROWN) == {"train": 2, "validation": 1, "test": 2}
    assert shared_counts(record, OLD) == {"train": 2, "validation": 1, "test": 2}


def test_items_that_moved_or_were_never_told_are_not_taken_for_known():
    assert shared_counts(items_of(OLD), {**GROWN, "test": ["g", "d", "e"]}) is None
    assert shared_counts(items_of(OLD), {"train": ["a"]}) is None
    assert shared_counts("", GROWN) is None


def test_an_evaluation_says_how_it_met_the_champion(tmp_path):
    metrics = {
        "loss": {"value": 1.0, "champion": 1.2, "versus": {"champion": {"value": -0.2, "low": -0.3, "high": -0.1}}},
        "apart": {"value": 2.0},
    }
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    (tmp_path / "champion.json").write_text(json.dumps({"version": 3, "misfit": "", "items": 9, "known": 5}))
    assert paired(tmp_path)["loss"] == {"value": 1.0, "champion": 1.2, "difference": -0.2, "low": -0.3, "high": -0.1}
    assert paired(tmp_path)["apart"]["champion"] is None
    assert measured(tmp_path, 3, {"loss": 1.1}).items == 9
    assert measured(tmp_path, 4, {"loss": 1.1}).items == 0, "it met another champion"
