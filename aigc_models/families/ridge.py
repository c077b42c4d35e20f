"""Regularised least-squares classification of texts (Rifkin, Yeo and Poggio 2003), from kinds of terms side by side:
neighbouring word stems, stems further apart, pieces of words, characters across words, and how figures compare.

Solved in the space of items, so that terms may be many. What each item would be given had it not been learned comes in
closed form; the strength is chosen by it, and the scores become probabilities by a logistic regression on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from scipy.linalg import inv
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.families.tfidf import KEPT_WORDS, labelled, linear_part, log_loss, unfolded
from aigc_models.language.term_features import TermFeatures
from aigc_models.language.words import comparisons, figured, neighbours, pieces, texts

MODALITIES = frozenset({"text"})


class Config(BaseModel):
    """What is counted, and what is tried by leaving one item out."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    stem: int = Field(5, ge=1, description="first characters of a word that stand for it")
    apart: int = Field(5, ge=1, description="words between which pairs of stems are counted")
    characters: tuple[int, int] = Field((2, 5), description="characters of a piece of a word, from and to")
    across: tuple[int, int] = Field((3, 7), description="characters that follow each other, across words too, from and to")
    fewest: int = Field(2, ge=1, description="train texts that a term has to come in")
    strengths: tuple[float, ...] = Field((0.03, 0.1, 0.3), min_length=1, description="ridges, those to try")
    most: int = Field(6000, ge=10, description="train texts looked at, more are sampled down: time grows with their cube")


DEBUG = Config(characters=(2, 3), across=(3, 4), strengths=(0.1,), most=500)
SIZES = {"debug": DEBUG, "small": Config(), "base": Config(), "large": Config()}


class Ridge:
    """`weights` float32 (term, label) and `offset` float32 (label,) beside the terms, the calibration in both."""

    def __init__(self, config: Config, shape: Shape) -> None:
        self.config, self.labels, self.format = config, len(shape.labels), shape.format
        shared = {"sublinear_tf": True, "dtype": np.float32}
        kinds = {"stems": 1, "pairs": config.fewest, "pieces": config.fewest, "across": config.fewest, "figures": 1}
        self.features = TermFeatures({
            kind: TfidfVectorizer(analyzer=terms_of(kind), min_df=fewest, **shared) for kind, fewest in kinds.items()
        })  # fmt: skip
        self.pieces = lru_cache(KEPT_WORDS)(lambda word: tuple(pieces(word, *config.characters)))
        self.weights, self.offset = np.zeros((0, self.labels), np.float32), np.zeros(self.labels, np.float32)

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Learn from the labelled train texts; gives the log loss of validation, nats, which chooses nothing."""
        written, truth = labelled(train.sample(self.config.most, 0), self.labels, self.format)
        inputs = self.features.fit(self.read(written))
        wanted = np.eye(self.labels)[truth]
        centre = wanted.mean(0)
        gram = (inputs @ inputs.T).toarray().astype(np.float64)
        best, kept = np.inf, (centre, centre)
        for step, strength in enumerate(self.config.strengths, start=1):
            inverse = inv(gram + strength * len(self.features.filled) * np.eye(len(gram)), assume_a="pos")
            duals = inverse @ (wanted - centre)
            left_out = wanted - centre - duals / np.diag(inverse)[:, None]
            error = float(np.square(wanted - centre - left_out).mean())
            progress(step, len(self.config.strengths), left_out_error=error, strength=strength)
            if error < best:
                best, kept = error, (duals, left_out)
        self.settle(inputs, *kept, truth)
        held, wanted_labels = labelled(validation, self.labels, self.format)
        return log_loss(self.scores(held), wanted_labels) if held else best

    def settle(self, inputs: csr_matrix, duals: np.ndarray, left_out: np.ndarray, truth: np.ndarray) -> None:
        """Weights of the terms, and what turns scores into log-probabilities, as one linear map."""
        calibration = LogisticRegression(C=1000.0, max_iter=1000).fit(left_out, truth)
        matrix, offset = unfolded(calibration, self.labels)
        self.weights, self.offset = ((inputs.T @ duals) @ matrix).astype(np.float32), offset

    def read(self, written: list[str]) -> list[dict[str, list[str]]]:
        """The terms of each text, by kind."""
        return [self.terms(text) for text in written]

    def terms(self, text: str) -> dict[str, list[str]]:
        marked, figures = figured(text)
        stems = [word[: self.config.stem] if word.isalpha() else word for word in marked]
        near = neighbours(stems, 1)
        return {
            "stems": near,
            "pairs": neighbours(stems, self.config.apart)[len(near) :],
            "pieces": [piece for word in marked for piece in self.pieces(word)],
            "across": pieces(" ".join(marked), *self.config.across),
            "figures": comparisons(marked, figures),
        }

    def scores(self, written: list[str]) -> np.ndarray:
        """Log-probabilities up to a constant, float32 (item, label)."""
        return np.asarray(self.features.of(self.read(written)) @ self.weights + self.offset, dtype=np.float32)

    def classify(self, batch: Batch) -> Float[Tensor, "item label"]:
        """The same, on the batch's device."""
        return torch.from_numpy(self.scores(texts(batch.values, self.format))).to(batch.conditions.device)

    def state_dict(self) -> Mapping[str, Tensor]:
        learnt = {"weights": torch.from_numpy(self.weights.copy()), "offset": torch.from_numpy(self.offset.copy())}
        return self.features.state_dict() | learnt

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.features.load_state_dict(state)
        self.weights, self.offset = linear_part(state, self.features.count, self.labels)


def terms_of(kind: str) -> Callable[[Mapping[str, list[str]]], list[str]]:
    """Takes the terms of one kind out of a text's."""
    return lambda terms: terms[kind]


def build(config: Config, shape: Shape) -> Ridge:
    return Ridge(config, shape)
