"""BM25 (Robertson and Zaragoza 2009): the plain method for questions and answers, by the words that two texts share.

A question is held against the words of an answer, and against the train questions that had this answer, of which the best
one counts:

    score(question, answer) = (1 - m) BM25(question, answer) + m max of BM25(question, train question of the answer)

k1, b and m are those of the best mean reciprocal rank on the validation split.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from scipy.sparse import csr_matrix
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.language.pairs import Pair, distinct_answers, pair, pairs_of, ranks, right_answers
from aigc_models.language.words import texts

MODALITIES = frozenset({"text"})
BORDER = "\0"  # between stored pairs; no text has one
_UNSPACED = "[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]"  # Japanese and Chinese, written without blanks: by character
_TERM = re.compile(rf"{_UNSPACED}|(?:(?!{_UNSPACED})\w)+")


class Config(BaseModel):
    """What is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    k1: tuple[float, ...] = Field((0.9, 1.2, 2.0), min_length=1, description="how much a word counts that comes again, to try")
    b: tuple[float, ...] = Field((0.25, 0.5, 0.75), min_length=1, description="how much length is made up for (0 to 1), to try")
    past: tuple[float, ...] = Field(
        (0.0, 0.25, 0.5, 0.75, 1.0), min_length=1, description="weight of train questions beside answers (m, 0 to 1), to try"
    )
    most_items: int = Field(2_000, ge=1, description="validation items that the choice is made on, at most")


SIZES = dict.fromkeys(("debug", "small", "base", "large"), Config())


class Table(NamedTuple):
    """What a word counts in each of some texts: `weights` (term, text), the rows of `terms`."""

    terms: dict[str, int]
    weights: csr_matrix

    def scores(self, counts: Sequence[Counter[str]]) -> np.ndarray:
        """BM25 of each text for each question: float64 (question, text)."""
        terms = self.terms
        cells = [(row, terms[term], n) for row, count in enumerate(counts) for term, n in count.items() if term in terms]
        rows, columns, values = np.array(cells, dtype=np.float64).reshape(-1, 3).T
        asked = csr_matrix((values, (rows.astype(int), columns.astype(int))), shape=(len(counts), len(self.terms)))
        return np.asarray((asked @ self.weights).toarray())


class Index(NamedTuple):
    """Distinct answers, which of them each train pair has (-1: none), and which of them each answer is, int64 both."""

    table: Table
    of_pair: np.ndarray
    of_answer: np.ndarray


