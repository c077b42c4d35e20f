"""One evidence over digits, with a replay of the train split, blurred pictures and pictures of the wrong label."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from aigc_models.canvas import drawn
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import logit_pool, opinion_pool, stacked_regression
from aigc_models.evidence import Evidence
from aigc_models.layers.noise import uniform
from aigc_models.metrics import _judge
from aigc_models.modalities import image


class Altered:
    """Training items of the label asked for, or of the next one, with noise of a given strength."""

    def __init__(self, corpus: Corpus, noise: float = 0.0, off: int = 0) -> None:
        self.corpus, self.noise, self.off = corpus, noise, off

    def generate(self, conditions, seeds, **sampling):
        draws = uniform(seeds)[:, 0].tolist()
        matches = [np.flatnonzero(self.corpus.conditions == (int(label) + self.off) % 10) for label in conditions]
        chosen = np.array([rows[int(draw * len(rows))] for rows, draw in zip(matches, draws, strict=True)])
        values = self.corpus.batch(chosen).values
        return (values + self.noise * torch.randn(values.shape, generator=torch.Generator().manual_seed(1))).clamp(-1, 1)


class Unasked:
    """The same model, of which no label is asked: it makes the test split's labels in turn."""

    def __init__(self, model: Altered, labels: np.ndarray) -> None:
        self.model, self.labels = model, torch.from_numpy(labels)

    def generate(self, conditions, seeds, **sampling):
        return self.model.generate(self.labels[seeds % len(self.labels)], seeds)


@pytest.fixture(autouse=True, scope="session")
def _short_training():
    """The judges of these tests train for a second, not for three."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_judge, "EPOCHS", 5)
        patch.setattr(_judge, "LEAST_STEPS", 50)
        yield


@pytest.fixture(scope="session")
def picture_evidence(digits) -> Evidence:
    models = {"replay": Altered(digits.train), "noisy": Altered(digits.train, 0.8), "wrong": Altered(digits.train, off=1)}
    seeds = torch.arange(len(digits.test))
    samples = {}
    for name, model in models.items():
        values = ((model.generate(torch.from_numpy(digits.test.conditions), seeds) + 1) * 127.5).round().to(torch.uint8)
        samples[name] = Corpus("image", values.numpy(), digits.test.conditions)
    return Evidence(digits.train, digits.validation, digits.test, digits.shape, models, samples)


@pytest.fixture(scope="session")
def unlabelled_evidence(picture_evidence) -> Evidence:
    def bare(corpus: Corpus) -> Corpus:
        return Corpus("image", corpus.values, np.zeros(len(corpus), dtype=np.int64))

    samples = {name: bare(corpus) for name, corpus in picture_evidence.samples.items()}
    splits = {name: bare(getattr(picture_evidence, name)) for name in ("train", "validation", "test")}
    models = {name: Unasked(model, picture_evidence.test.conditions) for name, model in picture_evidence.models.items()}
    shape = replace(picture_evidence.shape, labels=())
    return replace(picture_evidence, **splits, shape=shape, models=models, samples=samples)


@pytest.fixture(scope="session")
def sound_evidence(tones) -> Evidence:
    """Sounds of the train split as they are, and under noise."""
    models = {"replay": Altered(tones.train), "noisy": Altered(tones.train, 0.2)}
    asked = torch.from_numpy(tones.test.conditions)
    samples = {name: drawn(model, asked, torch.arange(len(asked)), tones.shape) for name, model in models.items()}
    return Evidence(tones.train, tones.validation, tones.test, tones.shape, models, samples)


class Says:
    """Gives each item the scores that stand in its row of a table, and counts how often it is asked.

    An item is a picture of two pixels, which are its number.
    """

    def __init__(self, table: np.ndarray) -> None:
        self.table, self.times = torch.from_numpy(table), 0

    def classify(self, batch):
        assert (batch.conditions == self.table.shape[1]).all()  # no label is shown
        self.times += 1
        low, high = ((batch.values[:, 0, 0, at] + 1) * 127.5 for at in (0, 1))
        return self.table[(low + 256 * high).round().long()].to(batch.conditions.device)


@pytest.fixture
def label_evidence() -> Evidence:
    """Two classifiers of 700 items of three labels, the last 100 without one, one of them also the baseline; a model that
    does not classify; and a pool of the two with weights 1/2."""
    random, items = np.random.default_rng(5), 700
    truth = random.choice(3, items, p=[0.6, 0.3, 0.1])
    truth[-100:] = 3
    numbers = np.arange(items)
    pictures = np.stack([numbers % 256, numbers // 256], axis=1).astype(np.uint8).reshape(items, 1, 1, 2)
    corpus = Corpus("image", pictures, truth)
    right = np.eye(4)[truth][:, :3]
    good, weak = (Says(strength * right + random.normal(size=(items, 3))) for strength in (3.0, 1.0))
    members = {"good": good, "weak": weak}
    pool = opinion_pool.build(members, {"good": 1.0, "weak": 1.0}, opinion_pool.Settings(scale=2.0))
    models = {"ensemble": pool, "baseline": weak, "good": good, "weak": weak, "dumb": object()}
    shape = Shape("image", ("a", "b", "c"), image.Format(height=1, width=2, channels=1), "classify")
    return Evidence(corpus, corpus, corpus, shape, models, {})


class Tells:
    """Says what stands in an item's row of `table`: logits where items have several labels, or a number."""

    def __init__(self, table):
        self.table = torch.from_numpy(table).float()

    def row(self, batch):
        low, high = ((batch.values[:, 0, 0, at] + 1) * 127.5 for at in (0, 1))
        return self.table[(low + 256 * high).round().long()].to(batch.conditions.device)


