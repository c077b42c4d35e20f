"""Frechet distance between generated and real test texts, on features of our own that no candidate learnt.

As FID (Heusel et al. 2017), and as Semeniuta et al. 2018 ("On accurate evaluation of GANs for language generation") took it
over to texts: Gaussians of features, here the modality's hashed character n-grams, by which drift is told too, on the first
`DIMENSIONS` principal components of the train split. It is biased upwards at few items: beside it stands `real`, training
items in equal number.
"""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import find
from aigc_models.metrics._bootstrap import POSITIVE
from aigc_models.metrics._halves import halved, weights
from aigc_models.metrics._text_distance import texts
from aigc_models.metrics.frechet_distance import distances, moments, roots

MODALITIES = frozenset({"text"})
DIMENSIONS = 16
MOST = 5_000  # training items that the components are made from
SCALE = 1000  # the features have length 1: distances are of some thousandths


def applies(evidence: Evidence) -> bool:
    return (
        bool(evidence.samples)
        and min(len(evidence.test), len(evidence.train), *map(len, evidence.samples.values())) > DIMENSIONS
    )


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's samples, and for as many training items under the name `real`; in thousandths."""
    embedding = find("aigc_models.modalities", evidence.shape.modality).embedding
    order = np.random.default_rng(evidence.seed).permutation(len(evidence.train))[:MOST]
    train = embedding(texts(evidence.train.take(np.sort(order)), evidence.shape))
    train = train[np.random.default_rng(evidence.seed).permutation(len(train))]
    corpora = {name: embedding(texts(corpus, evidence.shape)) for name, corpus in evidence.samples.items()}
    test = embedding(texts(evidence.test, evidence.shape))
    items = min(len(test), len(train), *map(len, corpora.values()))
    axes = np.linalg.svd(train - train.mean(0), full_matrices=False)[2][:DIMENSIONS].T
    groups = {**corpora, "real": train}
    weighed = weights(items, evidence.seed)
    real = moments((test[:items] @ axes).astype(np.float64), weighed)
    root = roots(real.covariance)
    figures = {
        name: SCALE * distances(moments((each[:items] @ axes).astype(np.float64), weighed), real, root)
        for name, each in groups.items()
    }
    return halved(figures, "thousandths of squared feature units", "lower", POSITIVE)
