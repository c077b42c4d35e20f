"""How near sets of generated items lie to the validation split, by a figure of the kind that judges on the test split.

The figure is the Frechet distance (Heusel et al. 2017) in a classifier's features, or in principal components where there
are no labels. The classifier is trained here, on the train split; the one that judges has another seed and other data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from sklearn.decomposition import PCA

from aigc_models.canvas import canvas_of
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.layers.classifier import features, fit_classifier
from aigc_models.metrics.frechet_distance import frechet

SEED = 104_729  # added to the ensemble's, so that no two classifiers begin alike
COMPONENTS = 64
Features = Callable[[Corpus], np.ndarray]


def tutor(train: Corpus, shape: Shape, steps: int, seed: int) -> Features:
    """Gives the features of items, float64 (item, feature), after `steps` batches of labelled training items."""
    labels = len(shape.labels)
    labelled = np.flatnonzero(np.asarray(train.conditions) < labels)
    if len(np.unique(np.asarray(train.conditions)[labelled])) > 1:
        classifier = fit_classifier(train.take(labelled), shape, labels, steps, (seed + SEED) % 2**63)
        return lambda corpus: features(classifier, corpus)
    rows = pixels(train, shape)
    components = PCA(min(COMPONENTS, *rows.shape), svd_solver="randomized", random_state=0).fit(rows)
    return lambda corpus: np.asarray(components.transform(pixels(corpus, shape)), dtype=np.float64)


def pixels(corpus: Corpus, shape: Shape) -> np.ndarray:
    """The items' pictures, float32 (item, pixel)."""
    canvas = canvas_of(shape)
    return torch.cat([canvas.paint(batch.values).flatten(1) for batch in corpus.batches(256)]).numpy()


def nearest(shares: np.ndarray, rounds: Sequence[Sequence[Corpus]], held: Corpus, seen: Features, seed: int) -> np.ndarray:
    """`shares` (member,), or one member alone where its items lie nearer to `held`, which equally many were made for.

    `rounds`: each has one corpus a member, item i of each for item i of `held`.
    """
    wanted = seen(held)
    made = [np.stack([seen(corpus) for corpus in corpora]) for corpora in rounds]  # (member, item, feature)
    random, items = np.random.default_rng(seed % 2**63), np.arange(len(held))
    picks = [random.choice(len(shares), len(held), p=shares) for _ in made]
    mixed = np.mean([frechet(each[pick, items], wanted) for each, pick in zip(made, picks, strict=True)])
    alone = np.mean([[frechet(one, wanted) for one in each] for each in made], axis=0)
    return shares if mixed < alone.min() else np.eye(len(shares))[alone.argmin()]
