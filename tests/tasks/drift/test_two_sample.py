from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tasks.drift.two_sample import _area, tell_apart


def names(count: int) -> list[str]:
    return [str(at) for at in range(count)]


def separation(shift: float, count: int = 300, seed: int = 0, features: int = 20):
    """Two sets of `count` items, the second moved by `shift` standard deviations in one feature of many."""
    values = np.random.default_rng(seed).normal(0, 1, (2 * count, features))
    after = np.arange(2 * count) >= count
    values[after, 3] += shift
    return tell_apart(values, names(2 * count), ~after, after)


def test_alike_sets_score_nothing_and_disjoint_ones_all():
    alike, other = separation(0), separation(50)
    assert alike.low < 0.5 < alike.high
    assert alike.score == 0
    assert other.auc > 0.999
    assert other.score > 0.99
    assert separation(0) == alike


def test_the_area_grows_with_the_shift():
    # two normal distributions that are d standard deviations apart have an area of Phi(d / sqrt(2))
    assert separation(1, count=2000).auc == pytest.approx(0.760, abs=0.015)
    assert 0 < separation(1).score < separation(2).score < 1


def test_areas_are_those_of_scikit_learn():
    random = np.random.default_rng(1)
    scores, truth = random.integers(0, 9, 80), random.integers(0, 2, 80)
    weights = np.stack([truth == 0, truth == 1]).astype(float)
    assert _area(np.unique(scores, return_inverse=True)[1], weights) == pytest.approx(roc_auc_score(truth, scores))


def test_items_in_both_count_in_both():
    """With a tenth of new items unlike the rest, the score is a tenth at most."""
    values = np.random.default_rng(0).normal(0, 1, (1000, 10))
    before, after = np.arange(1000) < 900, np.ones(1000, dtype=bool)
    values[~before] += 20
    apart = tell_apart(values, names(1000), before, after)
    assert apart.auc == pytest.approx(0.5 + 0.1 / 2, abs=0.002)
    assert 0.05 < apart.score <= 0.1
    same = tell_apart(values, names(1000), after, after)
    assert same == (0.5, 0.5, 0.5)
    assert same.score == 0


def test_items_of_a_group_are_held_out_together():
    """Speakers that each have a voice of their own, at random on one side, are no drift."""
    random = np.random.default_rng(0)
    speakers, side = np.repeat(np.arange(40), 15), np.repeat(random.permutation(np.arange(40) % 2).astype(bool), 15)
    values = random.normal(0, 3, (40, 30))[speakers] + random.normal(0, 0.1, (600, 30))
    leaking = tell_apart(values, names(600), ~side, side)
    held = tell_apart(values, [f"speaker {speaker}" for speaker in speakers], ~side, side)
    assert leaking.score > 0.5
    assert held.score == 0
