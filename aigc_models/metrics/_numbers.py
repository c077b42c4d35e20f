"""The numbers that candidates predict for the test items: asked once in an evaluation, and shared by its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray

from aigc_models.capabilities import Regresses
from aigc_models.corpus import Corpus
from aigc_models.ensembles.stacked_regression import half_width, predictions
from aigc_models.evidence import Evidence
from aigc_models.heads.regress import numbers
from aigc_models.metrics._asked import asked

LEVEL = 0.9  # share of true values that an interval is to hold, where a model does not say its own
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """`truth` float64 (item,), and what each candidate `said` of it, of the items with a number."""

    truth: Floats
    said: Mapping[str, Floats]

    @property
    def errors(self) -> dict[str, Floats]:
        """Said less true, (item,), by candidate."""
        return {name: one - self.truth for name, one in self.said.items()}


def predicting(evidence: Evidence) -> dict[str, Regresses]:
    """The candidates that predict numbers."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Regresses)}


def applies(evidence: Evidence) -> bool:
    """A candidate that predicts numbers, and two test items that have one."""
    return bool(predicting(evidence)) and evidence.test.targets is not None and len(numbers(evidence.test)) > 1


def answers(evidence: Evidence) -> Answers:
    """Of this evidence; the metrics of one evaluation share it."""
    if "numbers" not in evidence.shared:
        test = evidence.test.answered()
        evidence.shared["numbers"] = Answers(numbers(test), said_of(evidence, test))
    return cast(Answers, evidence.shared["numbers"])


def half_widths(evidence: Evidence) -> dict[str, float]:
    """Of the interval about each candidate's predictions: what it has learnt, or that of its errors on validation; without
    those for whom there are too few validation items."""
    if "half_widths" not in evidence.shared:
        held, models = evidence.validation.answered(), predicting(evidence)
        learnt = {name: getattr(model, "half_width", None) for name, model in models.items()}
        others = {name: model for name, model in models.items() if learnt[name] is None}
        said = asked(others, lambda model: torch.from_numpy(predictions(model, held)))
        widths = learnt | {name: half_width(one - numbers(held), LEVEL) for name, one in said.items()}
        evidence.shared["half_widths"] = {name: width for name, width in widths.items() if width is not None}
    return cast("dict[str, float]", evidence.shared["half_widths"])


def said_of(evidence: Evidence, corpus: Corpus) -> dict[str, Floats]:
    """Numbers (item,) by candidate."""
    return asked(
        predicting(evidence), lambda model: torch.from_numpy(predictions(model, corpus)), evidence.combined, evidence.progress
    )
