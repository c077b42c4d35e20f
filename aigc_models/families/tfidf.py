"""Linear models on TF-IDF of words and of pieces of words (Salton and Buckley 1988): the plain method for labelled text.

Logistic regression for labels, ridge regression (Hoerl and Kennard 1970) for numbers. Terms are one or two words that follow
each other, and 2 to 5 characters inside a word, both by scikit-learn.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import lru_cache

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV, KFold
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.language.term_features import TermFeatures
from aigc_models.language.words import pieces, texts

MODALITIES = frozenset({"text"})
KEPT_WORDS = 50_000  # whose pieces are at hand
FOLDS = 5  # of the train items, to choose the ridge of numbers
NEVER = -30.0  # score of a label without train items, nats below the others'


class Config(BaseModel):
    """What is counted, and what is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    words: tuple[int, int] = Field((1, 2), description="words of a term, from and to")
    characters: tuple[int, int] = Field((2, 5), description="characters of a piece of a word, from and to")
    fewest: int = Field(2, ge=1, description="train texts that a term has to come in")
    most_terms: int = Field(500_000, ge=1, description="of each kind, the most frequent ones")
    strengths: tuple[float, ...] = Field((1.0, 3.0, 10.0), min_length=1, description="inverse ridges (C), those to try")
    balanced: tuple[bool, ...] = Field(
        (False,), min_length=1, description="whether labels weigh the same however rare they are, those to try"
    )
    ridges: tuple[float, ...] = Field(
        (0.1, 0.3, 1.0, 3.0, 10.0, 30.0), min_length=1, description="of numbers, those to try by cross-validation"
    )
    rounds: int = Field(200, ge=1, description="steps of the search at most")


SIZES = {
    "debug": Config(characters=(2, 3), fewest=1, strengths=(10.0,), ridges=(1.0,)),
    "small": Config(),
    "base": Config(),
    "large": Config(),
}


class TermScores:
    """`weights` float32 (term, output) and `offset` float32 (output,) beside the terms; see `TermFeatures`."""

    def __init__(self, config: Config, shape: Shape, outputs: int) -> None:
        self.config, self.labels, self.format = config, len(shape.labels), shape.format
        self.pieces = lru_cache(KEPT_WORDS)(lambda word: tuple(pieces(word, *config.characters)))
        shared = {"sublinear_tf": True, "min_df": config.fewest, "max_features": config.most_terms, "dtype": np.float32}
        self.features = TermFeatures({
            "words": TfidfVectorizer(ngram_range=config.words, token_pattern=r"(?u)\b\w+\b", **shared),
            "characters": TfidfVectorizer(analyzer=self.cut, **shared),
        })  # fmt: skip
        self.weights, self.offset = np.zeros((0, outputs), np.float32), np.zeros(outputs, np.float32)

    def scores(self, batch: Batch) -> Float[Tensor, "item output"]:
        """Features times weights, and the offset, on the batch's device."""
        scores = self.features.of(texts(batch.values, self.format)) @ self.weights + self.offset
        return torch.from_numpy(np.asarray(scores, dtype=np.float32)).to(batch.conditions.device)

    def cut(self, text: str) -> list[str]:
        """The pieces of its words, as of scikit-learn's `char_wb`; the same words come again and again, and are cut once."""
        return [piece for word in text.lower().split() for piece in self.pieces(word)]

    def state_dict(self) -> Mapping[str, Tensor]:
        learnt = {"weights": torch.from_numpy(self.weights.copy()), "offset": torch.from_numpy(self.offset.copy())}
        return self.features.state_dict() | learnt

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.features.load_state_dict(state)
        self.weights, self.offset = linear_part(state, self.features.count, len(self.offset))


