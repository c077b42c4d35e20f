"""From log-probabilities to symbols: a ladder of small pure functions, and the loop around it.

Each rung takes and gives log-weights float (item, symbol); `draw` turns them into a symbol.
An item has one random number a symbol, from its own seed, so that it depends on nothing else in its batch.
"""

from __future__ import annotations

import copy
import math
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from torch import Tensor

from aigc_models.capabilities import Streams
from aigc_models.errors import BadInput, fault
from aigc_models.language import grammar
from aigc_models.language.grammar import Match
from aigc_models.layers.noise import SYMBOLS, generators
from aigc_models.sequences import PAD

AT_ONCE = 64  # random numbers of an item that are made at a time
STAYING = 0.75  # share of a batch below which those that have ended leave it
HEEDED_BY_BEAMS = {"max_length", "logit_bias", "regex", "json_schema", "grammar"}
Weights = Float[Tensor, "item symbol"]
Bias = Annotated[float, Field(ge=-100, le=100)]


class Sampling(BaseModel):
    """What may be asked of `generate` and `stream`."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    max_length: int = Field(512, ge=1, description="most symbols of an item, the prompt and END included")
    temperature: float = Field(1.0, ge=0, description="1: as learned; 0: always the likeliest symbol")
    top_k: int = Field(0, ge=0, description="only the likeliest symbols, this many; 0: all")
    top_p: float = Field(1.0, gt=0, le=1, description="only the likeliest symbols with this much probability together")
    min_p: float = Field(0.0, ge=0, le=1, description="only symbols with this share of the likeliest one's probability")
    typical_p: float = Field(1.0, gt=0, le=1, description="only the symbols nearest to the expected surprise with this much")
    repetition_penalty: float = Field(1.0, ge=1, description="the logits of recent symbols are divided by it; 1: none")
    repetition_window: int = Field(64, ge=1, description="how many symbols are recent")
    frequency_penalty: float = Field(0.0, ge=-2, le=2, description="taken from a symbol's logit each time that it was drawn")
    presence_penalty: float = Field(0.0, ge=-2, le=2, description="taken once from the logit of a symbol that was drawn")
    no_repeat_ngram: int = Field(0, ge=0, description="no run of this many symbols stands in an item twice; 0: any may")
    logit_bias: dict[int, Bias] = Field({}, description="added to the logits of symbols, -100 (never) to 100 (always)")
    regex: str | None = Field(None, description="matches what is drawn of a text; as Rust writes them, without \\b")
    json_schema: dict[str, Any] | None = Field(None, description="what is drawn of a text is JSON that keeps to it")
    grammar: Literal["python"] | None = Field(None, description="what is drawn of a text is the body of a Python function")
    beams: int = Field(0, ge=0, le=64, description="the likeliest texts are searched with so many, none is drawn; 0: drawn")
    length_penalty: float = Field(0.6, ge=0, description="of beams, how much longer texts are favoured; 0: not at all")

    @field_validator("json_schema")
    @classmethod
    def _one_grammar(cls, schema: dict[str, Any] | None, others: ValidationInfo) -> dict[str, Any] | None:
        if schema is not None and others.data.get("regex") is not None:
            raise ValueError("a text is held to a regex or to a json_schema, not to both")
        return schema

    @field_validator("grammar")
    @classmethod
    def _nothing_else(cls, grammar: str | None, others: ValidationInfo) -> str | None:
        if grammar and (others.data.get("regex") or others.data.get("json_schema") is not None):
            raise ValueError("a text is held to a grammar, or to a regex or json_schema, not to both")
        return grammar

    @field_validator("beams")
    @classmethod
    def _nothing_is_drawn(cls, beams: int, others: ValidationInfo) -> int:
        for name, value in others.data.items() if beams else ():
            idle = name in HEEDED_BY_BEAMS or value == cls.model_fields[name].default or (name, value) == ("temperature", 0)
            if not idle:
                raise ValueError(f"beams search for the likeliest text, for which {name} says nothing; leave it out")
        return beams

    @property
    def held(self) -> bool:
        """Whether a text has to match something."""
        return self.regex is not None or self.json_schema is not None or self.grammar is not None

    @property
    def looks_back(self) -> bool:
        """Whether what was drawn before changes what may be drawn."""
        penalties = self.frequency_penalty or self.presence_penalty or self.no_repeat_ngram
        return self.repetition_penalty != 1 or bool(penalties)


def sampling(**given: object) -> Sampling:
    """`Sampling`, or `BadInput` that says which value is wrong."""
    try:
        return Sampling.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"]))
        raise BadInput(f"sampling: {name}: {fault(first)}") from error


class Past(NamedTuple):
    """What the options that look back know of some items."""

    recent: Bool[Tensor, "item symbol"]  # stands among the last symbols, those of the prompt too
    counts: Float[Tensor, "item symbol"]  # how often it was drawn
    banned: Bool[Tensor, "item symbol"]  # would end a run that was there before


class History:
    """What those options must know of one item, kept up symbol by symbol."""

    def __init__(self, how: Sampling, outputs: int, prompt: Sequence[int]) -> None:
        self._how, self._drawn = how, np.zeros(outputs, dtype=np.float32)
        self._recent = deque[int](maxlen=how.repetition_window)
        self._run = deque[int](maxlen=max(0, how.no_repeat_ngram - 1))  # what a run would begin with
        self._followed = defaultdict[tuple[int, ...], set[int]](set)
        for symbol in prompt:
            self._see(symbol)

    def add(self, symbol: int) -> None:
        """One that was drawn."""
        self._drawn[symbol] += 1
        self._see(symbol)

    def _see(self, symbol: int) -> None:
        self._recent.append(symbol)
        if self._how.no_repeat_ngram:
            if len(self._run) == self._how.no_repeat_ngram - 1:
                self._followed[tuple(self._run)].add(symbol)
            self._run.append(symbol)

    @staticmethod
    def past(histories: Sequence[History]) -> Past:
        """Of several items together."""
        counts = np.stack([each._drawn for each in histories])
        recent, banned = np.zeros_like(counts, dtype=bool), np.zeros_like(counts, dtype=bool)
        for row, each in enumerate(histories):
            recent[row, list(each._recent)] = True
            banned[row, list(each._followed.get(tuple(each._run), ()))] = True
        return Past(torch.from_numpy(recent), torch.from_numpy(counts), torch.from_numpy(banned))


def add_bias(weights: Weights, biases: Mapping[int, float]) -> Weights:
    """OpenAI's `logit_bias`: what is added to the logits of some symbols."""
    if not biases:
        return weights
    values = torch.tensor(list(biases.values()), dtype=weights.dtype)
    return weights.index_add(1, torch.tensor(list(biases)), values.expand(len(weights), -1))


