"""The judge of what can be painted: a classifier trained on the train split, or principal components without labels.

It shares no weights, seed or data order with the critic that weights a mixture.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property

import numpy as np
import torch
from sklearn.decomposition import PCA
from torch import Tensor

from aigc_models.canvas import canvas_of, drawn
from aigc_models.capabilities import Generates, Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.layers.classifier import BATCH, Classifier, features, fit_classifier
from aigc_models.layers.noise import item_seeds
from aigc_models.metrics._bootstrap import resamples

SEED = 7_919  # of the judge and of what is generated for it; the critic's differs
COMPONENTS = 64
DRAWS = 10  # from a pool; one draw alone has a standard deviation of a tenth of the Frechet distance at 176 digits
ROUNDS = 20  # resamples for each draw
MOST_ITEMS = 1_500  # real or generated, that a classifier of the accuracy score learns from; generating them takes longest
EPOCHS, LEAST_STEPS, MOST_STEPS = 14, 300, 700  # seconds, not minutes, of one core at 32x32


def labelled(corpus: Corpus, labels: int) -> Corpus:
    return corpus.take(np.flatnonzero(np.asarray(corpus.conditions) < labels))


def train_classifier(corpus: Corpus, shape: Shape) -> Classifier:
    """The same training for every corpus, so that what it is trained on makes the difference."""
    labels = len(shape.labels)
    lesson = labelled(corpus, labels)
    steps = int(np.clip(EPOCHS * len(lesson) / BATCH, LEAST_STEPS, MOST_STEPS))
    return fit_classifier(lesson, shape, labels, steps, SEED)


class Judge:
    """Features of any corpus under one evidence, and the larger sets generated for it; all made once."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence, self.pools = evidence, dict[str, Corpus]()
        self.labels = len(evidence.shape.labels)
        self.count = min([len(evidence.test), *(len(corpus) for corpus in evidence.samples.values())])

    def original(self, candidate: str) -> str:
        """The member that a combined candidate draws everything from, whose figures it shares; any other candidate itself.

        A champion is an ensemble too, but its members only have the names of the candidates: it is not combined of them.
        """
        if candidate not in self.evidence.combined:
            return candidate
        weights: Mapping[str, float] = getattr(self.evidence.models[candidate], "weights", {})
        return next((name for name, weight in weights.items() if weight == 1 and name in self.evidence.models), candidate)

    @cached_property
    def classifier(self) -> Classifier:
        return train_classifier(self.evidence.train, self.evidence.shape)

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

    def samples(self) -> dict[str, np.ndarray]:
        """Features of each candidate's samples."""
        return {name: self.features(corpus) for name, corpus in self.evidence.samples.items()}

    @cached_property
    def lesson(self) -> Corpus:
        """The train split, or a random part of it: the real items that a generated pool stands in for."""
        return self.evidence.train.sample(MOST_ITEMS, SEED)

    @cached_property
    def pupil(self) -> Classifier:
        """A classifier of the lesson; the judge itself where that is the whole train split."""
        whole = len(self.lesson) == len(self.evidence.train)
        return self.classifier if whole else train_classifier(self.lesson, self.evidence.shape)

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


def matching(pool: Corpus, like: Corpus, random: np.random.Generator) -> np.ndarray:
    """For each item of `like` a row of `pool` with its condition (any, where there is none), without repeats if it can."""
    rows = np.empty(len(like), dtype=np.int64)
    for condition in np.unique(like.conditions):
        places = np.flatnonzero(np.asarray(like.conditions) == condition)
        candidates = np.flatnonzero(np.asarray(pool.conditions) == condition)
        candidates = candidates if len(candidates) else np.arange(len(pool))
        rows[places] = random.choice(candidates, len(places), replace=len(candidates) < len(places))
    return rows


def repeated(
    jury: Judge, pool: Corpus, values: np.ndarray, test: np.ndarray, statistic: Callable[[np.ndarray, np.ndarray], float]
) -> tuple[float, np.ndarray]:
    """The mean of `statistic` over `DRAWS` draws from `pool`, and that of their resamples, float64 (draw * round,).

    `values` (item, ...) are of the pool's items, `test` of those asked for, which each draw matches label by label. Pools
    with the same conditions in the same order are drawn from, and resampled, alike: their figures are paired.
    """
    random = np.random.default_rng(jury.evidence.seed)
    subsets = [values[matching(pool, jury.asked, random)] for _ in range(DRAWS)]
    chosen = resamples(len(test), ROUNDS, jury.evidence.seed)
    draws = [statistic(subset[rows], test[rows]) for subset in subsets for rows in chosen]
    return float(np.mean([statistic(subset, test) for subset in subsets])), np.array(draws)


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
        evidence.shared["judge"] = Judge(evidence)
    jury: Judge = evidence.shared["judge"]
    return jury