class TfIdf(TermScores):
    """Which label a text has: multinomial logistic regression."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(config, shape, len(shape.labels))

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Count the labelled train texts and try every choice in `config`; gives the least log loss of validation, nats."""
        (written, truth), (held, wanted) = (labelled(corpus, self.labels, self.format) for corpus in (train, validation))
        inputs, asked = self.features.fit(written), self.features.of(held) if held else None
        choices = [(strength, balanced) for balanced in self.config.balanced for strength in self.config.strengths]
        best, kept = np.inf, None
        for step, (strength, balanced) in enumerate(choices, start=1):
            weight = "balanced" if balanced else None
            model = LogisticRegression(C=strength, class_weight=weight, max_iter=self.config.rounds)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", ConvergenceWarning)  # a step more or less is no matter here
                model.fit(inputs, truth)
            weights, offset = unfolded(model, self.labels)
            loss = log_loss(asked @ weights + offset, wanted) if asked is not None else 0.0
            progress(step, len(choices), validation_log_loss=loss, strength=strength)
            if kept is None or loss < best:
                best, kept = loss, (weights, offset)
        assert kept is not None
        self.weights, self.offset = kept
        return best

    def classify(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Log-probabilities up to a constant, on the batch's device."""
        return self.scores(batch)


class TfIdfLabels(TermScores):
    """Which labels a text has: a logistic regression for each (one against the rest), all of the same strength."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(config, shape, len(shape.labels))

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Count the train texts that have labels and try every strength; gives the least loss of validation, nats a label."""
        (written, truth), (held, wanted) = (answered(corpus, self.format) for corpus in (train, validation))
        inputs, asked = self.features.fit(written), self.features.of(held) if held else None
        best = np.inf
        for step, strength in enumerate(self.config.strengths, start=1):
            each = [one_against_rest(inputs, has, strength, self.config.rounds) for has in truth.T]
            weights, offset = np.stack([one for one, _ in each], axis=1), np.array([one for _, one in each], np.float32)
            loss = binary_log_loss(asked @ weights + offset, wanted) if asked is not None else 0.0
            progress(step, len(self.config.strengths), validation_log_loss=loss, strength=strength)
            if step == 1 or loss < best:
                best, self.weights, self.offset = loss, weights, offset
        return float(best)

    def assign(self, batch: Batch) -> Float[Tensor, "item label"]:
        """A logit for each label, on the batch's device."""
        return self.scores(batch)


class TfIdfNumber(TermScores):
    """What number a text has: ridge regression."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(config, shape, 1)

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Count the train texts that have a number; the ridge is chosen by cross-validation. Gives the mean squared error of
        validation."""
        (written, truth), (held, wanted) = (answered(corpus, self.format) for corpus in (train, validation))
        inputs = self.features.fit(written)
        middle, spread = float(truth.mean()), max(float(truth.std()), 1e-12)
        folds = KFold(min(FOLDS, len(truth)), shuffle=True, random_state=0)
        search = GridSearchCV(Ridge(), {"alpha": self.config.ridges}, scoring="neg_mean_squared_error", cv=folds)
        search.fit(inputs, (truth[:, 0] - middle) / spread)
        ridge = search.best_estimator_
        progress(1, 1, ridge=search.best_params_["alpha"])
        self.weights = np.asarray(ridge.coef_ * spread, np.float32)[:, None]
        self.offset = np.array([middle + spread * ridge.intercept_], np.float32)
        said = self.features.of(held) @ self.weights + self.offset if held else wanted
        return float(np.square(said - wanted).mean()) if held else 0.0

    def regress(self, batch: Batch) -> Float[Tensor, " item"]:
        """In the unit of the data's own numbers, on the batch's device."""
        return self.scores(batch)[:, 0]


def answered(corpus: Corpus, format: object) -> tuple[list[str], np.ndarray]:
    """The texts that have targets, and these, float64 (item, target)."""
    chosen = corpus.answered()
    return texts(chosen.sequences, format), np.asarray(chosen.targets, dtype=np.float64)


def one_against_rest(inputs: csr_matrix, has: np.ndarray, strength: float, rounds: int) -> tuple[np.ndarray, float]:
    """Weights float32 (term,) and the offset of one label, from which items have it, (item,)."""
    share = (has.sum() + 0.5) / (len(has) + 1)
    if has.min() == has.max():  # all have it, or none: nothing tells when
        return np.zeros(inputs.shape[1], np.float32), float(np.log(share / (1 - share)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # a step more or less is no matter here
        model = LogisticRegression(C=strength, max_iter=rounds).fit(inputs, has)
    return np.asarray(model.coef_[0], np.float32), float(model.intercept_[0])


def binary_log_loss(scores: np.ndarray, truth: np.ndarray) -> float:
    """Nats a label, from logits and which labels there are, both (item, label)."""
    return float((np.logaddexp(0, scores) - scores * truth).mean()) if truth.size else 0.0


def labelled(corpus: Corpus, labels: int, format: object) -> tuple[list[str], np.ndarray]:
    """The texts that have a label, and which, int64 (item,)."""
    rows = np.flatnonzero(np.asarray(corpus.conditions) < labels)
    chosen = corpus.take(rows)
    return texts(chosen.sequences, format), np.asarray(chosen.conditions, dtype=np.int64)


def unfolded(model: LogisticRegression, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Weights (term, label) and offset (label,): one a label, also where there are two, or where some have no item."""
    coefficients, intercept = model.coef_, model.intercept_
    if len(model.classes_) == 2:  # scikit-learn has the second one's alone
        coefficients, intercept = np.concatenate([-coefficients, coefficients]) / 2, np.concatenate([-intercept, intercept]) / 2
    weights = np.zeros((coefficients.shape[1], labels), np.float32)
    offset = np.full(labels, intercept.min() + NEVER, np.float32)
    weights[:, model.classes_], offset[model.classes_] = coefficients.T, intercept
    return weights, offset


def linear_part(state: Mapping[str, Tensor], terms: int, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """The stored weights and offset; raises `ValueError` where they are not of so many terms and labels."""
    weights, offset = state["weights"].float().numpy().copy(), state["offset"].float().numpy().copy()
    if weights.shape != (terms, labels) or offset.shape != (labels,):
        raise ValueError(f"weights {weights.shape} and offset {offset.shape} of {terms} terms and {labels} labels")
    return weights, offset


def log_loss(scores: np.ndarray, truth: np.ndarray) -> float:
    """Nats an item, from scores before the softmax (item, label)."""
    log = torch.from_numpy(np.asarray(scores, dtype=np.float64)).log_softmax(1).numpy()
    return float(-log[np.arange(len(truth)), truth].mean()) if len(truth) else 0.0


def build(config: Config, shape: Shape) -> TermScores:
    """What answers the shape's task; to classify where that is none of the others."""
    return {"multilabel": TfIdfLabels, "regress": TfIdfNumber}.get(shape.task, TfIdf)(config, shape)
