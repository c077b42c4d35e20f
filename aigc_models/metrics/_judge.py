"""The judge of what can be painted: a classifier trained on the train split, or principal components without labels.

It shares no weights, seed or data order with the critic that weights a mixture.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from aigc_models.canvas import canvas_of, drawn
from aigc_models.capabilities import Generates, Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, original
from aigc_models.layers.classifier import BATCH, Classifier, features, fit_classifier
from aigc_models.layers.noise import item_seeds
from aigc_models.metrics._pupil import Bank, bank

SEED = 7_919  # of the judge and of what is generated for it; the critic's differs
COMPONENTS = 64
HANDS = 10  # at most, dealt from a pool; one alone has a standard deviation of a tenth of the Frechet distance at 176 digits
EPOCHS, LEAST_STEPS, MOST_STEPS = 9, 200, 450  # seconds, not minutes, of one core at 32x32


def labelled(corpus: Corpus, labels: int) -> Corpus:
    return corpus.take(np.flatnonzero(np.asarray(corpus.conditions) < labels))


def train_classifier(corpus: Corpus, shape: Shape) -> Classifier:
    labels = len(shape.labels)
    lesson = labelled(corpus, labels)
    steps = int(np.clip(EPOCHS * len(lesson) / BATCH, LEAST_STEPS, MOST_STEPS))
    return fit_classifier(lesson, shape, labels, steps, SEED)


class Judge:
    """Features of any corpus under one evidence, and the larger sets generated for it; all made once."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.pools, self.dealt_features = evidence, dict[str, Corpus](), dict[str, np.ndarray]()
        self.labels = len(evidence.shape.labels)
        self.count = min([len(evidence.test), *(len(corpus) for corpus in evidence.samples.values())])

    def original(self, candidate: str) -> str:
        """The candidate whose figures this one shares."""
        return original(candidate, self.evidence.models, self.evidence.combined)

    @cached_property
    def classifier(self) -> Classifier:
        return train_classifier(self.evidence.train, self.evidence.shape)

    @cached_property
    def bank(self) -> Bank:
        """What all classifiers of the accuracy score see."""
        return bank(self.lesson, self.evidence.shape, SEED)

    @cached_property
    def components(self) -> PCA:
        train = pixels(self.evidence.train, self.evidence.shape)
        return PCA(min(COMPONENTS, *train.shape), svd_solver="randomized", random_state=SEED).fit(train)

    def features(self, corpus: Corpus) -> np.ndarray:
        """Float64 (item, feature): the classifier's features with labels, principal components without."""
        if can_classify(self.evidence):
            return features(self.classifier, corpus)
        return np.asarray(self.components.transform(pixels(corpus, self.evidence.shape)), dtype=np.float64)

    @cached_property
    def asked(self) -> Corpus:
        """The test items, as many as each candidate has samples: sample i was made for item i."""
        return self.evidence.test.take(np.arange(self.count))

    @cached_property
    def test(self) -> np.ndarray:
        """Features of the items asked for."""
        return self.features(self.asked)

    @cached_property
    def lesson(self) -> Corpus:
        """The train split, or a random part of it: the real items that a generated pool stands in for."""
        return self.evidence.train.sample(self.evidence.pool, SEED)

    def beside(self, evidence: Evidence) -> Judge:
        """A judge of the same candidates beside other items, with what this one has learned and generated."""
        other = Judge(evidence)
        other.pools = self.pools
        if can_classify(self.evidence):
            other.classifier = self.classifier
        else:
            other.components = self.components
        return other

    def hands(self, pool: Corpus) -> np.ndarray:
        """`hands` for the items asked for: alike from pools with the same conditions in the same order, so paired."""
        return hands(pool, self.asked, np.random.default_rng(self.evidence.seed))

    def dealt(self, candidate: str) -> np.ndarray:
        """Features of the candidate's pool as it is dealt out, float64 (hand, item, feature)."""
        if candidate not in self.dealt_features:
            pool = self.pool(candidate)
            self.dealt_features[candidate] = self.features(pool)[self.hands(pool)]
        return self.dealt_features[candidate]

    def for_each(self, figure: Callable[[str], np.ndarray]) -> dict[str, np.ndarray]:
        """`figure` of each candidate by name, made once for those that are one and the same generator."""
        names = {name: self.original(name) for name in self.evidence.models}
        made = dict[str, np.ndarray]()
        for origin in dict.fromkeys(names.values()):
            self.evidence.progress(len(made), len(names))
            made[origin] = figure(origin)
        return {name: made[origin] for name, origin in names.items()}

    def pool(self, candidate: str) -> Corpus:
        """As many items as the lesson has, generated with its conditions."""
        name = self.original(candidate)
        if name not in self.pools:
            mixed = self.mixed(self.evidence.models[name]) if name in self.evidence.combined else None
            self.pools[name] = mixed or generated(self.evidence.models[name], self.lesson, self.evidence.shape)
        return self.pools[name]

    def mixed(self, model: object) -> Corpus | None:
        """The pool of a mixture of candidates, picked from their pools: an item is what its own seed and condition make it."""
        members = getattr(model, "members", {})
        if not hasattr(model, "picks") or any(self.evidence.models.get(name) is None for name in members):
            return None
        picks = model.picks(seeds_of(self.lesson)).numpy()
        pools = [self.pool(name) if (picks == number).any() else self.lesson for number, name in enumerate(members)]
        values = np.stack([np.asarray(pool.values) for pool in pools])[picks, np.arange(len(picks))]
        return Corpus(self.lesson.modality, values, self.lesson.conditions)


