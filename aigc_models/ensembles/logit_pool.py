"""Logarithmic opinion pool (Genest and Zidek 1986) of labels that are each decided for itself: the members' logits are added.

    logit p(label) = sum of w_i logit p_i(label),   w_i >= 0

w minimises the log loss of the validation split over items and labels, which is convex, and is pulled towards equal weights
as in `opinion_pool`, by how much is chosen by cross-validation over items. The sum of the weights is free and calibrates. From
which probability on a label is given is learned too: what gives the label the best F1 on validation, or a half where it
is too rare there to tell.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from scipy.special import expit
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles._pool import Pool
from aigc_models.find import names
from aigc_models.training.devices import place_of

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"multilabel"})
MOST = 16.0  # logits beyond count as this: a member that is sure and wrong costs so much, and rules nothing out for all
AT_ONCE = 256  # items
RARE = 5  # validation items with a label, and without, that a threshold is learned from at least

Floats = NDArray[np.float64]


class Settings(BaseModel):
    """How the weights are learned, and what was learned beside one number a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pulls: tuple[float, ...] = Field(
        (0.1, 1.0, 10.0, 100.0, 1000.0), min_length=1, description="of the weights towards each other, those to try, nats"
    )
    folds: int = Field(5, ge=2, description="of the validation items, to choose the pull")
    most_items: int = Field(20_000, ge=1, description="validation items that the weights are learned on, at most")
    scale: float = Field(1.0, gt=0, description="learned: the sum of the weights")
    thresholds: tuple[float, ...] = Field((), description="learned: from which probability on each label is given")


class LogitPool(Pool):
    """`members` by name, and `weights` that sum to 1: how much each has to say. Assigns labels like a member."""

    @property
    def thresholds(self) -> tuple[float, ...]:
        """From which probability on each label is given; empty: from a half."""
        return self.settings.thresholds

    def assign(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Logits, on the batch's device; each member is asked where it lies."""
        return self.combined(self.parts("assign", batch))

    def combined(self, parts: Mapping[str, Tensor]) -> Float[Tensor, "item label"]:
        """The same from the logits float (item, label) of the members `asked`, for who has them already."""
        said = [self.weights[name] * parts[name].clamp(-MOST, MOST) for name in self.asked]
        return self.settings.scale * torch.stack(said).sum(0)


@torch.no_grad()
def logits(member: Any, corpus: Corpus) -> Floats:
    """Of each item and label, float64 (item, label) in the order of `corpus`, at most `MOST` in size."""
    parts = []
    for batch in corpus.batches(AT_ONCE):
        scores = member.assign(batch.to(place_of(member))).cpu().double()
        parts.append(torch.nan_to_num(scores, nan=0.0).clamp(-MOST, MOST))
    width = corpus.targets.shape[1] if corpus.targets is not None else 0
    return torch.cat([torch.zeros(0, width, dtype=torch.float64), *parts]).numpy()


def loss(said: Floats, truth: Floats, weights: Floats) -> float:
    """Nats of all items and labels together, from logits (member, item, label)."""
    scores = np.tensordot(weights, said, 1)
    return float((np.logaddexp(0, scores) - truth * scores).sum())


def learn(said: Floats, truth: Floats, pull: float) -> Floats:
    """Weights (member,) from logits (member, item, label) and which labels there are (item, label)."""
    members, count, pull = len(said), truth.size, pull / max(1, len(truth))

    def objective(weights: Floats) -> tuple[float, Floats]:
        wrong = expit(np.tensordot(weights, said, 1)) - truth
        apart = weights - weights.mean()
        gradient = np.einsum("mil,il->m", said, wrong) / count + pull * apart
        return loss(said, truth, weights) / count + 0.5 * pull * float(apart @ apart), gradient

    bounds = [(0.0, None)] * members
    start = np.full(members, 1 / members)
    best: Floats = minimize(objective, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 500}).x
    return best


def across(said: Floats, truth: Floats, pull: float, folds: int) -> float:
    """Nats of each fold's items, with what was learned on the others."""
    fold = np.arange(len(truth)) % folds
    return sum(
        loss(said[:, fold == at], truth[fold == at], learn(said[:, fold != at], truth[fold != at], pull)) for at in range(folds)
    )


def best_thresholds(shares: Floats, truth: Floats) -> tuple[float, ...]:
    """For each label the probability from which on giving it has the best F1, from probabilities and truth (item, label).

    Halfway between two neighbours, so that it does not hang on one item; a half for a label with fewer than `RARE` items
    of either kind.
    """
    return tuple(_threshold(one, has) for one, has in zip(shares.T, truth.T, strict=True))


def _threshold(shares: Floats, has: Floats) -> float:
    if min(has.sum(), len(has) - has.sum()) < RARE:
        return 0.5
    order = np.argsort(-shares, kind="stable")
    ranked, right = shares[order], np.cumsum(has[order])
    scores = 2 * right / (np.arange(1, len(has) + 1) + has.sum())
    scores[:-1][ranked[:-1] == ranked[1:]] = 0  # those that are alike are given together
    best = int(scores.argmax())
    below = ranked[best + 1] if best + 1 < len(ranked) else 0.0
    return float((ranked[best] + below) / 2)


def fit(
    members: Mapping[str, object],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> LogitPool:
    """Learn weights and thresholds on `validation`; `train` is not looked at, since the members know it by heart.

    Where validation has fewer items with labels than folds, all weigh the same and a label is given from a half on.
    """
    held = validation.answered().sample(settings.most_items, seed)
    if len(held) < settings.folds:
        return build(members, dict.fromkeys(members, 1.0), settings)
    each = []
    for step, member in enumerate(members.values(), start=1):
        each.append(logits(member, held))
        progress(step, len(members))
    said, truth = np.stack(each), np.asarray(held.targets, dtype=np.float64)
    pulls = settings.pulls if len(members) > 1 else settings.pulls[-1:]
    pull = min(sorted(pulls, reverse=True), key=lambda one: across(said, truth, one, settings.folds))
    weights = learn(said, truth, pull)
    weights = weights if weights.sum() > 1e-3 else np.full(len(members), 1 / len(members))
    thresholds = best_thresholds(expit(np.tensordot(weights, said, 1)), truth)
    learned = settings.model_copy(update={"scale": float(weights.sum()), "thresholds": thresholds})
    return build(members, dict(zip(members, weights.tolist(), strict=True)), learned)


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> LogitPool:
    """From given weights."""
    return LogitPool(members, weights, settings)
