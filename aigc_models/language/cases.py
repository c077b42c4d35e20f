"""Past cases that a question is answered from: what is written is an answer that was given before, or nothing at all.

A case is scored by its question and by its answer, and the better one counts. A score is the members' own one, weighted:

    score(question, text) = sum of w_i s_i(question, text),    w_i: a member's share by the mean spread of its scores

How sure a reply is says how many validation questions that no case answers score lower: each is asked with the cases that
answer it left out, so that there are as many as validation has items (a conformal p-value, Vovk et al. 2005, section 2.2).
At a confidence of 0.95, one in twenty of such questions gets an answer all the same.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import Any, NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Matches
from aigc_models.language.pairs import Pair, batch_of, right_answers
from aigc_models.training.devices import place_of

CASES, INDEXED = "cases.json", "cases.safetensors"
SURE = 0.95  # confidence of a reply that is given
MOST_ASKED = 1_000  # validation questions
AT_ONCE = 64  # questions

Floats = NDArray[np.float64]


class Case(NamedTuple):
    """A question that was answered; `id`: of the item in the data set."""

    id: str
    question: str
    answer: str


class Cases(BaseModel):
    """What a bundle keeps of them, as `CASES`; what takes a network to make of their texts stands beside it, as `INDEXED`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    weights: dict[str, float] = Field(description="by member; those at zero are not asked")
    unanswered: tuple[float, ...] = Field(description="the best scores of validation questions that no case answers, ascending")
    cases: tuple[Case, ...] = Field(min_length=1)

    def confidence(self, score: float) -> float | None:
        """Share of the questions that no case answers which score lower; None where validation had no question."""
        if not self.unanswered:
            return None
        return float(np.searchsorted(self.unanswered, score, side="left")) / len(self.unanswered)

    def certain(self, scores: Floats, least: float = SURE) -> NDArray[np.bool_]:
        """Which scores float64 (question,) are those of a reply that is to be given, bool (question,)."""
        if not self.unanswered:
            return np.isfinite(scores)
        return np.asarray(np.searchsorted(self.unanswered, scores, side="left") >= least * len(self.unanswered))


class Reply(NamedTuple):
    """An answer that was given before, the case that speaks for it most, and how sure it is (0 to 1; None: not known)."""

    answer: str
    case: Case
    score: float
    confidence: float | None

    def suits(self, least: float = SURE) -> bool:
        """Whether it is to be given."""
        return self.confidence is None or self.confidence >= least


class CaseBook:
    """Cases and the members that look for them; `none`: the condition of a text without a label."""

    def __init__(
        self,
        members: Mapping[str, object],
        cases: Cases,
        format: Any,
        none: int,
        indexes: Mapping[str, Tensor] | None = None,
    ) -> None:
        """`indexes`: what members need of the texts, float (text, feature), where it was kept; else it is made."""
        self.kept, self.format, self.none, self.indexes = cases, format, none, dict(indexes or {})
        self.members = {name: cast(Matches, members[name]) for name, weight in cases.weights.items() if weight > 0}
        self.answers = list(dict.fromkeys(case.answer for case in cases.cases))
        self.texts = list(dict.fromkeys([*self.answers, *(case.question for case in cases.cases)]))

    @cached_property
    def places(self) -> tuple[NDArray[np.int64], ...]:
        """Of each case the column of its question, of its answer, and the number of its answer."""
        columns = {text: column for column, text in enumerate(self.texts)}
        numbers = {answer: number for number, answer in enumerate(self.answers)}
        rows = [(columns[case.question], columns[case.answer], numbers[case.answer]) for case in self.kept.cases]
        return tuple(np.array(rows, dtype=np.int64).T)

    @cached_property
    def indexed(self) -> dict[str, Any]:
        """What each member needs of the texts, made once."""
        made: dict[str, Any] = {}
        for name, member in self.members.items():
            place, kept = place_of(member), self.indexes.get(name)
            if kept is not None and len(kept) == len(self.texts):
                made[name] = kept.to(place)
                continue
            with torch.inference_mode():
                made[name] = member.index(batch_of(self.texts, self.format, self.none).to(place))
        return made

    def without(self, pairs: Collection[Pair]) -> CaseBook:
        """The same without the cases that are among `pairs`; raises `ValueError` where none is left."""
        kept = [case for case in self.kept.cases if Pair(case.question, case.answer) not in pairs]
        cases = Cases(weights=self.kept.weights, unanswered=self.kept.unanswered, cases=tuple(kept))
        book, columns = CaseBook(self.members, cases, self.format, self.none), {text: at for at, text in enumerate(self.texts)}
        rows = [columns[text] for text in book.texts]
        book.indexes = {name: one[rows] for name, one in self.indexed.items() if isinstance(one, Tensor)}
        return book

    def member_scores(self, questions: Sequence[str]) -> dict[str, Floats]:
        """Each member's scores float64 (question, text)."""
        made = dict[str, Floats]()
        for name, member in self.members.items():
            parts = [questions[at : at + AT_ONCE] for at in range(0, len(questions), AT_ONCE)]
            batches = [batch_of(part, self.format, self.none).to(place_of(member)) for part in parts]
            with torch.inference_mode():
                scores = [member.match(batch, self.indexed[name]).double().cpu().numpy() for batch in batches]
            made[name] = np.concatenate(scores) if scores else np.zeros((0, len(self.texts)))
        return made

    def of_cases(self, scores: Floats) -> Floats:
        """Scores float64 (question, case) from those of the texts."""
        asked, said, _ = self.places
        return np.asarray(np.maximum(scores[:, asked], scores[:, said]))

    def of_answers(self, cases: Floats) -> Floats:
        """Scores float64 (question, answer) from those of the cases: the best case counts."""
        best = np.full((len(cases), len(self.answers)), -np.inf)
        np.maximum.at(best.T, self.places[2], cases.T)
        return best

    def reply(self, question: str, count: int = 1) -> list[Reply]:
        """The `count` answers that suit best, the best first; of equal ones that of the earlier case."""
        scores = mixed(self.member_scores([question]), self.kept.weights)
        cases = self.of_cases(scores)
        answers, number = self.of_answers(cases)[0], self.places[2]
        replies = []
        for at in (-answers).argsort(kind="stable")[:count]:
            rows = np.flatnonzero(number == at)
            level = cases[0, rows] == cases[0, rows].max()  # by the answer alone several cases are level: the question decides
            nearest = rows[np.where(level, scores[0, self.places[0][rows]], -np.inf).argmax()]
            score = float(answers[at])
            replies.append(Reply(self.answers[at], self.kept.cases[nearest], score, self.kept.confidence(score)))
        return replies


