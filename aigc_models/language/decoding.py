"""From log-probabilities to symbols: a ladder of small pure functions, and the loop around it.

Each rung takes and gives log-weights float (item, symbol); `draw` turns them into a symbol.
An item has one random number a symbol, from its own seed, so that it depends on nothing else in its batch.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor

from aigc_models.capabilities import Streams
from aigc_models.errors import BadInput, fault
from aigc_models.layers.noise import SYMBOLS, uniform
from aigc_models.sequences import PAD

STAYING = 0.75  # share of a batch below which those that have ended leave it
Weights = Float[Tensor, "item symbol"]


class Sampling(BaseModel):
    """What may be asked of `generate` and `stream`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    max_length: int = Field(512, ge=1, description="most symbols of an item, the prompt and END included")
    temperature: float = Field(1.0, ge=0, description="1: as learned; 0: always the likeliest symbol")
    top_k: int = Field(0, ge=0, description="only the likeliest symbols, this many; 0: all")
    top_p: float = Field(1.0, gt=0, le=1, description="only the likeliest symbols with this much probability together")
    min_p: float = Field(0.0, ge=0, le=1, description="only symbols with this share of the likeliest one's probability")
    repetition_penalty: float = Field(1.0, ge=1, description="factor on the log-probability of recent symbols; 1: none")
    repetition_window: int = Field(64, ge=1, description="how many symbols are recent")


def sampling(**given: object) -> Sampling:
    """`Sampling`, or `BadInput` that says which value is wrong."""
    try:
        return Sampling.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise BadInput(f"sampling: {name}: {fault(first)}") from error


def penalise(weights: Weights, recent: Int[Tensor, "item time"], penalty: float) -> Weights:
    """Make the symbols in `recent` int64 (item, time) less likely (Keskar et al. 2019, section 4.1)."""
    if penalty == 1 or recent.shape[1] == 0:
        return weights
    seen = torch.zeros_like(weights, dtype=torch.bool).scatter(1, recent, True)
    return torch.where(seen, weights * penalty, weights)


def heat(weights: Weights, temperature: float) -> Weights:
    """Divide by the temperature; 0 leaves only the likeliest symbol."""
    return keep_top_k(weights, 1) if temperature == 0 else weights / temperature


def keep_top_k(weights: Weights, k: int) -> Weights:
    """The `k` likeliest symbols (Fan et al. 2018, section 5.4)."""
    if not 0 < k < weights.shape[1]:
        return weights
    best = weights.topk(k, dim=1)
    return torch.full_like(weights, -torch.inf).scatter(1, best.indices, best.values)


def keep_top_p(weights: Weights, p: float) -> Weights:
    """The smallest set of likeliest symbols with probability `p` (Holtzman et al. 2020, section 3.1)."""
    if p >= 1:
        return weights
    ordered, index = weights.softmax(1).sort(dim=1, descending=True)
    before = ordered.cumsum(1) - ordered
    return weights.masked_fill(torch.zeros_like(before, dtype=torch.bool).scatter(1, index, before >= p), -torch.inf)


def keep_min_p(weights: Weights, share: float) -> Weights:
    """The symbols at least `share` times as likely as the likeliest (Nguyen et al. 2025, section 3)."""
    if share <= 0:
        return weights
    return weights.masked_fill(weights < weights.amax(1, keepdim=True) + math.log(share), -torch.inf)


def draw(weights: Weights, draws: Float[Tensor, " item"]) -> Int[Tensor, " item"]:
    """Symbols int64 (item,) at the quantiles `draws` float (item,) in [0, 1)."""
    cumulative = weights.double().softmax(1).cumsum(1)
    index = torch.searchsorted(cumulative, draws[:, None].double() * cumulative[:, -1:], right=True)[:, 0]
    likeliest = weights.argmax(1)
    return torch.where(weights.gather(1, index.clamp(max=weights.shape[1] - 1)[:, None])[:, 0] > -torch.inf, index, likeliest)


