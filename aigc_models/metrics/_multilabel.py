"""Which labels candidates give the test items, any number of them: asked once in an evaluation, and shared by its metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from aigc_models.capabilities import Assigns
from aigc_models.corpus import Corpus
from aigc_models.ensembles.logit_pool import best_thresholds, logits
from aigc_models.evidence import Evidence
from aigc_models.metrics._asked import asked

Floats = NDArray[np.float64]
Matrix = NDArray[np.bool_]


@dataclass(frozen=True)
class Answers:
    """`truth` (item, label), and of each candidate `logits` float64 and the labels that are `given`, of items with labels."""

    truth: Matrix
    logits: Mapping[str, Floats]
    given: dict[str, Matrix]


def asks(evidence: Evidence) -> bool:
    """Whether items have several labels."""
    return evidence.shape.task == "multilabel"


def assigning(evidence: Evidence) -> dict[str, Assigns]:
    """The candidates that name labels."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Assigns)}


def applies(evidence: Evidence) -> bool:
    """A candidate that names labels, and a test item that has some."""
    return bool(assigning(evidence)) and evidence.test.targets is not None and bool(np.nansum(evidence.test.targets))


def answers(evidence: Evidence) -> Answers:
    """Of this evidence; the metrics of one evaluation share it."""
    if "multilabel" not in evidence.shared:
        test = evidence.test.answered()
        said = scores(evidence, test)
        least = thresholds(evidence)
        given = {name: expit(one) >= least[name] for name, one in said.items()}
        assert test.targets is not None
        evidence.shared["multilabel"] = Answers(np.asarray(test.targets > 0.5), said, given)
    return cast(Answers, evidence.shared["multilabel"])


def thresholds(evidence: Evidence) -> dict[str, Floats]:
    """From which probability on each candidate gives a label, (label,): what it has learnt, or the best on validation."""
    models, least = assigning(evidence), dict[str, Floats]()
    learnt = {name: np.array(getattr(model, "thresholds", ()), dtype=np.float64) for name, model in models.items()}
    others = {name: model for name, model in models.items() if not len(learnt[name])}
    held = evidence.validation.answered()
    if others and len(held):
        truth = np.asarray(held.targets, dtype=np.float64)
        said = asked(others, lambda model: torch.from_numpy(logits(model, held)))
        least = {name: np.array(best_thresholds(expit(one), truth)) for name, one in said.items()}
    half = np.full(len(evidence.shape.labels), 0.5)
    return {name: one if len(one) else least.get(name, half) for name, one in learnt.items()}


def scores(evidence: Evidence, corpus: Corpus) -> dict[str, Floats]:
    """Logits (item, label) by candidate."""
    return asked(
        assigning(evidence), lambda model: torch.from_numpy(logits(model, corpus)), evidence.combined, evidence.progress
    )