def penalise(weights: Weights, recent: Bool[Tensor, "item symbol"], penalty: float) -> Weights:
    """Divide the logits of `recent` symbols, multiply negative ones (Keskar et al. 2019, section 4.1).

    Log-probabilities do not say where a logit is zero, and near certainty theirs leaves nothing to divide. Here it is the mean
    over the symbols (the centred log-ratio of Aitchison 1982), so that a model's own offset does not matter.
    """
    if penalty == 1:
        return weights
    possible = weights.isfinite()
    logits = weights - weights.masked_fill(~possible, 0.0).sum(1, keepdim=True) / possible.sum(1, keepdim=True)
    return torch.where(recent, torch.where(logits > 0, logits / penalty, logits * penalty), logits)


def count_against(weights: Weights, counts: Float[Tensor, "item symbol"], frequency: float, presence: float) -> Weights:
    """OpenAI's `frequency_penalty` and `presence_penalty`: for each time that a symbol was drawn, and once."""
    return weights - frequency * counts - presence * (counts > 0) if frequency or presence else weights


def ban(weights: Weights, banned: Bool[Tensor, "item symbol"]) -> Weights:
    """Leave out `banned` symbols (Paulus et al. 2018, section 2.5)."""
    return weights.masked_fill(banned, -torch.inf)


def hold(weights: Weights, allowed: Bool[Tensor, "item symbol"]) -> Weights:
    """Only the `allowed` symbols; where the model rules all of them out, one is as likely as another."""
    held = weights.masked_fill(~allowed, -torch.inf)
    ruled_out = ~held.isfinite().any(1, keepdim=True)
    return held.masked_fill(ruled_out & allowed, 0.0)


def heat(weights: Weights, temperature: float) -> Weights:
    """Divide by the temperature; 0 leaves only the likeliest symbol."""
    if temperature == 1:
        return weights
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


def keep_typical(weights: Weights, p: float) -> Weights:
    """Those whose surprise is nearest to the expected one, with probability `p` (Meister et al. 2023, section 4)."""
    if p >= 1:
        return weights
    log = weights.log_softmax(1)
    entropy = -(log.exp() * log.masked_fill(log == -torch.inf, 0.0)).sum(1, keepdim=True)
    index = (-log - entropy).abs().sort(dim=1, stable=True).indices
    ordered = log.exp().gather(1, index)
    before = ordered.cumsum(1) - ordered
    return weights.masked_fill(torch.zeros_like(before, dtype=torch.bool).scatter(1, index, before >= p), -torch.inf)


def draw(weights: Weights, draws: Float[Tensor, " item"]) -> Int[Tensor, " item"]:
    """Symbols int64 (item,) at the quantiles `draws` float (item,) in [0, 1)."""
    cumulative = weights.double().softmax(1).cumsum(1)
    index = torch.searchsorted(cumulative, draws[:, None].double() * cumulative[:, -1:], right=True)[:, 0]
    likeliest = weights.argmax(1)
    return torch.where(weights.gather(1, index.clamp(max=weights.shape[1] - 1)[:, None])[:, 0] > -torch.inf, index, likeliest)


