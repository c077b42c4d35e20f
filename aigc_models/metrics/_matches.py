"""Where candidates put the right answers of test questions: asked once in an evaluation, and shared by the metrics of it.

The answers are all that the train and the test items have, each text once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, cast, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aigc_models.capabilities import Matches
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.language.pairs import batch_of, distinct_answers, pairs_of, right_answers
from aigc_models.training.devices import place_of

AT_ONCE = 64  # questions
MOST = 2_000  # test questions that are asked, and train items beside them tenfold


@runtime_checkable
class Weighs(Protocol):
    """An ensemble whose scores are a function of its members'."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The members that it needs."""

    def combined(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Its scores (question, answer) from theirs."""


@dataclass(frozen=True)
class Matched:
    """`right` bool (question, answer), and each candidate's scores, float32 of the same shape."""

    right: NDArray[np.bool_]
    scores: Mapping[str, NDArray[np.float32]]


def matchers(evidence: Evidence) -> dict[str, Matches]:
    """The candidates that say which answer fits a question."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Matches)}


def applies(evidence: Evidence) -> bool:
    """A candidate that matches, and a test item to ask."""
    return bool(matchers(evidence)) and len(evidence.test) > 0


def matched(evidence: Evidence) -> Matched:
    """Of this evidence; the metrics of one evaluation share it."""
    if "matched" not in evidence.shared:
        test = pairs_of(evidence.test.sample(MOST, evidence.seed).sequences, evidence.shape.format)
        train = pairs_of(evidence.train.sample(10 * MOST, evidence.seed).sequences, evidence.shape.format)
        answers = distinct_answers([*train, *test])
        questions, form, none = [one.question for one in test], evidence.shape.format, len(evidence.shape.labels)
        asked = Asked(questions, answers, form, none)
        evidence.shared["matched"] = Matched(right_answers(test, [*train, *test], answers), asked.of(evidence))
    return cast(Matched, evidence.shared["matched"])


@dataclass(frozen=True)
class Asked:
    """Questions and answers as texts, in a format; `none`: the condition of an item without a label."""

    questions: list[str]
    answers: list[str]
    format: Any
    none: int

    def of(self, evidence: Evidence) -> dict[str, NDArray[np.float32]]:
        """Scores by candidate; what is one and the same model is asked once, one combined of others never."""
        models, scores = matchers(evidence), dict[str, Tensor]()
        origins = {name: next(first for first, other in models.items() if other is model) for name, model in models.items()}
        own = dict.fromkeys(origins.values())
        pools = {
            name: m
            for name in own
            if name in evidence.combined and isinstance(m := models[name], Weighs) and set(m.asked) <= set(models)
        }
        for name in (name for name in own if name not in pools):
            scores[name] = self.by(models[name])
            evidence.progress(len(scores), len(own))
        for name, pool in pools.items():
            scores[name] = pool.combined({member: scores[origins[member]] for member in pool.asked})
        return {name: scores[origin].float().numpy() for name, origin in origins.items()}

    @torch.no_grad()
    def by(self, model: Any) -> Tensor:
        """A model's scores float (question, answer), on the CPU."""
        place = place_of(model)
        index = model.index(batch_of(self.answers, self.format, self.none).to(place))
        parts = [self.questions[at : at + AT_ONCE] for at in range(0, len(self.questions), AT_ONCE)]
        said = [model.match(batch_of(part, self.format, self.none).to(place), index).cpu() for part in parts]
        return torch.cat(said) if said else torch.zeros(0, len(self.answers))


def scores_of(model: Any, asked: Corpus, history: Corpus, format: Any, none: int) -> tuple[Tensor, NDArray[np.bool_]]:
    """A model's scores float (question, answer) of the questions of `asked` among the answers of both, and which are right."""
    test, past = pairs_of(asked.sequences, format), pairs_of(history.sequences, format)
    answers = distinct_answers([*past, *test])
    return Asked([one.question for one in test], answers, format, none).by(model), right_answers(test, [*past, *test], answers)