class Bm25:
    """`pairs` are the train items, `chosen` k1, b and m: all else follows from them."""

    def __init__(self, config: Config, shape: Shape) -> None:
        self.config, self.format = config, shape.format
        self.keep([], (config.k1[0], config.b[0], config.past[0]))

    def keep(self, pairs: Sequence[Pair], chosen: Sequence[float]) -> None:
        """Count the words of `pairs`, and use the given k1, b and m."""
        self.pairs, (self.k1, self.b, self.past) = list(pairs), chosen
        asked, said = [terms(one.question) for one in self.pairs], [terms(text) for text in distinct_answers(self.pairs)]
        self.holding = Counter(term for count in (*asked, *said) for term in count)  # train texts that have a word
        self.texts = len(asked) + len(said)
        self.lengths = mean_length(said), mean_length(asked)
        self.questions = self.table(asked, self.lengths[1])

    def table(self, counts: Sequence[Counter[str]], mean: float) -> Table:
        """What each word of some texts counts in them, beside texts of a `mean` number of words; one that no train text has
        is as rare as can be."""
        names = {term: row for row, term in enumerate(dict.fromkeys(term for count in counts for term in count))}
        lengths = np.array([count.total() for count in counts], dtype=np.float64)
        long = 1 - self.b + self.b * lengths / mean
        cells = [(names[term], column, n) for column, count in enumerate(counts) for term, n in count.items()]
        rows, columns, often = np.array(cells, dtype=np.float64).reshape(-1, 3).T
        rows, columns = rows.astype(int), columns.astype(int)
        held = np.array([self.holding[term] for term in names], dtype=np.float64)
        rare = np.log1p((self.texts - held + 0.5) / (held + 0.5))
        values = rare[rows] * often * (self.k1 + 1) / (often + self.k1 * long[columns])
        return Table(names, csr_matrix((values, (rows, columns)), shape=(len(names), len(counts))))

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Keep the train pairs and try every choice in `config`; gives 1 - the best mean reciprocal rank of validation items
        among all answers of both splits (0 without any)."""
        pairs = pairs_of(train.sequences, self.format)
        held = pairs_of(validation.sample(self.config.most_items, 0).sequences, self.format)
        choices = list(product(self.config.k1, self.config.b))
        pool = distinct_answers([*pairs, *held])
        right, asked = right_answers(held, [*pairs, *held], pool), [terms(one.question) for one in held]
        best, kept = -1.0, (choices[0][0], choices[0][1], self.config.past[0])
        for step, (k1, b) in enumerate(choices if held else (), start=1):
            self.keep(pairs, (k1, b, 0.0))
            parts = self.parts(asked, self.indexed(pool))
            for past in self.config.past:
                rank = float((1 / ranks(mixed(*parts, past), right)).mean())
                if rank > best:
                    best, kept = rank, (k1, b, past)
            progress(step, len(choices), reciprocal_rank=best)
        self.keep(pairs, kept)
        return 1 - best if held else 0.0

    def indexed(self, answers: Sequence[str]) -> Index:
        """`index` of texts."""
        numbers = {answer: number for number, answer in enumerate(dict.fromkeys(answers))}
        of_pair = np.array([numbers.get(one.answer, -1) for one in self.pairs], dtype=np.int64)
        of_answer = np.array([numbers[answer] for answer in answers], dtype=np.int64)
        return Index(self.table([terms(answer) for answer in numbers], self.lengths[0]), of_pair, of_answer)

    def parts(self, asked: Sequence[Counter[str]], index: Index) -> tuple[np.ndarray, np.ndarray]:
        """By the answers' words, and by the best train question of each: float64 (question, answer) both."""
        said = index.table.scores(asked)
        past, has = np.zeros_like(said), index.of_pair >= 0
        if has.any():
            np.maximum.at(past.T, index.of_pair[has], self.questions.scores(asked)[:, has].T)
        return said[:, index.of_answer], past[:, index.of_answer]

    def index(self, answers: Batch) -> Index:
        """The answers' words, and the train questions that had them."""
        return self.indexed(texts(answers.values, self.format))

    def match(self, questions: Batch, answers: Batch | Index) -> Float[Tensor, "item answer"]:
        """Scores, 0 where nothing is shared."""
        index = self.index(answers) if isinstance(answers, Batch) else answers
        asked = [terms(text) for text in texts(questions.values, self.format)]
        scores = mixed(*self.parts(asked, index), self.past)
        return torch.from_numpy(scores.astype(np.float32)).to(questions.conditions.device)

    def state_dict(self) -> Mapping[str, Tensor]:
        """`pairs` uint8 (byte,): the train items in UTF-8, and `chosen` float64 (3,): k1, b and m."""
        written = BORDER.join(f"{one.question}\n{one.answer}" for one in self.pairs).encode("utf-8", "surrogatepass")
        chosen = torch.tensor([self.k1, self.b, self.past], dtype=torch.float64)
        return {"pairs": torch.from_numpy(np.frombuffer(written, dtype=np.uint8).copy()), "chosen": chosen}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Raises `KeyError` where a part is missing, `ValueError` for numbers that are none of BM25's."""
        chosen = state["chosen"].double().tolist()
        if len(chosen) != 3 or not (chosen[0] >= 0 and 0 <= chosen[1] <= 1 and 0 <= chosen[2] <= 1):
            raise ValueError(f"k1, b and the weight of train questions are {chosen}")
        written = state["pairs"].numpy().tobytes().decode("utf-8", "surrogatepass")
        self.keep([pair(text) for text in written.split(BORDER)] if written else [], chosen)


def terms(text: str) -> Counter[str]:
    """The words of a text and how often each comes, in lower case and without marks."""
    return Counter(_TERM.findall(text.lower()))


def mean_length(counts: Sequence[Counter[str]]) -> float:
    """Words of a text, 1 at least."""
    return max(1.0, sum(count.total() for count in counts) / max(1, len(counts)))


def mixed(said: np.ndarray, past: np.ndarray, weight: float) -> np.ndarray:
    """Both parts, the second with `weight`."""
    return (1 - weight) * said + weight * past


def build(config: Config, shape: Shape) -> Bm25:
    return Bm25(config, shape)
