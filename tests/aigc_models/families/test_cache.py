"""Counts by hand, states that do not see each other's symbols, and what it is worth."""

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Corpus
from aigc_models.families import cache
from aigc_models.modalities import text

SHAPE = Shape("text", (), text.Format(length=64))
END, OUTPUTS = 256, 257


def built(longest: int = 3) -> cache.Cache:
    return cache.build(cache.Config(longest=longest), SHAPE)


def test_counts_are_those_by_hand() -> None:
    """After `abab` the next is an a or a b by how often they came where they were new to the longer context."""
    history = cache.History(1, OUTPUTS + 3, [END, *b"abab"])
    counts = [{key: followers.counts for key, followers in table.items()} for table in history.tables]
    assert counts[0] == {0: {97: 2, 98: 1}}  # the second b was known after an a
    assert counts[1] == {END + 1: {97: 1}, 98: {98: 2}, 99: {97: 1}}
    said = np.empty(OUTPUTS, dtype=np.float32)
    history.fill(said)
    below = (2 - 1.2) / 3 + (1.2 + 0.8) / 3 / OUTPUTS
    assert said[97] == pytest.approx((1 - 0.8) / 1 + 0.8 * below)
    assert said.sum() == pytest.approx(1)


def test_a_state_goes_on_in_two_ways() -> None:
    model = built()
    _, state = model.extend(model.begin(torch.tensor([0])), torch.tensor([[END, *b"one two one "]]))
    one, _ = model.extend(state, torch.tensor([[*b"two"]]))
    other, _ = model.extend(state, torch.tensor([[*b"one"]]))
    again, _ = model.extend(state, torch.tensor([[*b"two"]]))
    assert torch.equal(one, again)
    assert not torch.equal(one[:, 1:], other[:, 1:])


@torch.no_grad()
def test_what_came_before_is_likelier_and_a_long_text_takes_seconds() -> None:
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("abcdefgh"), 6)) for _ in range(8)]
    whole = " ".join(random.choice(words, 3000))
    data = Corpus("text", text.encode([whole], SHAPE.format), np.zeros(1, dtype=np.int64))
    scores = built(5).log_likelihood(data.batch(np.arange(1)))[0]
    assert float(scores[:100].mean()) < -1.5
    assert float(scores[-2000:].mean()) > -0.6  # a word in eight is 2.1 nats, of seven symbols


def test_capabilities() -> None:
    assert capabilities(built()) == ("streams", "scores")
