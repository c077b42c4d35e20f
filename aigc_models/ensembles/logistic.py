"""Logistic mixing in the manner of PAQ (Mahoney 2005; Mattern 2012): log-probabilities are added, each with its weight.

    p(symbol) ~ exp(sum of w_i log p_i(symbol)),   w = A f + b

The weights w follow from the features f of a place: how sure each member is there (the log-probability of its likeliest
symbol, its entropy) and what it gives to the others' likeliest symbols. The likelihood of the validation split is concave in
A and b, so there is one best; A is pulled towards zero. Where A, learned on one part of the validation split, does not help
on the other, there is none; and a member that hardly helps there is not asked any more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import cast

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor
from torch.nn import functional as F

from aigc_models.capabilities import Shape, Streams
from aigc_models.corpus import Corpus
from aigc_models.ensembles._combined import LANES, Combined
from aigc_models.language import reading
from aigc_models.language.vocabulary import symbolic
from aigc_models.sequences import PAD, Sequences
from aigc_models.training.devices import place_of

MODALITIES = symbolic()
RUNS = 20  # of places, in turn in the one and the other part of the validation split


class Gate(BaseModel):
    """What was learned; of the members that are asked, in their order."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    weights: tuple[tuple[float, ...], ...] = Field(description="of each member: b, then A for each feature (none: b alone)")
    centre: tuple[float, ...] = Field((), description="of each feature on the validation split")
    spread: tuple[float, ...] = Field((), description="of each feature, standard deviation")


