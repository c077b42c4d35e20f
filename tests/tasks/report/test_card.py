from tasks.report.card import facts, funnel, labels
from tasks.report.contents import DatasetReport


def test_the_funnel_adds_up(digits: DatasetReport) -> None:
    steps = {step.name: step.count for step in funnel(digits)}
    assert steps == {
        "came in": 1806,
        "clean": -12,
        "duplicate": -6,
        "bridge": -1,
        "kept": 1787,
        "train": 1431,
        "validation": 178,
        "test": 178,
    }


def test_single_values_come_in_groups() -> None:
    card = {
        "licence": "CC0-1.0",
        "source": "",
        "columns": ["a", 2],
        "counts": {"raw": 1787, "rejected": {"too_large": 1}, "unseen": {}},
        "diversity": {"entropy": 3.25, "sorted": True},
        "splits": {"train": {"rows": 4}},
        "nothing": {},
    }
    assert facts(card) == {
        "about": {"licence": "CC0-1.0", "source": "–", "columns": "a, 2"},
        "counts": {"raw": "1,787", "rejected": "too large: 1", "unseen": "none"},
        "diversity": {"entropy": "3.25", "sorted": "yes"},
    }


def test_labels_stand_by_split_with_those_that_have_none() -> None:
    splits = {"train": {"labels": {"cat": 8, "dog": 3}, "unlabelled": 2}, "test": {"labels": {"cat": 1}, "unlabelled": 0}}
    assert labels({"splits": splits}) == {"cat": {"train": 8, "test": 1}, "dog": {"train": 3}, "(no label)": {"train": 2}}


def test_a_card_without_splits_has_no_labels() -> None:
    assert labels({"name": "digits"}) == {}