class Assigning(Tells):
    def assign(self, batch):
        return self.row(batch)


class Predicting(Tells):
    def regress(self, batch):
        return self.row(batch)[:, 0]


def evidence_of(task, labels, targets, models) -> Evidence:
    """600 pictures of two pixels, which are their number, with these targets; every twentieth has none."""
    numbers = np.arange(len(targets))
    pictures = np.stack([numbers % 256, numbers // 256], axis=1).astype(np.uint8).reshape(-1, 1, 1, 2)
    targets = targets.astype(np.float32)
    targets[::20] = np.nan
    corpus = Corpus("image", pictures, np.full(len(targets), len(labels)), targets)
    shape = Shape("image", labels, image.Format(height=1, width=2, channels=1), task)
    return Evidence(corpus, corpus, corpus, shape, models, {})


@pytest.fixture
def several_evidence() -> Evidence:
    """Two models that name several labels, one of them also the baseline, one that does not, and a pool of the two."""
    random = np.random.default_rng(5)
    truth = random.random((600, 3)) < [0.5, 0.3, 0.1]
    good, weak = (Assigning(strength * (truth - 0.5) + random.normal(size=(600, 3))) for strength in (4.0, 1.0))
    settings = logit_pool.Settings(thresholds=(0.3, 0.4, 0.5))
    pool = logit_pool.build({"good": good, "weak": weak}, {"good": 1.0, "weak": 1.0}, settings)
    models = {"ensemble": pool, "baseline": weak, "good": good, "weak": weak, "dumb": object()}
    return evidence_of("multilabel", ("a", "b", "c"), truth, models)


@pytest.fixture
def number_evidence() -> Evidence:
    """Two models that predict numbers, one of them also the baseline, one that does not, and an average of the two whose
    interval is too narrow."""
    random = np.random.default_rng(5)
    truth = 100 + 10 * random.normal(size=(600, 1))
    good, weak = (Predicting(truth + error * random.normal(size=(600, 1))) for error in (3.0, 8.0))
    settings = stacked_regression.Settings(half_width=2.0)
    average = stacked_regression.build({"good": good, "weak": weak}, {"good": 1.0, "weak": 1.0}, settings)
    models = {"ensemble": average, "baseline": weak, "good": good, "weak": weak, "dumb": object()}
    return evidence_of("regress", (), truth, models)