class Settings(BaseModel):
    """How the weights are learned, and what was learned beside one number a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pull: float = Field(300.0, ge=0, description="of A towards zero: half of it times the sum of squares, nats")
    steps: int = Field(60, ge=1, description="steps of the search at most")
    least: float = Field(0.001, ge=0, description="nats a symbol that a member must be worth to be asked")
    most_numbers: int = Field(8_000_000, ge=1, description="log-probabilities of all members that are kept for learning")
    gate: Gate | None = Field(None, description="learned; none: the members' weights as they are")


FURTHEST = 4.0  # standard deviations: further away than validation showed, a feature says no more


class Logistic(Combined):
    """`weights` are each member's mean share of the sum."""

    def __init__(self, members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> None:
        super().__init__(members, weights)
        self.settings = settings
        gate = settings.gate or Gate(weights=tuple((self.weights[name],) for name in self.asked))
        self._weights = torch.tensor(gate.weights, dtype=torch.float32)
        self._centre, self._spread = (torch.tensor(each, dtype=torch.float32) for each in (gate.centre, gate.spread))

    def together(self, parts: Sequence[Tensor]) -> Tensor:
        """Log-probabilities float (..., symbol) of the mixture of the members' (..., symbol).

        Rows begin at multiples of `LANES`, so that how they are rounded does not depend on where an item stands in its batch.
        """
        symbols = parts[0].shape[-1]
        stacked = torch.stack([F.pad(part, (0, -symbols % LANES)) for part in parts], dim=-2)
        weights = self._weights.to(stacked.device)
        if weights.shape[1] > 1:
            scaled = (features(stacked, symbols) - self._centre.to(stacked.device)) / self._spread.to(stacked.device)
            each = weights[:, 0] + scaled.clamp(-FURTHEST, FURTHEST) @ weights[:, 1:].T
        else:
            each = weights[:, 0].expand(stacked.shape[:-1])
        mixed = (each.unsqueeze(-2) @ stacked).squeeze(-2)
        mixed[..., symbols:] = -torch.inf
        return mixed.log_softmax(-1)[..., :symbols]


def features(stacked: Tensor, symbols: int) -> Tensor:
    """float (..., feature) of log-probabilities (..., member, symbol): of each member the log-probability of its likeliest
    symbol, its entropy, and what it gives to the likeliest symbol of each other one. Behind the `symbols` there are zeros."""
    top, likeliest = stacked[..., :symbols].max(dim=-1)
    entropy = -(stacked.exp() * stacked).sum(-1)
    members = stacked.shape[-2]
    given = stacked.gather(-1, likeliest.unsqueeze(-2).expand(*stacked.shape[:-1], members))  # member, whose likeliest
    others = ~torch.eye(members, dtype=torch.bool, device=stacked.device)
    return torch.cat([top, entropy, given[..., others].clamp(min=-12.0)], dim=-1)


class Places:
    """What the members say at places of the validation split, and what stands there."""

    def __init__(self, stacked: Tensor, symbols: Tensor) -> None:
        """`stacked`: float32 (place, member, symbol), nats; `symbols`: int64 (place,)."""
        self.stacked, self.symbols = stacked, symbols
        self.said = stacked.gather(2, symbols[:, None, None].expand(-1, stacked.shape[1], 1))[:, :, 0]
        self.features = features(stacked, stacked.shape[2])

    def take(self, index: Tensor | slice, members: Sequence[int] | None = None) -> Places:
        stacked = self.stacked[index] if members is None else self.stacked[index][:, list(members)]
        return Places(stacked, self.symbols[index])

    def loss(self, gate: Gate) -> float:
        """Nats a symbol."""
        count = self.stacked.shape[1]
        mixed = Logistic({str(at): None for at in range(count)}, {str(at): 1.0 for at in range(count)}, Settings(gate=gate))
        said = mixed.together([self.stacked[:, at] for at in range(count)])
        return -float(said.gather(1, self.symbols[:, None]).double().mean())


def learn(places: Places, settings: Settings, gated: bool) -> Gate:
    """The weights with the highest likelihood."""
    from scipy.optimize import minimize

    members = places.stacked.shape[1]
    centre, spread = places.features.mean(0), places.features.std(0).clamp(min=1e-3)
    scaled = ((places.features - centre) / spread).clamp(-FURTHEST, FURTHEST) if gated else places.features[:, :0]
    inputs = torch.cat([torch.ones(len(scaled), 1), scaled], dim=1)
    # places count as far as they say something new: neighbours say nearly the same
    pull = settings.pull / len(inputs)

    def objective(flat: np.ndarray) -> tuple[float, np.ndarray]:
        table = torch.from_numpy(flat.astype(np.float32)).reshape(members, -1)
        weights = inputs @ table.T
        mixed = (weights.unsqueeze(1) @ places.stacked).squeeze(1)
        total = mixed.logsumexp(1)
        expected = (places.stacked @ (mixed - total[:, None]).exp_().unsqueeze(2)).squeeze(2)
        slope = (expected - places.said).T @ inputs / len(inputs)
        slope[:, 1:] += pull * table[:, 1:]
        loss = float((total - (weights * places.said).sum(1)).double().mean()) + 0.5 * pull * float(table[:, 1:].square().sum())
        return loss, slope.double().numpy().ravel()

    start = np.zeros((members, inputs.shape[1]))
    start[:, 0] = 1 / members
    best = minimize(objective, start.ravel(), jac=True, method="L-BFGS-B", options={"maxiter": settings.steps})
    table = tuple(tuple(row) for row in best.x.reshape(members, -1).tolist())
    return Gate(weights=table, centre=tuple(centre.tolist()), spread=tuple(spread.tolist())) if gated else Gate(weights=table)


def across(places: Places, settings: Settings, gated: bool, members: Sequence[int] | None = None) -> float:
    """Nats a symbol on each part of the places, learned on the other."""
    part = torch.arange(len(places.symbols)) * RUNS // max(1, len(places.symbols)) % 2
    halves = [places.take(part == one, members) for one in (0, 1)]
    return sum(halves[1 - one].loss(learn(halves[one], settings, gated)) for one in (0, 1)) / 2


@torch.no_grad()
def gathered(members: Mapping[str, object], held: Corpus, settings: Settings, progress: Callable[..., None]) -> Places:
    """All places of the items, or as many as there is room for, spread over them."""
    models = {name: cast(Streams, member) for name, member in members.items()}
    outputs = next(iter(models.values())).vocabulary.outputs
    assert isinstance(held.values, Sequences)
    symbols = len(held.values.symbols)
    every = max(1, -(-symbols * outputs * len(models) // settings.most_numbers))
    stacked, symbols_there, seen = list[Tensor](), list[Tensor](), 0
    for index in reading.side_by_side(held):
        for part in reading.read(models, held.batch(index).to(place_of(*models.values()))):
            there = (part.symbols != PAD).nonzero(as_tuple=True)
            kept = ((torch.arange(len(there[0])) + seen) % every == 0).nonzero()[:, 0]
            chosen = there[0][kept], there[1][kept]
            stacked.append(torch.stack([said[chosen].float().cpu() for said in part.said.values()], dim=1))
            symbols_there.append(part.symbols[chosen].cpu())
            seen += len(there[0])
            progress(seen, symbols)
    return Places(torch.cat(stacked), torch.cat(symbols_there))


def fit(
    members: Mapping[str, object],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> Logistic:
    """Learn the weights on `validation`; `train` is not looked at, since the members know it by heart."""
    names, places = list(members), gathered(members, validation, settings, progress)
    asked = list(range(len(names)))
    gated = len(names) > 1 and across(places, settings, True) < across(places, settings, False)
    while len(asked) > 1:
        whole = across(places, settings, gated, asked)
        without = {at: across(places, settings, gated, [other for other in asked if other != at]) for at in asked}
        least = min(without, key=lambda at: without[at])
        if without[least] - whole >= settings.least:
            break
        asked.remove(least)
    chosen = places.take(slice(None), asked)
    gate = learn(chosen, settings, gated and len(asked) > 1)
    weights = dict.fromkeys(names, 0.0)
    for at, share in zip(asked, _shares(chosen, gate), strict=True):
        weights[names[at]] = share
    return build(members, weights, settings.model_copy(update={"gate": gate}))


def _shares(places: Places, gate: Gate) -> list[float]:
    """How much of the sum is each member's, on average over the places; above zero."""
    table = torch.tensor(gate.weights)
    if table.shape[1] > 1:
        scaled = ((places.features - torch.tensor(gate.centre)) / torch.tensor(gate.spread)).clamp(-FURTHEST, FURTHEST)
        each = (table[:, 0] + scaled @ table[:, 1:].T).abs().mean(0)
    else:
        each = table[:, 0].abs()
    return [max(1e-6, share) for share in (each / each.sum()).tolist()]


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> Logistic:
    """From given weights."""
    return Logistic(members, weights, settings)
