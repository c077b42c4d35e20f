"""Log-linear mixing of what members say comes next: log-probabilities are added, each with its share (Heskes 1998).

    p(item) ~ exp(gain * sum of w_i log p_i(item) + b if the history holds the item),   w >= 0, summing to 1

The shares are those that rank the last items of the validation histories best, by NDCG among ten places: likelihood would
give most to members that are seldom far off, and what is shown is the first ten. NDCG moves in steps, so shares are drawn
evenly, and the mean of the best draws is taken, which owes less to luck than a single one. `gain`, by which the mixture is as
sure of itself as it should be, and `b`, how likely a repeat is beside what the members make of it, maximise the likelihood:
`b` comes out very low for films that are rated once, and high for songs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Recommends, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.recommending.histories import UNKNOWN, questions, repeats, seen
from aigc_models.recommending.ranking import gain as gain_of
from aigc_models.training.devices import place_of

MODALITIES = frozenset({"events"})
TASKS = frozenset({"recommend"})
GAINS = (0.1, 10.0)  # the lowest and the highest
FURTHEST = 12.0  # nats: the lowest and the highest that a repeat's own weight can be
AT_ONCE = 64
BEST = 100  # items of each member, of a history, that may come among the first ten of a mixture


class Settings(BaseModel):
    """How the weights are learnt, and what was learnt beside one share a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    most: int = Field(1000, ge=1, description="validation histories that weights are learnt on, at most")
    tries: int = Field(300, ge=1, description="shares that are drawn")
    kept: int = Field(10, ge=1, description="best draws whose mean is taken")
    least: float = Field(0.03, ge=0, lt=1, description="a smaller share becomes 0, and its member is not asked any more")
    gain: float = Field(1.0, description="learnt: what the sum is multiplied by")
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
    """Learn the weights on `validation`; of `train` it is only looked at whether items come again."""
    batch, target = questions(validation, settings.most)
    if not len(target):
        return build(members, dict.fromkeys(members, 1.0), settings)
    said = []
    for step, member in enumerate(members.values(), start=1):
        said.append(answered(cast(Recommends, member), batch))
        progress(step, len(members))
    held = seen(batch, said[0].shape[1])
    hidden = torch.zeros_like(held) if repeats(train.sequences) else held
    shares = drawn(said, hidden, target, settings, seed)
    shares = np.where(shares >= min(settings.least, shares.max()), shares, 0.0)
    shares /= shares.sum()
    mixed = torch.stack([float(share) * each for share, each in zip(shares, said, strict=True)]).sum(0)
    gain, repeat = learnt(mixed, held, target)
    learned = settings.model_copy(update={"gain": gain, "repeat": repeat})
    return build(members, dict(zip(members, shares.tolist(), strict=True)), learned)


def drawn(said: Sequence[Tensor], hidden: Tensor, target: Tensor, settings: Settings, seed: int) -> np.ndarray:
    """The mean of the shares (member,) with the highest NDCG, from log-probabilities (item, symbol) of each member, which
    items are left out (item, symbol), and what came next (item,)."""
    hidden = hidden.clone()
    hidden[:, UNKNOWN] = True
    hidden.scatter_(1, target[:, None], torch.zeros_like(hidden[:, :1]))
    listed = torch.zeros_like(hidden)
    for each in said:
        best = each.masked_fill(hidden, -torch.inf).topk(min(BEST, each.shape[1]), dim=1).indices
        listed.scatter_(1, best, torch.ones_like(best, dtype=torch.bool))
    width = int(listed.sum(1).max())
    chosen = listed.to(torch.uint8).topk(width, dim=1).indices  # each item once; some that none has listed fill up short lists
    parts = torch.stack([each.gather(1, chosen) for each in said])
    parts = parts.masked_fill(hidden.gather(1, chosen), -torch.inf)
    own = torch.stack([each.gather(1, target[:, None]) for each in said])
    draws = np.random.default_rng(seed).dirichlet(np.ones(len(said)), settings.tries)
    draws = np.concatenate([np.full((1, len(said)), 1 / len(said)), draws])
    figures = list[float]()
    for shares in torch.from_numpy(draws).float():
        rank = (torch.einsum("m,mis->is", shares, parts) > torch.einsum("m,mis->is", shares, own)).sum(1)
        figures.append(float(gain_of(rank.numpy()).mean()))
    kept = np.argsort(-np.array(figures), kind="stable")[: settings.kept]
    return np.asarray(draws[kept].mean(0))


@torch.no_grad()
def answered(member: Recommends, batch: Batch) -> Tensor:
    """What a member says, float32 (item, symbol), on the CPU."""
    place, rows = place_of(member), [slice(first, first + AT_ONCE) for first in range(0, len(batch), AT_ONCE)]
    return torch.cat([member.recommend(batch.part(row).to(place)).cpu() for row in rows])


def learnt(mixed: Tensor, held: Tensor, target: Tensor) -> tuple[float, float]:
    """`gain` and `repeat` with the highest likelihood, from mixed log-probabilities and which items each history holds, both
    (item, symbol), and what came next (item,); the likelihood is concave in the two."""
    from scipy.optimize import minimize

    parts = torch.stack([mixed, held.to(mixed.dtype)])
    right = parts.gather(2, target[None, :, None].expand(2, -1, 1))[:, :, 0].double().mean(1)

    def objective(point: np.ndarray) -> tuple[float, np.ndarray]:
        weights = torch.from_numpy(point).float()
        scores = torch.einsum("p,pis->is", weights, parts)
        total = scores.logsumexp(1)
        expected = torch.einsum("pis,is->p", parts, (scores - total[:, None]).exp()).double() / len(target)
        return float(total.double().mean() - (weights.double() * right).sum()), (expected - right).numpy()

    best = minimize(objective, np.array([1.0, 0.0]), jac=True, method="L-BFGS-B", bounds=[GAINS, (-FURTHEST, FURTHEST)])
    return float(best.x[0]), float(best.x[1])


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> LogLinear:
    """From given weights."""
    return LogLinear(members, weights, settings)
