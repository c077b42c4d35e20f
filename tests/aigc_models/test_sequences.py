"""Items of any length, chosen, joined and padded."""

import numpy as np

from aigc_models.sequences import PAD, Sequences

ITEMS = [[1, 2, 9], [9], [3, 4, 5, 9]]


def listed(values: Sequences) -> list[list[int]]:
    return [row.tolist() for row in values.rows()]


def test_items_are_chosen_by_number_by_truth_and_by_slice() -> None:
    values = Sequences.of(ITEMS)
    assert listed(values) == ITEMS
    assert listed(values[np.array([2, 0, 2])]) == [ITEMS[2], ITEMS[0], ITEMS[2]]
    assert listed(values[np.array([True, False, True])]) == [ITEMS[0], ITEMS[2]]
    assert listed(values[1:]) == ITEMS[1:]
    assert listed(values[np.array([], dtype=int)]) == []


def test_padding_goes_both_ways() -> None:
    padded = Sequences.of(ITEMS).padded()
    assert padded.tolist() == [[1, 2, 9, PAD], [9, PAD, PAD, PAD], [3, 4, 5, 9]]
    assert Sequences.of(ITEMS).padded(2).tolist() == [[1, 2], [9, PAD], [3, 4]]
    assert listed(Sequences.of_padded(padded)) == ITEMS
    assert Sequences.of([]).padded().shape == (0, 1)


def test_joined_ones_stand_in_order_and_nothing_is_an_item_too() -> None:
    one, other = Sequences.of(ITEMS[:1]), Sequences.of(ITEMS[1:])
    assert listed(Sequences.joined([one, Sequences.of([]), other])) == ITEMS
    assert len(Sequences.of([[], [1]])) == 2
