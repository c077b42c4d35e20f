"""Stacked regression (Breiman 1996): the members' numbers are averaged, with weights that are not negative and sum to 1.

They minimise the squared error on the validation split and are pulled towards equal weights; how much is chosen by
cross-validation. Beside it half the width of an interval about a prediction that holds so great a share of true values
(split conformal prediction, Lei et al. 2018): the quantile of the errors that the cross-validation left, so that no item
has a say in the weights that its own error comes from.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles._pool import Pool
from aigc_models.find import names
from aigc_models.training.devices import place_of

MODALITIES = frozenset(names("aigc_models.modalities"))
TASKS = frozenset({"regress"})
AT_ONCE = 256  # items

Floats = NDArray[np.float64]


class Settings(BaseModel):
    """How the weights are learned, and what was learned beside one number a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pulls: tuple[float, ...] = Field(
        (0.1, 1.0, 10.0, 100.0, 1000.0), min_length=1, description="of the weights towards each other, those to try"
    )
    folds: int = Field(5, ge=2, description="of the validation items, to choose the pull and for the interval")
    most_items: int = Field(20_000, ge=1, description="validation items that the weights are learned on, at most")
    level: float = Field(0.9, gt=0, lt=1, description="share of true values that the interval is to hold")
    half_width: float | None = Field(None, description="learned: of the interval; none: too few validation items to tell")


class StackedRegression(Pool):
    """`members` by name, and `weights` that sum to 1: how much each has to say. Regresses like a member."""

    @property
    def half_width(self) -> float | None:
        """Of the interval about a prediction that is to hold a share `level` of true values."""
        return self.settings.half_width

    @property
    def level(self) -> float:
        """See `half_width`."""
        return self.settings.level

    def regress(self, batch: Batch) -> Float[Tensor, " item"]:
        """In the data's own unit, on the batch's device; each member is asked where it lies."""
        return self.combined(self.parts("regress", batch))

    def combined(self, parts: Mapping[str, Tensor]) -> Float[Tensor, " item"]:
        """The same from the numbers float (item,) of the members `asked`, for who has them already."""
        return torch.stack([self.weights[name] * parts[name] for name in self.asked]).sum(0)


@torch.no_grad()
def predictions(member: Any, corpus: Corpus) -> Floats:
    """The number of each item, float64 (item,), in the order of `corpus`; 0 for what is no number."""
    parts = [member.regress(batch.to(place_of(member))).cpu().double() for batch in corpus.batches(AT_ONCE)]
    return torch.nan_to_num(torch.cat([torch.zeros(0, dtype=torch.float64), *parts]), nan=0.0, posinf=0.0, neginf=0.0).numpy()


def learn(said: Floats, truth: Floats, pull: float) -> Floats:
    """Weights (member,) from standardised numbers (member, item) and true ones (item,)."""
    members, items = said.shape
    equal, pull = np.full(members, 1 / members), pull / items

    def objective(weights: Floats) -> tuple[float, Floats]:
        wrong, apart = weights @ said - truth, weights - equal
        return float(wrong @ wrong / items + pull * apart @ apart), 2 * (said @ wrong / items + pull * apart)

    whole = {"type": "eq", "fun": lambda weights: weights.sum() - 1, "jac": lambda weights: np.ones(members)}
    best = minimize(objective, equal, jac=True, bounds=[(0.0, 1.0)] * members, constraints=[whole], method="SLSQP").x
    return np.asarray(np.clip(best, 0, None) / np.clip(best, 0, None).sum())


def left(said: Floats, truth: Floats, pull: float, folds: int) -> Floats:
    """The error of each item (item,) with weights that were learned on the other folds."""
    fold, errors = np.arange(len(truth)) % folds, np.empty(len(truth))
    for at in range(folds):
        held = fold == at
        errors[held] = truth[held] - learn(said[:, ~held], truth[~held], pull) @ said[:, held]
    return errors


def half_width(errors: Floats, level: float) -> float | None:
    """The size of error that a further item stays within with probability `level` (Lei et al. 2018, algorithm 2); None where
    there are too few to say."""
    place = math.ceil((len(errors) + 1) * level)
    return float(np.sort(np.abs(errors))[place - 1]) if 0 < place <= len(errors) else None


def fit(
    members: Mapping[str, object],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> StackedRegression:
    """Learn weights and interval on `validation`; `train` is not looked at, since the members know it by heart.

    Where validation has fewer items with a number than folds, all weigh the same and there is no interval.
    """
    held = validation.answered().sample(settings.most_items, seed)
    if len(held) < settings.folds:
        return build(members, dict.fromkeys(members, 1.0), settings)
    each = []
    for step, member in enumerate(members.values(), start=1):
        each.append(predictions(member, held))
        progress(step, len(members))
    assert held.targets is not None
    wanted = np.asarray(held.targets[:, 0], dtype=np.float64)
    middle, spread = wanted.mean(), max(float(wanted.std()), 1e-12)
    said, truth = (np.stack(each) - middle) / spread, (wanted - middle) / spread
    pulls = settings.pulls if len(members) > 1 else settings.pulls[-1:]
    errors = {pull: left(said, truth, pull, settings.folds) for pull in sorted(pulls, reverse=True)}
    pull = min(errors, key=lambda one: float(np.square(errors[one]).sum()))
    half = half_width(spread * errors[pull], settings.level)
    weights = dict(zip(members, learn(said, truth, pull).tolist(), strict=True))
    return build(members, weights, settings.model_copy(update={"half_width": half}))


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> StackedRegression:
    """From given weights."""
    return StackedRegression(members, weights, settings)
