import numpy as np
import pytest
import torch

from aigc_models.capabilities import Generates
from aigc_models.ensembles import mixture
from aigc_models.ensembles.mixture import Settings, build, fit, on_simplex, rounded
from aigc_models.layers.noise import uniform


class Replay:
    """Real items of the validation label, with `noise` added."""

    def __init__(self, corpus, noise):
        self.corpus, self.noise = corpus, noise

    def generate(self, conditions, seeds, **sampling):
        rows = []
        for condition, draw in zip(conditions.tolist(), uniform(seeds)[:, 0].tolist(), strict=True):
            matches = np.flatnonzero(self.corpus.conditions == condition)
            rows.append(matches[int(draw * len(matches))])
        values = self.corpus.batch(np.array(rows)).values
        return (values + self.noise * torch.randn(values.shape, generator=torch.Generator().manual_seed(0))).clamp(-1, 1)


class Constant:
    def __init__(self, value):
        self.value = value

    def generate(self, conditions, seeds, **sampling):
        return torch.full((len(seeds), 1, 2, 2), self.value)


def test_the_better_member_gets_the_weight(digits):
    members = {"good": Replay(digits.train, 0.0), "poor": Replay(digits.train, 0.7)}
    settings = Settings(steps=40, most=200, rounds=1)
    heard = []
    learnt = fit(members, digits.train, digits.validation, digits.shape, settings, 0, lambda *a, **f: heard.append(a))
    assert isinstance(learnt, Generates)
    assert learnt.weights["good"] > 0.8
    assert sum(learnt.weights.values()) == pytest.approx(1)
    assert heard[-1] == (2, 2)


def test_each_item_is_one_members_by_its_own_seed():
    mixture = build({"a": Constant(-1.0), "b": Constant(1.0)}, {"a": 0.25, "b": 0.75}, Settings())
    seeds = torch.arange(400)
    values = mixture.generate(torch.zeros(400, dtype=torch.int64), seeds)[:, 0, 0, 0]
    assert abs(float((values == 1).float().mean()) - 0.75) < 0.07
    assert torch.equal(mixture.generate(torch.zeros(3, dtype=torch.int64), seeds[5:8])[:, 0, 0, 0], values[5:8])


def test_a_member_without_weight_is_never_asked():
    class Broken:
        def generate(self, conditions, seeds, **sampling):
            raise AssertionError

    mixture = build({"a": Constant(0.5), "b": Broken()}, {"a": 1.0, "b": 0.0}, Settings())
    assert float(mixture.generate(torch.zeros(64, dtype=torch.int64), torch.arange(64)).mean()) == 0.5


def test_weights_against_a_problem_with_a_known_answer():
    """Members at -1 and 3 on a line, target 0, linear kernel: three quarters of the first."""
    places = np.array([-1.0, 3.0])
    assert on_simplex(np.outer(places, places), places * 0.0) == pytest.approx([0.75, 0.25], abs=1e-4)
    assert on_simplex(np.eye(3), np.array([2.0, 0.0, 0.0])) == pytest.approx([1, 0, 0], abs=1e-6)


def test_small_shares_are_dropped():
    assert rounded(np.array([0.985, 0.015]), 0.02).tolist() == [1.0, 0.0]
    assert rounded(np.array([1, 1, 1]) / 3, 0.02).sum() == pytest.approx(1)


def test_the_weights_are_learnt_on_a_sample_of_every_label(digits, monkeypatch):
    """Of validation items sorted by label, the first ones have a single one."""
    order = np.argsort(np.asarray(digits.validation.conditions), kind="stable")
    asked = []
    monkeypatch.setattr(mixture, "match", lambda drawn, held, critic: asked.append(held) or np.full(len(drawn), 0.5))
    members = {"good": Replay(digits.train, 0.0), "poor": Replay(digits.train, 0.7)}
    settings = Settings(steps=1, most=40, rounds=1)
    fit(members, digits.train, digits.validation.take(order), digits.shape, settings, 2**62, lambda *a, **f: None)
    assert len(asked[0]) == 40
    assert len(np.unique(asked[0].conditions)) > 5
