from dataclasses import replace

import numpy as np
import pytest
import torch

from aigc_models.ensembles import mixture
from aigc_models.ensembles._nearest import nearest, tutor

HALF = np.array([0.5, 0.5])


class Real:
    """Real items of the labels asked for, with `noise` added."""

    def __init__(self, corpus, noise):
        self.corpus, self.noise = corpus, noise

    def generate(self, conditions, seeds, **sampling):
        random = np.random.default_rng(seeds.tolist())
        rows = [random.choice(np.flatnonzero(self.corpus.conditions == condition)) for condition in conditions.tolist()]
        values = self.corpus.batch(np.array(rows)).values
        return (values + self.noise * torch.from_numpy(random.normal(size=values.shape)).float()).clamp(-1, 1)


def seen(corpus):
    return np.asarray(corpus.values, dtype=np.float64).reshape(len(corpus), -1) / 255


def of_labels(corpus, labels, count, seed):
    """As many items, of these labels only."""
    rows = np.flatnonzero(np.isin(corpus.conditions, labels))
    return corpus.take(np.random.default_rng(seed).choice(rows, count))


def test_members_that_make_up_for_each_other_stay_together(digits):
    held = digits.validation
    rounds = [
        [of_labels(digits.train, half, len(held), seed) for half in ([0, 1, 2, 3, 4], [5, 6, 7, 8, 9])] for seed in (1, 2)
    ]
    assert nearest(HALF, rounds, held, seen, 0).tolist() == [0.5, 0.5]


def test_a_member_takes_all_where_the_other_one_only_spoils_it(digits):
    held = digits.validation
    real = of_labels(digits.train, range(10), len(held), 1)
    noise = replace(real, values=np.random.default_rng(0).integers(0, 255, real.values.shape).astype(np.uint8))
    assert nearest(HALF, [[noise, real]], held, seen, 0).tolist() == [0, 1]


@pytest.mark.parametrize("labelled", [True, False])
def test_features_tell_real_items_from_blurred_ones(digits, labelled):
    def with_conditions(corpus):
        return corpus if labelled else replace(corpus, conditions=np.full(len(corpus), 10))

    features = tutor(with_conditions(digits.train), digits.shape, 30, 0)
    held, real = with_conditions(digits.validation), with_conditions(digits.train.take(np.arange(len(digits.validation))))
    values = np.asarray(real.values, dtype=np.float64)
    blurred = (values + np.roll(values, 1, -1) + np.roll(values, 1, -2)) / 3
    assert nearest(HALF, [[real, replace(real, values=blurred.astype(np.uint8))]], held, features, 0).tolist() == [1, 0]


def test_a_mixture_is_never_further_off_than_its_best_member(digits, monkeypatch):
    """Whatever shares the critic gives: here as many to the one that spoils the items."""
    monkeypatch.setattr(mixture, "match", lambda drawn, held, critic: HALF)
    members = {"poor": Real(digits.train, 0.9), "good": Real(digits.train, 0.0)}
    settings = mixture.Settings(steps=20, most=200, rounds=1)
    learnt = mixture.fit(members, digits.train, digits.validation, digits.shape, settings, 0, lambda *a, **f: None)
    assert learnt.weights == {"poor": 0, "good": 1}


def test_one_member_alone_needs_no_critic(digits):
    settings = mixture.Settings(steps=0, most=0)  # with which no critic can be trained
    learnt = mixture.fit(
        {"good": Real(digits.train, 0.0)}, digits.train, digits.validation, digits.shape, settings, 0, lambda *a, **f: None
    )
    assert learnt.weights == {"good": 1}
