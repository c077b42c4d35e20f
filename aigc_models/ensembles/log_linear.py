"""Log-linear mixing of what members say comes next: log-probabilities are added, each with its weight (Heskes 1998).

    p(item) ~ exp(sum of w_i log p_i(item) + b if the history holds the item),   w >= 0

A member's weight is its share and its temperature at once: one that is too sure of itself gets less. `b` says how likely a
repeat is, beside what the members make of it: it comes out very low for films that are rated once, and high for songs. The
likelihood of the last items of the validation histories is concave in w and b, so there is one best; a small pull towards
equal weights settles what members that say the same leave open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Recommends, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.recommending.histories import questions, seen
from aigc_models.training.devices import place_of

MODALITIES = frozenset({"events"})
TASKS = frozenset({"recommend"})
FURTHEST = 12.0  # nats: the lowest and the highest that a repeat's own weight can be
AT_ONCE = 64


class Settings(BaseModel):
    """How the weights are learnt, and what was learnt beside one share a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    most: int = Field(1000, ge=1, description="validation histories that weights are learnt on, at most")
    pull: float = Field(5.0, ge=0, description="of the weights towards equal ones: half of it times the sum of squares, nats")
    least: float = Field(0.02, ge=0, lt=1, description="a smaller share becomes 0, and its member is not asked any more")
    gain: float = Field(1.0, description="learnt: the sum of all weights")
    repeat: float = Field(0.0, description="learnt: nats that an item has more, or less, for being in the history")


class LogLinear:
    """`members` by name, and `weights`, their shares, which sum to 1. Recommends like a member."""

    def __init__(self, members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> None:
        total = sum(weights[name] for name in members)
        self.members, self.settings = dict(members), settings
        self.weights = {name: weights[name] / total for name in members}
        self._asked = {name: cast(Recommends, member) for name, member in members.items() if self.weights[name] > 0}

    def recommend(self, batch: Batch) -> Float[Tensor, "item symbol"]:
        """Log-probabilities float32 (item, symbol)."""
        mixed = torch.stack([self.weights[name] * member.recommend(batch) for name, member in self._asked.items()]).sum(0)
        mixed = self.settings.gain * mixed + self.settings.repeat * seen(batch, mixed.shape[1])
        return mixed.log_softmax(1)


def fit(
    members: Mapping[str, object],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> LogLinear:
    """Learn the weights on `validation`; `train` is not looked at, since the members know it by heart."""
    batch, target = questions(validation, settings.most)
    if not len(target):
        return build(members, dict.fromkeys(members, 1.0), settings)
    said = []
    for step, member in enumerate(members.values(), start=1):
        said.append(answered(cast(Recommends, member), batch))
        progress(step, len(members))
    weights, repeat = learnt(torch.stack(said), seen(batch, said[0].shape[1]), target, settings)
    gain = float(weights.sum())
    shares = weights / gain if gain > 0 else np.full(len(weights), 1 / len(weights))
    shares = np.where(shares >= min(settings.least, shares.max()), shares, 0.0)
    found = settings.model_copy(update={"gain": gain if gain > 0 else 1.0, "repeat": repeat})
    return build(members, dict(zip(members, shares.tolist(), strict=True)), found)


@torch.no_grad()
def answered(member: Recommends, batch: Batch) -> Tensor:
    """What a member says, float32 (item, symbol), on the CPU."""
    place, rows = place_of(member), [slice(first, first + AT_ONCE) for first in range(0, len(batch), AT_ONCE)]
    return torch.cat([member.recommend(batch.part(row).to(place)).cpu() for row in rows])


def learnt(said: Tensor, held: Tensor, target: Tensor, settings: Settings) -> tuple[np.ndarray, float]:
    """The best weights (member,) and `repeat`, from log-probabilities (member, item, symbol), which items each history holds
    (item, symbol), and what came next (item,)."""
    from scipy.optimize import minimize

    members, count = said.shape[:2]
    parts = torch.cat([said, held.to(said.dtype)[None]])
    right = parts.gather(2, target[None, :, None].expand(len(parts), -1, 1))[:, :, 0].double().mean(1)
    equal = torch.tensor([1 / members] * members + [0.0])
    pull = torch.tensor([settings.pull] * members + [0.01]) / count

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        weights = torch.from_numpy(point).float()
        mixed = torch.einsum("m,mis->is", weights, parts)
        total = mixed.logsumexp(1)
        expected = torch.einsum("mis,is->m", parts, (mixed - total[:, None]).exp()) / count
        away = weights - equal
        loss = total.double().mean() - (weights * right).sum() + 0.5 * (pull * away.square()).sum()
        return float(loss), (expected - right + pull * away).double().numpy()

    bounds = [(0.0, None)] * members + [(-FURTHEST, FURTHEST)]
    best = minimize(objective, equal.double().numpy(), jac=True, method="L-BFGS-B", bounds=bounds)
    return best.x[:members], float(best.x[members])


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> LogLinear:
    """From given weights."""
    return LogLinear(members, weights, settings)
