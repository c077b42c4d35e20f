"""What candidates say of the labels of the test items: asked once in an evaluation, and shared by the metrics of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from aigc_models.capabilities import Classifies, Outside
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics._asked import Pools, asked
from aigc_models.training.devices import place_of

AT_ONCE = 256  # items
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Answers:
    """`truth` int64 (item,), and of each candidate log-probabilities float64 (item, label), of the items with a label.

    `unanswered` bool (item,): whether a model that lies elsewhere, or one of the members of a pool, said nothing of the item.
    A candidate that says nothing holds all labels for equally likely.
    """

    truth: NDArray[np.int64]
    said: Mapping[str, Floats]
    unanswered: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)

    @property
    def chosen(self) -> dict[str, NDArray[np.int64]]:
        """The likeliest label of each item, int64 (item,), by candidate."""
        return {name: log.argmax(1) for name, log in self.said.items()}


def classifiers(evidence: Evidence) -> dict[str, Classifies]:
    """The candidates that say which label an item has."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Classifies)}


def applies(evidence: Evidence) -> bool:
    """Two labels or more, a candidate that tells them apart, and a test item that has one."""
    labels = len(evidence.shape.labels)
    return labels > 1 and bool(classifiers(evidence)) and bool((np.asarray(evidence.test.conditions) < labels).any())


def answers(evidence: Evidence) -> Answers:
    """Of this evidence; the metrics of one evaluation share it."""
    if "answers" not in evidence.shared:
        labels = len(evidence.shape.labels)
        test = evidence.test.take(np.flatnonzero(np.asarray(evidence.test.conditions) < labels))
        models = classifiers(evidence)
        said = asked(models, lambda model: log_probabilities(model, test, labels), evidence.combined, evidence.progress)
        silent = {name: np.asarray(np.isnan(log).any(1), dtype=np.bool_) for name, log in said.items()}
        for name, model in models.items():
            for one in model.asked if name in evidence.combined and isinstance(model, Pools) else ():
                silent[name] = silent[name] | silent[one] if one in silent else silent[name]
        certain = {name: finite(torch.from_numpy(log)).log_softmax(1).numpy() for name, log in said.items()}
        evidence.shared["answers"] = Answers(np.asarray(test.conditions, dtype=np.int64), certain, silent)
    return cast(Answers, evidence.shared["answers"])


def finite(scores: Tensor) -> Tensor:
    """Scores without infinities: a model that holds every label for impossible tells none from the others."""
    return torch.nan_to_num(scores, nan=0.0, posinf=1e30, neginf=-1e30)


@torch.no_grad()
def log_probabilities(model: Any, corpus: Corpus, labels: int) -> Tensor:
    """Of each item and label, float64 (item, label) on the CPU, in the order of `corpus`; NaN of an item of which a model that
    lies elsewhere says nothing. No label is shown (`conditions` are 'no label')."""
    parts, place = [torch.zeros(0, labels, dtype=torch.float64)], place_of(model)
    for batch in corpus.batches(AT_ONCE):
        unlabelled = type(batch)(batch.values, torch.full_like(batch.conditions, labels)).to(place)
        scores = model.classify(unlabelled).cpu().double()
        silent = scores.isnan().any(1, keepdim=True) if isinstance(model, Outside) else torch.zeros(len(scores), 1).bool()
        parts.append(finite(scores).log_softmax(1).masked_fill(silent, torch.nan))
    return torch.cat(parts)
