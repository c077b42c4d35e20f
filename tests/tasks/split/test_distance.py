from __future__ import annotations

from tasks.split.distance import FARTHEST, distance


def part(**labels: int) -> dict[str, object]:
    return {"rows": sum(labels.values()), "labels": {name: count for name, count in labels.items() if count}}


def test_each_label_with_the_split_in_which_it_is_farthest_from_its_share() -> None:
    distances = distance({"train": part(a=80, b=70), "validation": part(a=10, b=10), "test": part(a=10, b=20)})
    assert distances["a"] == {"split": "train", "share": 0.8, "of": 0.75, "chance": 0.0307}  # sqrt(.75 * .25 / 100 * 100 / 199)
    assert distances["b"] == {"split": "train", "share": 0.7, "of": 0.75, "chance": 0.0307}


def test_of_many_labels_those_that_chance_explains_least() -> None:
    few = {f"rare{at:02}": 1 for at in range(50)}
    distances = distance({"train": part(odd=500, **few), "validation": part(usual=10, **few), "test": part(usual=490)})
    assert len(distances) == FARTHEST
    assert {"odd", "usual"} <= distances.keys()


def test_a_label_that_all_items_have_stands_where_it_must() -> None:
    distances = distance({"train": part(a=8), "validation": part(a=1), "test": {"rows": 0, "labels": {}}})
    assert distances == {"a": {"split": "train", "share": 0.8889, "of": 0.8889, "chance": 0.0}}
    assert distance({"train": {"rows": 3, "labels": {}}, "test": {"rows": 2, "labels": {}}}) == {}