def choose(
    log_probabilities: Weights,
    draws: Float[Tensor, " item"],
    how: Sampling,
    past: Past | None = None,
    allowed: Bool[Tensor, "item symbol"] | None = None,
) -> Int[Tensor, " item"]:
    """The whole ladder: symbols int64 (item,). `past`: where `how` looks back; `allowed`: where the items are `held`."""
    weights = add_bias(log_probabilities, how.logit_bias)
    if past:
        weights = penalise(weights, past.recent, how.repetition_penalty)
        weights = count_against(weights, past.counts, how.frequency_penalty, how.presence_penalty)
        weights = ban(weights, past.banned)
    if allowed is not None:
        weights = hold(weights, allowed)
    weights = heat(weights, how.temperature)
    weights = keep_top_k(weights, how.top_k)
    weights = keep_top_p(weights, how.top_p)
    weights = keep_min_p(weights, how.min_p)
    return draw(keep_typical(weights, how.typical_p), draws)


class Draws:
    """An item's random numbers, one a symbol, made as they are needed: those of `noise.uniform`."""

    def __init__(self, seed: int, first: int = 0) -> None:
        """`first`: the place of the first symbol that is drawn."""
        (self._generator,) = map(copy.deepcopy, generators(torch.tensor([seed]), SYMBOLS))
        self._generator.random(first)
        self._ready: Iterator[float] = iter(())

    def __next__(self) -> float:
        number = next(self._ready, None)
        if number is None:
            self._ready = iter(self._generator.random(AT_ONCE).tolist())
            number = next(self._ready)
        return number


def fits(prompt: Sequence[int], how: Sampling, start: Match | None = None) -> None:
    """Raise `BadInput` where a prompt leaves nothing to draw, or a text is to be held and it is not known to what."""
    if how.held and start is None:
        raise BadInput(
            "a regex, json_schema or grammar holds texts, whose symbols stand for bytes; these stand for something else"
        )
    if len(prompt) >= how.max_length:
        most = f"max_length={how.max_length} symbols"
        raise BadInput(f"a prompt of {len(prompt)} symbols leaves no room in {most}; shorten it or ask for more")


def rows(state: Any, index: Int[Tensor, " row"]) -> Any:
    """The state of some items alone; its form is that of `capabilities.Streams`."""
    if isinstance(state, Tensor):
        return state[index.to(state.device)]
    if isinstance(state, np.ndarray):
        return state[index.cpu().numpy()]
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
    start: Match | None = None,
) -> Iterator[Int[Tensor, " item"]]:
    """One int64 (item,) after another until every item has ended; PAD after an item's END.

    `shrinking`: items that have ended leave the batch when a quarter of it has. Few are as long as the longest; but how many
    there are rounds another way, so that an item is then the same but for that. `start`: what texts are held to, if they are.
    """
    for prompt in prompts:
        fits(prompt, how, start)
    matches = [start.copy() for _ in prompts] if start else []
    histories = [History(how, model.vocabulary.outputs, prompt) for prompt in prompts] if how.looks_back else []
    draws = [Draws(int(seed)) for seed in seeds]
    state, token = model.begin(conditions), torch.full_like(conditions, model.vocabulary.end)
    there = torch.arange(len(conditions))  # the items that are still in the batch
    ended = torch.zeros(len(conditions), dtype=torch.bool)
    for time in range(how.max_length):
        log_probabilities, state = model.advance(state, token)
        past = History.past([histories[item] for item in there]) if histories else None
        drawn = torch.tensor([next(draws[item]) for item in there], dtype=torch.float64)
        allowed = grammar.allowed([matches[item] for item in there]) if matches else None
        chosen = choose(log_probabilities.cpu(), drawn, how, past, allowed)
        for row, item in enumerate(there.tolist()):
            if time < len(prompts[item]):
                chosen[row] = prompts[item][time]
                continue
            if histories:
                histories[item].add(int(chosen[row]))
            if matches and not ended[row]:
                matches[item].add(int(chosen[row]))
        if failures := [match.failure for match in matches if match.failure]:
            raise failures[0]
        symbols = torch.full((len(conditions),), PAD)
        symbols[there] = torch.where(ended, PAD, chosen)
        yield symbols
        ended = ended | (chosen == model.vocabulary.end)
        left = (~ended).nonzero()[:, 0]
        if not len(left):
            return
        if shrinking and len(left) <= STAYING * len(there):
            state, there, chosen, ended = (rows(each, left) for each in (state, there, chosen, ended))
        token = chosen.to(conditions.device)


def generate(
    model: Streams,
    conditions: Int[Tensor, " item"],
    seeds: Int[Tensor, " item"],
    prompts: Sequence[Sequence[int]],
    shrinking: bool = False,
    start: Match | None = None,
    **given: object,
) -> Int[Tensor, "item time"]:
    """Whole items int64 (item, time): the prompt, what follows it, END, then PAD. `given` is `Sampling`; see `steps`."""
    return torch.stack(list(steps(model, conditions, seeds, prompts, sampling(**given), shrinking, start)), dim=1)
