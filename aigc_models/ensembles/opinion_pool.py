"""Logarithmic opinion pool (Genest and Zidek 1986): the members' class log-probabilities are added, each with its weight.

    log p(label) = sum of w_i log p_i(label) + b(label) + constant,   w_i >= 0

w and b minimise the log loss of the validation split, which is convex in them, and are pulled: the weights towards each
other, since on few items learned ones are mostly noise (Claeskens, Magnus, Vasnev and Wang 2016), and b towards zero. How
much is chosen by cross-validation, and so is whether there is a b. The sum of the weights is free: it calibrates the pool,
and a single member is scaled by a temperature (Guo et al. 2017).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import product
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from scipy.special import log_softmax
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles._pool import Pool
from aigc_models.errors import Unreachable
from aigc_models.find import names
from aigc_models.training.devices import place_of

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"classify"})
LEAST = -16.0  # nats: a label that a member holds for impossible costs so much, and is not ruled out for all
AT_ONCE = 256  # items

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Settings(BaseModel):
    """How the weights are learned, and what was learned beside one number a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pulls: tuple[float, ...] = Field(
        (0.1, 1.0, 10.0, 100.0, 1000.0), min_length=1, description="of the weights towards each other, those to try, nats"
    )
    biases: tuple[bool, ...] = Field((False, True), min_length=1, description="whether labels have a bias, those to try")
    bias_pull: float = Field(1.0, ge=0, description="of the biases towards zero, nats")
    folds: int = Field(5, ge=2, description="of the validation items, to choose the pull")
    most_items: int = Field(20_000, ge=1, description="validation items that the weights are learned on, at most")
    scale: float = Field(1.0, gt=0, description="learned: the sum of the weights, one over the temperature")
    bias: tuple[float, ...] = Field((), description="learned: of each label, nats; none: zero")


