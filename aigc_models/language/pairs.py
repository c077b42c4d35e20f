"""Questions and their answers: items of text whose first line asks and whose other lines answer.

An answer is right for a question where the data give it to that question, whichever item it stands in.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import comb
from torch import Tensor

from aigc_models.corpus import Batch
from aigc_models.language.words import texts
from aigc_models.sequences import Sequences


class Pair(NamedTuple):
    """An item taken apart; the answer is empty where it has one line."""

    question: str
    answer: str


def pair(text: str) -> Pair:
    """The first line, and the others."""
    question, _, answer = text.partition("\n")
    return Pair(question, answer)


def pairs_of(values: Tensor | Sequences, format: Any) -> list[Pair]:
    """Of encoded items; a piece of a tokeniser may reach across the line's end, so that they are taken apart as texts."""
    return [pair(text) for text in texts(values, format)]


def batch_of(written: Sequence[str], format: Any, none: int) -> Batch:
    """Questions or answers as a batch without labels; `none`: the condition of an item that has none."""
    from aigc_models.modalities import text

    return Batch(text.encode(written, format).tensor(), torch.full((len(written),), none, dtype=torch.int64))


def distinct_answers(pairs: Iterable[Pair]) -> list[str]:
    """Each answer once, in the order in which they come."""
    return list(dict.fromkeys(one.answer for one in pairs))


def right_answers(asked: Sequence[Pair], history: Iterable[Pair], answers: Sequence[str]) -> NDArray[np.bool_]:
    """Which `answers` are right for each question in `asked`, by all pairs of `history`: bool (question, answer)."""
    columns = {answer: column for column, answer in enumerate(answers)}
    of_question = dict[str, set[int]]()
    for one in history:
        of_question.setdefault(one.question, set()).add(columns[one.answer])
    right = np.zeros((len(asked), len(answers)), dtype=bool)
    for row, one in enumerate(asked):
        right[row, list(of_question[one.question])] = True
    return right


def ranks(scores: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """The place of the best right answer, from 1, float64 (question,); in the middle of the wrong ones with its score."""
    above, level, _ = _against(scores, right)
    return np.asarray(1 + above + level / 2, dtype=np.float64)


def hits(scores: NDArray[np.floating[Any]], right: NDArray[np.bool_], first: int) -> NDArray[np.float64]:
    """How likely a right answer is among the `first` ones, answers of the same score in random order: float64 (question,)."""
    above, level, alike = _against(scores, right)
    left = np.minimum(first - above, level + alike)
    missed = comb(level, np.maximum(left, 0)) / comb(level + alike, np.maximum(left, 0))
    return np.asarray(np.where(left > 0, 1 - missed, 0.0), dtype=np.float64)


def _against(scores: NDArray[np.floating[Any]], right: NDArray[np.bool_]) -> tuple[NDArray[np.int64], ...]:
    """Wrong answers above the best right one, wrong ones with its score, and right ones with it: int64 (question,) each.

    What is no number is below all others.
    """
    scores = np.nan_to_num(np.asarray(scores, dtype=np.float64), nan=-np.inf, posinf=np.inf, neginf=-np.inf)
    best = np.where(right, scores, -np.inf).max(1, keepdims=True)
    counts = ((scores > best) & ~right, (scores == best) & ~right, (scores == best) & right)
    return tuple(np.asarray(each.sum(1), dtype=np.int64) for each in counts)
