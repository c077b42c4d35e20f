import numpy as np
import pytest
import torch

from aigc_models.corpus import Batch
from aigc_models.families import transitions
from aigc_models.sequences import Sequences


def ask(model, *histories):
    length = max(map(len, histories))
    padded = [[*history, *[-1] * (length - len(history))] for history in histories]
    return model.recommend(Batch(torch.tensor(padded).reshape(len(histories), length), torch.zeros(len(histories)).long()))


def test_counts_are_those_by_hand(strolls) -> None:
    model = transitions.build(transitions.Config(window=2), strolls.shape)
    table = model.counted(Sequences.of([[1, 2, 3], [2, 3, 0]]), 0.5, 0.1).toarray()
    assert table[2, 3] == 2
    assert table[1, 3] == 0.5
    assert table[3, 2] == pytest.approx(0.2)
    assert table[3, 0] == table[0, 3] == 0  # the unknown item leads nowhere


def test_the_next_item_on_the_ring_is_said(fitted) -> None:
    model = fitted(transitions)
    said = ask(model, [5, 6, 7], [20])
    assert said.argmax(1).tolist() == [8, 21]
    assert torch.allclose(said.exp().sum(1), torch.ones(2))


def test_without_a_history_popularity_is_said(fitted, strolls) -> None:
    model = fitted(transitions)
    said = model.recommend(Batch(torch.tensor([[-1], [0]]), torch.zeros(2).long()))
    symbols = strolls.train.sequences.symbols
    counts = np.bincount(symbols[symbols < 41], minlength=41)
    assert said.argmax(1).tolist() == [counts.argmax()] * 2


def test_what_was_learnt_is_in_its_tensors(fitted, strolls) -> None:
    model, other = fitted(transitions), transitions.build(transitions.SIZES["debug"], strolls.shape)
    other.load_state_dict(model.state_dict())
    assert torch.equal(ask(other, [5, 6, 7]), ask(model, [5, 6, 7]))
