import pytest

from aigc_models.find import names
from tasks.report.data_words import RULES, away, balance, diversity, folded, order, rule, share, totals, unseen, way

CARD = {
    "modality": "text",
    "counts": {
        "raw": 110, "rejected": {"too_short": 3}, "clean": 107, "exact_duplicates": 5, "label_conflicts": 2, "bridges": 2,
        "near_duplicate_groups": 4, "near_duplicates": 9, "kept": 100,
    },
    "splits": {
        "test": {"rows": 10, "labels": {"a": 9}, "unlabelled": 1},
        "train": {"rows": 80, "labels": {"a": 40, "b": 40}, "unlabelled": 0},
        "validation": {"rows": 10, "labels": {"a": 5, "b": 5}, "unlabelled": 0},
    },
    "diversity": {"labels": 2, "label_entropy_bits": 1.0, "vendi_score": 12.5, "vendi_items": 80,
                  "share_of_near_duplicates": 0.09, "distinct_2": 0.5},
    "unseen_labels": {"test": {"c": 1}, "train": {}},
}  # fmt: skip


def test_the_way_adds_up() -> None:
    steps = {step.name: step.count for step in way(CARD)}
    assert steps == {
        "came in": 110, "too_short": -3, "exact copies": -3, "copies with another label": -2, "bridges": -2, "kept": 100,
        "train": 80, "validation": 10, "test": 10,
    }  # fmt: skip
    assert steps["came in"] + sum(count for count in steps.values() if count < 0) == steps["kept"]


def test_splits_come_in_the_usual_order() -> None:
    assert order({"test": 0, "other": 0, "train": 0}) == ["train", "test", "other"]


@pytest.mark.parametrize("name", [*RULES, *names("tasks.clean.rules")])
def test_every_rule_is_put_into_words(name: str) -> None:
    assert rule(name).endswith(".")


def test_a_rule_that_is_no_more_has_no_words() -> None:
    assert rule("of_old") == ""


def test_figures_say_what_they_mean() -> None:
    figures = {figure.title: figure for figure in diversity(CARD)}
    assert figures["Effective number of items"].value == "12.50"
    assert "the 80 items" in figures["Effective number of items"].meaning
    assert figures["Entropy of the labels"].meaning.startswith("100 % of what 2 labels have")
    assert figures["Near-duplicates"].value == "9 %"
    assert figures["Distinct pairs of neighbouring words"].value == "50 %"


def test_the_balance_is_the_total_variation() -> None:
    assert balance(CARD) == pytest.approx({"test": 0.45, "train": 0.05, "validation": 0.05})  # whole: .54 a, .45 b
    half = {
        "splits": {
            "train": {"rows": 2, "labels": {"a": 2}, "unlabelled": 0},
            "test": {"rows": 2, "labels": {"b": 2}, "unlabelled": 0},
        }
    }
    assert balance(half) == {"train": 0.5, "test": 0.5}
    assert balance({"splits": {"train": {"rows": 2, "labels": {"a": 2}, "unlabelled": 0}}}) == {}


def test_labels_are_ordered_and_many_are_folded() -> None:
    assert list(totals({"a": {"train": 1}, "b": {"train": 2, "test": 1}, "c": {"test": 3}})) == ["b", "c", "a"]
    assert [len(part) for part in folded(dict.fromkeys(map(str, range(50)), 1))] == [20, 30]
    assert folded({"a": 1}) == [["a"]]
    assert unseen(CARD) == ["c"]


def test_small_shares_are_not_zero() -> None:
    assert share(1, 300) == "0.3 %"
    assert share(3, 4000) == "0.075 %"


def test_a_label_far_from_its_share_is_told() -> None:
    card = {"distance": {"cat": {"split": "test", "share": 0.15, "of": 0.1, "chance": 0.02}}}
    assert away(card, "cat") == "test has 15 %, not 10 %: 2.5 times what chance does"
    assert away(card, "dog") == away({}, "cat") == ""
