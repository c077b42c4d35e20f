"""The choice of a first champion, from paired figures on validation."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from aigc_models import heads
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.find import find, names
from aigc_models.metrics._bootstrap import averages
from tasks.judge.choice import choose, chosen, on_validation, primary

NOISE = np.random.default_rng(3).normal(size=200)
ORDER = ("baseline", "small", "large", "ensemble")


def measured(better: str = "lower", **gains: float):
    """Losses of 200 items that differ between candidates by `gains`, beside noise of a tenth of their own."""
    random = np.random.default_rng(5)
    sign = -1 if better == "lower" else 1
    figures = {name: 5 + NOISE + sign * gain + 0.1 * random.normal(size=200) for name, gain in gains.items()}
    return averages(figures, "nats", better, 7)


@pytest.mark.parametrize("better", ["lower", "higher"])
@pytest.mark.parametrize(
    ("gains", "first", "best"),
    [
        ({"baseline": 1.0, "small": 0.5, "large": 0.5, "ensemble": 0.5}, "baseline", "baseline"),
        ({"baseline": 0.5, "small": 0.0, "large": 0.0, "ensemble": 0.505}, "baseline", "ensemble"),
        ({"baseline": 0.0, "small": 0.5, "large": 0.0, "ensemble": 0.505}, "small", "ensemble"),
        ({"baseline": 0.0, "small": 0.0, "large": 0.5, "ensemble": 1.0}, "ensemble", "ensemble"),
    ],
)
def test_the_simplest_that_cannot_be_told_from_the_best(gains, first, best, better):
    choice = chosen(measured(better, **gains), ORDER, "loss", 200)
    assert choice.chosen == first
    if first != choice.best:
        assert choice.best == best
        assert choice.difference.low < 0 < choice.difference.high
        assert f"cannot be told from the best, {best}, and it is simpler" in choice.reason


def test_a_difference_that_shows_on_many_items_does_not_show_on_few():
    """What is too few to tell leaves the plain method, whatever the figures say."""
    random, names_of = np.random.default_rng(0), ("baseline", "ensemble")
    losses = {"baseline": random.normal(0.3, 1.0, 400), "ensemble": random.normal(0.0, 1.0, 400)}
    many = chosen(averages(losses, "nats", "lower", 1), names_of, "loss", 400)
    few = chosen(averages({name: each[:12] for name, each in losses.items()}, "nats", "lower", 1), names_of, "loss", 12)
    assert (many.chosen, few.chosen) == ("ensemble", "baseline")


def test_every_modality_that_is_evaluated_has_one_primary_metric():
    metrics = {name: find("aigc_models.metrics", name) for name in names("aigc_models.metrics")}
    for modality, task in product(("text", "image", "audio", "series"), ("generate", "classify")):
        of_task = {name: one for name, one in metrics.items() if task in heads.of(one)}
        assert [name for name, one in of_task.items() if modality in getattr(one, "PRIMARY", ())] == [primary(modality, task)]
    assert primary("smell") == ""


class Counting:
    """A text model that scores every symbol alike and counts the items that it was asked for."""

    def __init__(self, bits: float) -> None:
        self.bits, self.items = bits, 0

    def log_likelihood(self, batch):
        import torch

        self.items += len(batch.values)
        return torch.full(batch.values.shape, -self.bits * float(np.log(2)))


def test_the_validation_items_are_what_is_measured():
    from aigc_models.capabilities import Shape
    from aigc_models.modalities import text

    def corpus(count: int) -> Corpus:
        return Corpus("text", text.encode(["AAAA"] * count, text.Format(length=8)), np.zeros(count, dtype=np.int64))

    models = {"baseline": Counting(3.0), "ensemble": Counting(2.0)}
    shape = Shape("text", (), text.Format(length=8))
    evidence = Evidence(corpus(30), corpus(20), corpus(10), shape, models, {})
    choice = choose(on_validation(evidence, evidence.validation, None), "bits_per_byte", ["baseline", "rnn", "ensemble"])
    assert (choice.chosen, choice.items) == ("ensemble", 20)
    assert choice.figures == {
        "baseline": pytest.approx(3.0 * 5 / 4),
        "ensemble": pytest.approx(2.0 * 5 / 4),
    }  # four bytes and an END
    assert {model.items for model in models.values()} == {20}
    assert choose(on_validation(evidence, corpus(0), None), "bits_per_byte", ["baseline"]) is None
