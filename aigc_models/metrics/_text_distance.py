"""How far texts lie from their nearest training text: cosine distance of TF-IDF of character n-grams."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.find import find
from aigc_models.metrics._neighbours import NEIGHBOURS, Neighbours

ROWS = 256  # texts compared with all training texts at a time
MOST_CHARACTERS = 2_000  # of a text
SHORTEST, LONGEST = 3, 5  # characters of an n-gram


def texts(corpus: Corpus, shape: Shape) -> list[str]:
    """The items as text, each its beginning; bytes that are not UTF-8 become replacement characters."""
    decoded = find("aigc_models.modalities", shape.modality).decode(corpus.values, shape.format)
    return [text[:MOST_CHARACTERS] for text in decoded]


def nearest(train: Corpus, groups: Mapping[str, Corpus], shape: Shape) -> dict[str, Neighbours]:
    """For each group its items' nearest in `train`: distances in [0, 1], 1 for an empty text; `most` is the same."""
    vectoriser, transposed = _vectors(texts(train, shape))
    distances = {}
    for name, corpus in groups.items():
        asked = vectoriser.transform(texts(corpus, shape))
        near = [highest(asked[start : start + ROWS] @ transposed) for start in range(0, asked.shape[0], ROWS)]
        ascending = np.clip(1.0 - np.concatenate(near).astype(np.float64), 0.0, 1.0)
        distances[name] = Neighbours(ascending, ascending)
    return distances


def closest(references: Sequence[str], asked: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Of each text the number (text,) of its nearest reference, and how far that is; both sides by their beginnings."""
    vectoriser, transposed = _vectors([text[:MOST_CHARACTERS] for text in references])
    likenesses = (vectoriser.transform([text[:MOST_CHARACTERS] for text in asked]) @ transposed).toarray()
    best = likenesses.argmax(1)
    return best, np.clip(1.0 - likenesses[np.arange(len(best)), best].astype(np.float64), 0.0, 1.0)


def _vectors(references: Sequence[str]) -> tuple[TfidfVectorizer, csr_matrix]:
    """What turns texts into rows of length 1, and those of the references as columns."""
    longest = max(map(len, references), default=0)
    sizes = (min(SHORTEST, max(1, longest)), LONGEST)  # where no text is that long, shorter ones are compared
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=sizes, sublinear_tf=True, lowercase=True, dtype=np.float32)
    return vectoriser, vectoriser.fit_transform(references).T.tocsr()


def highest(likenesses: csr_matrix) -> NDArray[np.float32]:
    """Of each row the `NEIGHBOURS` highest entries, descending, fewer if there are fewer."""
    dense = likenesses.toarray()
    kept = min(NEIGHBOURS, dense.shape[1])
    return np.sort(np.partition(dense, dense.shape[1] - kept, axis=1)[:, -kept:], axis=1)[:, ::-1]
