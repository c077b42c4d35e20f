"""TF-IDF of several kinds of terms side by side, by scikit-learn's vectorisers, which are stored as tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from torch import Tensor

from aigc_models.errors import BadInput

BORDER = "\n"  # between stored terms; none has one


class TermFeatures:
    """`vectorisers` by the name of what they count; each has rows of length 1 of its own, or none where it found no term."""

    def __init__(self, vectorisers: Mapping[str, TfidfVectorizer]) -> None:
        self.vectorisers, self.filled = dict(vectorisers), dict[str, TfidfVectorizer]()

    def fit(self, texts: Sequence[Any]) -> csr_matrix:
        """The features of these texts, float (item, term), whose terms are those that are counted from now on.

        Raises `BadInput` where they have none of any kind.
        """
        parts = []
        self.filled = {}
        for name, one in self.vectorisers.items():
            try:
                parts.append(one.fit_transform(texts))
                self.filled[name] = one
            except ValueError:  # no term of this kind, or none that comes often enough
                continue
        if not parts:
            raise BadInput("the train texts have no words that come more than once; give more of them, or longer ones")
        return csr_matrix(hstack(parts))

    def of(self, texts: Sequence[Any]) -> csr_matrix:
        """Float (item, term) of other texts; terms that were not there in training do not count."""
        return csr_matrix(hstack([one.transform(texts) for one in self.filled.values()]))

    @property
    def count(self) -> int:
        """Terms of all kinds."""
        return sum(len(one.idf_) for one in self.filled.values())

    def state_dict(self) -> dict[str, Tensor]:
        """Of each kind `terms` uint8 (byte,), UTF-8, one a line in the order of their columns, and `idf` float32 (term,)."""
        state = {}
        for name, one in self.filled.items():
            terms = BORDER.join(one.get_feature_names_out()).encode("utf-8", "surrogatepass")
            state[f"{name}.terms"] = torch.from_numpy(np.frombuffer(terms, dtype=np.uint8).copy())
            state[f"{name}.idf"] = torch.from_numpy(np.asarray(one.idf_, dtype=np.float32))
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Raises `KeyError` where a part is missing, `ValueError` where two do not fit each other."""
        self.filled = {name: one for name, one in self.vectorisers.items() if f"{name}.terms" in state}
        for name, one in self.filled.items():
            terms, idf = state[f"{name}.terms"], state[f"{name}.idf"]
            names = terms.numpy().tobytes().decode("utf-8", "surrogatepass").split(BORDER)
            if len(names) != len(idf) or len(set(names)) != len(names):
                raise ValueError(f"{name}: {len(names)} terms, and how rare {len(idf)} of them are")
            one.set_params(vocabulary={term: column for column, term in enumerate(names)})
            one.idf_ = idf.double().numpy()
