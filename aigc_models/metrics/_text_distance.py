"""How far texts lie from their nearest training text: cosine distance of TF-IDF of character n-grams."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer

from aigc_models.corpus import Corpus
from aigc_models.metrics._neighbours import NEIGHBOURS, Neighbours
from aigc_models.modalities.text import END

ROWS = 256  # texts compared with all training texts at a time
MOST_SYMBOLS = 2_000  # of a text
SHORTEST, LONGEST = 3, 5  # characters of an n-gram


def texts(corpus: Corpus) -> list[str]:
    """The items as text; bytes that are not UTF-8 become replacement characters."""
    values = np.asarray(corpus.values)[:, :MOST_SYMBOLS]
    return [bytes(row[row < END].astype(np.uint8)).decode("utf-8", errors="replace") for row in values]


def nearest(train: Corpus, groups: Mapping[str, Corpus]) -> dict[str, Neighbours]:
    """For each group its items' nearest in `train`: distances in [0, 1], 1 for an empty text; `most` is the same."""
    references = texts(train)
    longest = max(map(len, references), default=0)
    sizes = (min(SHORTEST, max(1, longest)), LONGEST)  # where no text is that long, shorter ones are compared
    vectoriser = TfidfVectorizer(analyzer="char", ngram_range=sizes, sublinear_tf=True, lowercase=True, dtype=np.float32)
    transposed = vectoriser.fit_transform(references).T.tocsr()
    distances = {}
    for name, corpus in groups.items():
        asked = vectoriser.transform(texts(corpus))
        near = [highest(asked[start : start + ROWS] @ transposed) for start in range(0, asked.shape[0], ROWS)]
        ascending = np.clip(1.0 - np.concatenate(near).astype(np.float64), 0.0, 1.0)
        distances[name] = Neighbours(ascending, ascending)
    return distances


def highest(likenesses: csr_matrix) -> NDArray[np.float32]:
    """Of each row the `NEIGHBOURS` highest entries, descending, fewer if there are fewer."""
    dense = likenesses.toarray()
    kept = min(NEIGHBOURS, dense.shape[1])
    return np.sort(np.partition(dense, dense.shape[1] - kept, axis=1)[:, -kept:], axis=1)[:, ::-1]
