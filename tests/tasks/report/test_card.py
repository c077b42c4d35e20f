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


def test_what_is_divided_by_time_is_counted_in_steps(digits: DatasetReport) -> None:
    fixed = {"rows": 1, "modality": "series", "splits": {"train": 1600, "validation": 228, "test": 456}}
    dataset = digits.result.dataset.model_copy(update=fixed)
    result = digits.result.model_copy(update={"dataset": dataset})
    card = {"unit": "steps", "borders": {"test": 7e8}, "divided": {"test_from": "1993-04-10"}}
    part = digits.model_copy(update={"result": result, "discarded": (), "card": card})
    steps = funnel(part)
    assert [(step.name, step.count, step.of) for step in steps] == [
        ("came in", 1, 1),
        ("kept", 1, 1),
        ("train", 1600, 2284),
        ("validation", 228, 2284),
        ("test", 456, 2284),
    ]
    assert (steps[0].note, steps[2].note) == ("series read from the source", "steps")
    assert "borders" not in facts(card)


def test_spreads_read_as_from_to_with_the_median() -> None:
    card = {"diversity": {"seconds": [0.512, 0.512, 0.512], "level_db": [-32.7, -22.9, -15.6], "span": ["1958", "1988"]}}
    assert facts(card)["diversity"] == {
        "seconds": "0.512",
        "level db": "-32.7 to -15.6, median -22.9",
        "span": "1958, 1988",
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