class OpinionPool(Pool):
    """`members` by name, and `weights` that sum to 1: how much each has to say. Classifies like a member."""

    def classify(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Log-probabilities, on the batch's device; each member is asked where it lies."""
        return self.combined(self.parts("classify", batch))

    def combined(self, parts: Mapping[str, Tensor]) -> Float[Tensor, "item label"]:
        """The same from the scores float (item, label) of the members `asked`, for who has them already.

        Where a member says nothing of an item (NaN), the others have its weight too; NaN where nobody says anything.
        """
        said = torch.stack([parts[name].log_softmax(1).clamp(min=LEAST) for name in self.asked])
        weights = torch.tensor([self.weights[name] for name in self.asked], dtype=said.dtype, device=said.device)[:, None]
        there = ~said.isnan().any(2)
        if not there.all():
            weights = weights * there
            weights, said = weights / weights.sum(0), said.nan_to_num()
        scores = self.settings.scale * (weights[..., None] * said).sum(0)
        if self.settings.bias:
            scores = scores + torch.tensor(self.settings.bias, dtype=scores.dtype, device=scores.device)
        return scores.log_softmax(1)


def learn(logs: Floats, truth: Ints, pull: float, biased: bool, bias_pull: float) -> tuple[Floats, Floats]:
    """Weights (member,) and biases (label,) from log-probabilities (member, item, label) and labels (item,)."""
    members, items, labels = logs.shape
    said, pull = logs[:, np.arange(items), truth], pull / items
    counts = np.bincount(truth, minlength=labels)

    def objective(flat: Floats) -> tuple[float, Floats]:
        weights, bias = flat[:members], flat[members:]
        scores = np.tensordot(weights, logs, 1) + bias
        log = log_softmax(scores, axis=1)
        probability = np.exp(log)
        apart = weights - weights.mean()
        loss = -log[np.arange(items), truth].mean() + 0.5 * pull * apart @ apart + 0.5 * bias_pull / items * bias @ bias
        by_weight = (np.einsum("mil,il->m", logs, probability) - said.sum(1)) / items + pull * apart
        by_bias = (probability.sum(0) - counts + bias_pull * bias) / items
        return float(loss), np.concatenate([by_weight, by_bias])

    start = np.concatenate([np.full(members, 1 / members), np.zeros(labels)])
    free = (None, None) if biased else (0.0, 0.0)
    bounds = [(0.0, None)] * members + [free] * labels
    best = minimize(objective, start, jac=True, bounds=bounds, method="L-BFGS-B", options={"maxiter": 500}).x
    return best[:members], best[members:]


def loss(logs: Floats, truth: Ints, weights: Floats, bias: Floats) -> float:
    """Nats of all items together."""
    log = log_softmax(np.tensordot(weights, logs, 1) + bias, axis=1)
    return float(-log[np.arange(len(truth)), truth].sum())


def across(logs: Floats, truth: Ints, settings: Settings, pull: float, biased: bool) -> float:
    """Nats of each fold's items, with what was learned on the others."""
    fold = np.empty(len(truth), dtype=np.int64)
    fold[np.argsort(truth, kind="stable")] = np.arange(len(truth)) % settings.folds  # each label in each fold
    total = 0.0
    for held in np.unique(fold):
        apart = fold == held
        learned = learn(logs[:, ~apart], truth[~apart], pull, biased, settings.bias_pull)
        total += loss(logs[:, apart], truth[apart], *learned)
    return total


@torch.no_grad()
def gathered(member: Any, held: Corpus, labels: int) -> Floats:
    """A member's log-probabilities, float64 (item, label); no label is shown to it."""
    parts = []
    for batch in held.batches(AT_ONCE):
        unlabelled = Batch(batch.values, torch.full_like(batch.conditions, labels)).to(place_of(member))
        parts.append(member.classify(unlabelled).cpu().double().log_softmax(1).clamp(min=LEAST))
    return torch.cat(parts).numpy()


def answered(name: str, logs: Floats) -> Floats:
    """The same; raises `Unreachable` where a member says nothing of more than half of the items."""
    silent = int(np.isnan(logs).any(1).sum())
    if silent > len(logs) / 2:
        raise Unreachable(f"member {name} did not answer for {silent} of {len(logs)} validation items")
    return logs


def fit(
    members: Mapping[str, object],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> OpinionPool:
    """Learn the weights on `validation`; `train` is not looked at, since the members know it by heart.

    Where validation has fewer labelled items than folds, all weigh the same and nothing is calibrated. Items of which a
    member says nothing are passed over; raises `Unreachable` where these are more than half of them.
    """
    labels = len(shape.labels)
    held = validation.take(np.flatnonzero(np.asarray(validation.conditions) < labels)).sample(settings.most_items, seed)
    if len(held) < settings.folds:
        return build(members, dict.fromkeys(members, 1.0), settings)
    logs = []
    for step, (name, member) in enumerate(members.items(), start=1):
        logs.append(answered(name, gathered(member, held, labels)))
        progress(step, len(members))
    there = ~np.isnan(logs).any((0, 2))
    said, truth = np.stack(logs)[:, there], np.asarray(held.conditions, dtype=np.int64)[there]
    if len(truth) < settings.folds:
        return build(members, dict.fromkeys(members, 1.0), settings)
    pulls = settings.pulls if len(members) > 1 else settings.pulls[-1:]
    choices = list(product(sorted(pulls, reverse=True), sorted(settings.biases)))  # the plainest first, where two are alike
    pull, biased = min(choices, key=lambda choice: across(said, truth, settings, *choice))
    weights, bias = learn(said, truth, pull, biased, settings.bias_pull)
    scale = max(float(weights.sum()), 1e-3)
    weights = weights if weights.sum() > 0 else np.ones(len(weights))
    learned = {"scale": scale, "bias": tuple(bias.tolist()) if biased else ()}
    return build(members, dict(zip(members, weights.tolist(), strict=True)), settings.model_copy(update=learned))


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> OpinionPool:
    """From given weights; equal ones give the geometric mean."""
    return OpinionPool(members, weights, settings)