def pixels(corpus: Corpus, shape: Shape) -> np.ndarray:
    """The items' pictures, float32 (item, pixel), about in [-1, 1]."""
    canvas = canvas_of(shape)
    return torch.cat([canvas.paint(batch.values).flatten(1) for batch in corpus.batches(256)]).numpy()


def hands(pool: Corpus, like: Corpus, random: np.random.Generator) -> np.ndarray:
    """Rows of `pool`, int64 (hand, item): the pool dealt out, item i of each hand with the condition of item i of `like`.

    As many hands as the pool fills, at most `HANDS`, so that no row comes twice as long as its condition has others left:
    what the hands' figures have in common is then `like` alone. Any condition, where the pool has none of an item's.
    """
    count = int(np.clip(len(pool) // max(1, len(like)), 1, HANDS))
    rows = np.empty((count, len(like)), dtype=np.int64)
    for condition in np.unique(like.conditions):
        places = np.flatnonzero(np.asarray(like.conditions) == condition)
        candidates = np.flatnonzero(np.asarray(pool.conditions) == condition)
        candidates = candidates if len(candidates) else np.arange(len(pool))
        rounds = -(-count * len(places) // len(candidates))
        dealt = np.concatenate([random.permutation(candidates) for _ in range(rounds)])
        rows[:, places] = dealt[: count * len(places)].reshape(count, -1)
    return rows


def can_classify(evidence: Evidence) -> bool:
    """Whether there are two labels or more in the train split."""
    labels = len(evidence.shape.labels)
    return len(np.unique(labelled(evidence.train, labels).conditions)) > 1


def generated(model: object, like: Corpus, shape: Shape) -> Corpus:
    """Items with the conditions of `like`."""
    if not isinstance(model, Generates):
        raise TypeError(f"{type(model).__name__} does not generate")
    conditions = torch.from_numpy(np.array(like.conditions, dtype=np.int64))
    return drawn(model, conditions, seeds_of(like), shape)


def seeds_of(like: Corpus) -> Tensor:
    """Int64 (item,): the same for every candidate."""
    return item_seeds(SEED, len(like))


def judge(evidence: Evidence) -> Judge:
    """The judge of this evidence; the metrics of one evaluation share it."""
    if "judge" not in evidence.shared:
        evidence.shared["judge"] = judge(evidence.sharing).beside(evidence) if evidence.sharing else Judge(evidence)
    jury: Judge = evidence.shared["judge"]
    return jury
