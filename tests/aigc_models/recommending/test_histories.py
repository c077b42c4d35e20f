"""Each by hand, on a few short histories."""

import numpy as np
import pytest
import torch

from aigc_models.corpus import Batch, Corpus
from aigc_models.recommending.histories import asked, closed, events, nats, pairs, questions, recent, repeats, seen
from aigc_models.sequences import PAD, Sequences

END = 6


def test_a_question_is_all_but_the_last_item() -> None:
    values = torch.tensor([[3, 1, 2, END], [4, END, PAD, PAD], [END, PAD, PAD, PAD]])
    before, target = asked(Batch(values, torch.zeros(3, dtype=torch.int64)))
    assert before.values.tolist() == [[3, 1], [PAD, PAD], [PAD, PAD]]
    assert target.tolist() == [2, 4, PAD]


def test_what_is_unknown_is_not_asked_for() -> None:
    corpus = Corpus("events", Sequences.of([[1, 2, END], [1, 0, END], [3, END]]), np.zeros(3, dtype=np.int64))
    before, target = questions(corpus)
    assert target.tolist() == [2, 3]
    assert len(before) == 2


def test_events_have_no_end() -> None:
    plain = events(Sequences.of([[1, 2, END], [END], [3, END]]))
    assert [row.tolist() for row in plain.rows()] == [[1, 2], [], [3]]


def test_songs_come_again_and_films_do_not() -> None:
    assert not repeats(Sequences.of([[1, 2, 3, END], [0, 0, 3, END]]))
    assert repeats(Sequences.of([[1, 2, 1, END], [2, 3, END]]))
    assert not repeats(Sequences.of([[END]]))


def test_what_is_left_of_a_distribution() -> None:
    batch, target = Batch(torch.tensor([[1, 2], [3, PAD]]), torch.zeros(2, dtype=torch.int64)), torch.tensor([4, 3])
    assert seen(batch, 5).tolist() == [[False, True, True, False, False], [False, False, False, True, False]]
    left = closed(torch.full((2, 5), 0.2).log(), batch, target).exp()
    assert torch.allclose(left, torch.tensor([[0, 0, 0, 0.5, 0.5], [0, 0.25, 0.25, 0.25, 0.25]]))
    assert nats(torch.full((2, 5), 0.2).log(), batch, target) == pytest.approx((np.log(2) + np.log(4)) / 2)


def test_older_items_weigh_less() -> None:
    table = recent(np.array([[1, 2, 3], [4, 0, PAD]]), 5, 0.5, 2).toarray()
    assert table.tolist() == [[0, 0, 0.5, 1, 0], [0, 0, 0, 0, 0.5]]


def test_pairs_stay_inside_a_history() -> None:
    values = Sequences.of([[1, 2, 3], [4, 5]])
    assert [side.tolist() for side in pairs(values, 1)] == [[0, 1, 3], [1, 2, 4], [0, 0, 1]]
    assert [side.tolist() for side in pairs(values, 2)] == [[0], [2], [0]]
    assert len(pairs(values, 9)[0]) == 0