def choose(
    log_probabilities: Weights,
    recent: Int[Tensor, "item time"],
    draws: Float[Tensor, " item"],
    how: Sampling,
) -> Int[Tensor, " item"]:
    """The whole ladder: symbols int64 (item,)."""
    weights = penalise(log_probabilities, recent, how.repetition_penalty)
    weights = heat(weights, how.temperature)
    weights = keep_top_k(weights, how.top_k)
    weights = keep_top_p(weights, how.top_p)
    return draw(keep_min_p(weights, how.min_p), draws)


def forced(prompts: Sequence[Sequence[int]], length: int) -> Int[Tensor, "item time"]:
    """The prompts as int64 (item, length), -1 where the model chooses; raises `BadInput` if one leaves it nothing."""
    tokens = torch.full((len(prompts), length), -1, dtype=torch.int64)
    for row, prompt in zip(tokens, prompts, strict=True):
        if len(prompt) >= length:
            raise BadInput(f"a prompt of {len(prompt)} symbols leaves no room in max_length={length} symbols; shorten it")
        row[: len(prompt)] = torch.tensor(list(prompt), dtype=torch.int64)
    return tokens


def rows(state: Any, index: Int[Tensor, " row"]) -> Any:
    """The state of some items alone; its form is that of `capabilities.Streams`."""
    if isinstance(state, Tensor):
        return state[index.to(state.device)]
    if isinstance(state, np.ndarray):
        return state[index.numpy()]
    if isinstance(state, tuple):
        parts = [rows(part, index) for part in state]
        return type(state)(*parts) if hasattr(state, "_fields") else tuple(parts)
    return state


@torch.no_grad()
def steps(
    model: Streams,
    conditions: Int[Tensor, " item"],
    seeds: Int[Tensor, " item"],
    prompts: Sequence[Sequence[int]],
    how: Sampling,
    shrinking: bool = False,
) -> Iterator[Int[Tensor, " item"]]:
    """One int64 (item,) after another until every item has ended; PAD after an item's END.

    `shrinking`: items that have ended leave the batch when a quarter of it has. Few are as long as the longest; but how many
    there are rounds another way, so that an item is then the same but for that.
    """
    prompt, draws = forced(prompts, how.max_length), uniform(seeds, how.max_length, SYMBOLS, torch.float64)
    state, token = model.begin(conditions), torch.full_like(conditions, model.vocabulary.end)
    there = torch.arange(len(conditions))  # the items that are still in the batch
    past = torch.empty(len(conditions), 0, dtype=torch.int64)
    ended = torch.zeros(len(conditions), dtype=torch.bool)
    for time in range(how.max_length):
        log_probabilities, state = model.advance(state, token)
        chosen = choose(log_probabilities.cpu(), past[:, -how.repetition_window :], draws[there, time], how)
        chosen = torch.where(prompt[there, time] >= 0, prompt[there, time], chosen)
        symbols = torch.full((len(conditions),), PAD)
        symbols[there] = torch.where(ended, PAD, chosen)
        yield symbols
        ended = ended | (chosen == model.vocabulary.end)
        left = (~ended).nonzero()[:, 0]
        if not len(left):
            return
        past = torch.cat([past, chosen[:, None]], dim=1)
        if shrinking and len(left) <= STAYING * len(there):
            state, there, past, chosen, ended = (rows(each, left) for each in (state, there, past, chosen, ended))
        token = chosen.to(conditions.device)


def generate(
    model: Streams,
    conditions: Int[Tensor, " item"],
    seeds: Int[Tensor, " item"],
    prompts: Sequence[Sequence[int]],
    shrinking: bool = False,
    **given: object,
) -> Int[Tensor, "item time"]:
    """Whole items int64 (item, time): the prompt, what follows it, END, then PAD. `given` is `Sampling`; see `steps`."""
    return torch.stack(list(steps(model, conditions, seeds, prompts, sampling(**given), shrinking)), dim=1)


def stream(model: Streams, condition: int, seed: int, prompt: Sequence[int], **given: object) -> Iterator[int]:
    """The symbols of one item as they are drawn, the prompt's first and END last: those that `generate` gives."""
    how = sampling(**given)
    for token in steps(model, torch.tensor([condition]), torch.tensor([seed]), [prompt], how):
        yield int(token)