def mixed(scores: Mapping[str, Floats], weights: Mapping[str, float]) -> Floats:
    """The members' scores, weighted."""
    return np.asarray(sum(weights[name] * each for name, each in scores.items() if weights[name] > 0))


def learn(
    members: Mapping[str, object],
    shares: Mapping[str, float],
    past: Sequence[Case],
    held: Sequence[Pair],
    format: Any,
    none: int,
) -> Cases:
    """Weights and the scores of what no case answers, from the questions `held` that members did not learn from.

    Tried are the ensemble's `shares` and each member alone; taken is what answers most of them rightly at `SURE`, of equal
    ones the ensemble. The cases are `past`, to which more may be added later.
    """
    asked = held[:MOST_ASKED]
    even = Cases(weights=dict.fromkeys(members, 1.0), unanswered=(), cases=tuple(past))
    if not asked:
        return even.model_copy(update={"weights": {name: shares[name] for name in members}})
    book = CaseBook(members, even, format, none)
    scores = book.member_scores([one.question for one in asked])
    spread = {name: max(float(each.std(axis=1).mean()), 1e-9) for name, each in scores.items()}
    right = answering(asked, past, book.answers)
    tried = [dict(shares), *(({name: float(name == one) for name in members}) for one in members if len(members) > 1)]
    best, kept = -1.0, even
    for share in tried:
        weights = {name: share[name] / spread[name] for name in members}
        answers = book.of_answers(book.of_cases(mixed(scores, weights)))
        highest = np.sort(np.where(right, -np.inf, answers).max(axis=1))
        made = Cases(weights=weights, unanswered=tuple(highest[np.isfinite(highest)].tolist()), cases=tuple(past))
        figures = judged(made, answers, right)
        if figures["right"] > best:
            best, kept = figures["right"], made
    return kept


def answering(asked: Sequence[Pair], past: Sequence[Case], answers: Sequence[str]) -> NDArray[np.bool_]:
    """Which answers of past cases are right for each question: those that the data give it, whichever item it stands in."""
    history = [*(Pair(case.question, case.answer) for case in past), *asked]
    everything = list(dict.fromkeys([*answers, *(one.answer for one in asked)]))
    return right_answers(asked, history, everything)[:, : len(answers)]


def judged(cases: Cases, answers: Floats, right: NDArray[np.bool_], least: float = SURE) -> dict[str, float]:
    """What becomes of questions with these scores float64 (question, answer), as shares of all that a case answers: `right`
    and `wrong` answers; and `unfounded`, the share answered of all questions once the cases that answer them are left out."""
    answerable = right.any(axis=1)
    given = cases.certain(answers.max(axis=1), least)
    hit = right[np.arange(len(right)), answers.argmax(axis=1)] & given
    without = cases.certain(np.where(right, -np.inf, answers).max(axis=1), least)
    count = max(1, int(answerable.sum()))
    return {
        "questions": float(len(right)),
        "answerable": float(answerable.sum()),
        "right": float((hit & answerable).sum() / count),
        "wrong": float((given & ~hit & answerable).sum() / count),
        "unfounded": float(without.mean()) if len(right) else 0.0,
    }
