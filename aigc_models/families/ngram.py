"""Interpolated modified Kneser-Ney over symbols (Chen and Goodman 1999, section 3), with the condition.

The contexts form a trie that grows backwards in time, one trie for the whole corpus and one for each
label. Both give a distribution, and they are mixed with a weight that depends on how long a context
each of them has seen; these weights and the order are learned on the validation split.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.language.counting import Bools, Floats, Ints, Level, Stream, levels, stream
from aigc_models.language.vocabulary import symbolic, vocabulary_of
from aigc_models.sequences import PAD, Sequences, Vocabulary

MODALITIES = symbolic()

ORDER = 0  # seed of the order in which items are taken until there are enough
AT_ONCE = 2048  # places whose whole distributions are made at a time
TABLES = ("contexts", "first", "symbols", "mass", "rest")  # of a level


class Config(BaseModel):
    """On half a megabyte of short texts the fit takes some seconds of one core."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    shortest: int = Field(3, ge=1, description="orders up to this one are tried in any case, symbols")
    longest: int = Field(10, ge=1, le=32, description="highest order tried on validation, symbols")
    most_symbols: int = Field(20_000_000, ge=1, description="training symbols counted at most, of items drawn at random")


SIZES = {
    "debug": Config(longest=4),
    "small": Config(),
    "base": Config(longest=12),
    "large": Config(longest=14, most_symbols=200_000_000),
}


def radix_of(vocabulary: Vocabulary) -> int:
    """A power of two above all symbols that are fed, so that none runs into the next node's keys."""
    return max(512, 1 << vocabulary.inputs.bit_length())


@dataclass(frozen=True)
class Path:
    """Where each query stands in its trie. `depth` counts the context lengths that were found."""

    node: Ints
    alive: Bools
    depth: Ints

    @classmethod
    def start(cls, roots: Ints) -> Path:
        return cls(roots, np.ones(len(roots), dtype=bool), np.zeros(len(roots), dtype=np.int64))

    def down(self, level: Level, back: Ints | None) -> Path:
        """One symbol further back; `back` is None at the root, which is dead where nothing was counted."""
        if back is None:
            node, there = self.node, level.first[self.node + 1] > level.first[self.node]
        else:
            node, there = level.node(self.node, back)
        alive = self.alive & there
        return Path(node, alive, self.depth + alive)

    def probability(self, level: Level, target: Ints, shorter: Floats) -> Floats:
        """Probability (query,) of `target`, from that which the shorter context gives."""
        index, there = level.gram(self.node, target)
        probabilities = np.where(there, level.mass[index], 0.0) + level.rest[self.node] * shorter
        return np.where(self.alive, probabilities, shorter)

    def distribution(self, level: Level, shorter: Floats) -> Floats:
        """Probabilities (query, symbol), from those which the shorter context gives."""
        result = shorter * np.where(self.alive, level.rest[self.node], 1.0)[:, None]
        start = level.first[self.node].astype(np.int64)
        size = np.where(self.alive, level.first[self.node + 1] - start, 0)
        row = np.repeat(np.arange(len(size)), size)
        gram = np.arange(len(row)) + np.repeat(start - np.cumsum(size) + size, size)
        result[row, level.symbols[gram]] += level.mass[gram]
        return result


def _fitting(values: Sequences, most: int) -> int:
    """How many items of a random order have at most `most` symbols in all; 1 at least."""
    length = values.lengths[np.random.default_rng(ORDER).permutation(len(values))]
    return max(1, int(np.searchsorted(np.cumsum(length), most, side="right")))


def learn_mix(pooled: Floats, labelled: Floats, bucket: Ints, buckets: int, rounds: int = 30) -> Floats:
    """Weight of the label's trie in each bucket by expectation maximisation; rare buckets stay near a half."""
    weight = np.full(buckets, 0.5)
    size = np.bincount(bucket, minlength=buckets) + 2.0
    for _ in range(rounds):
        share = weight[bucket] * labelled
        share = share / (share + (1 - weight[bucket]) * pooled)
        weight = (np.bincount(bucket, share, buckets) + 1.0) / size
    return weight


class NGram:
    """Counts; `mix` (depth in the label's trie, depth in the pooled one) is the weight of the label's trie."""

    def __init__(self, config: Config, shape: Shape) -> None:
        self.config, self.labels, self.vocabulary = config, len(shape.labels), vocabulary_of(shape)
        self.radix = radix_of(self.vocabulary)
        self.levels: list[Level] = []
        self.mix: Floats = np.zeros((1, 1))

    @property
    def order(self) -> int:
        """Symbols of the longest n-gram."""
        return len(self.levels)

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> None:
        """Count, and keep the order with the highest likelihood of the validation split."""
        text, root = self._tries(train)
        held = stream(validation.sequences, self.vocabulary.end)
        seen, best = _Validation(held, self._roots(validation.conditions, held), self.vocabulary.outputs), -np.inf
        lower: list[Level] = []
        for order, (top, below) in enumerate(levels(text, root, self.labels + 1, self.config.longest, self.radix), start=1):
            figure, mix = seen.try_order(top, below)
            progress(order, self.config.longest, validation_loss=-figure)
            if figure > best:
                best, self.levels, self.mix = figure, [*lower, top], mix
            elif order > self.config.shortest:
                return
            lower.append(below)

    def _tries(self, train: Corpus) -> tuple[Stream, Ints]:
        """The text twice, for the pooled trie and for the label's own, and the trie of each target."""
        kept = train.sample(_fitting(train.sequences, self.config.most_symbols), ORDER)
        labelled = kept.take(np.flatnonzero(np.asarray(kept.conditions) < self.labels))
        text = stream(Sequences.joined([kept.sequences, labelled.sequences]), self.vocabulary.end)
        root = np.concatenate([np.zeros(len(kept), dtype=np.int32), np.asarray(labelled.conditions, dtype=np.int32) + 1])
        return text, root[text.item][text.targets]

    def _roots(self, conditions: NDArray[Any], text: Stream) -> Ints:
        """For each target its label's trie; the pooled one where it has none."""
        root = (np.asarray(conditions, dtype=np.int64) + 1) % (self.labels + 1)
        return root[text.item][text.targets]

    def log_likelihood(self, batch: Batch) -> Float[Tensor, "item time"]:
        """float32 (item, time), nats."""
        values = batch.values.cpu().numpy()
        text = stream(Sequences.of_padded(values), self.vocabulary.end)
        targets, roots = text.targets, self._roots(batch.conditions.cpu().numpy(), text)
        walk = _Walk(Path.start(np.concatenate([np.zeros_like(roots), roots])), np.tile(targets, 2), text)
        probabilities: Floats = np.full(2 * len(targets), 1 / self.vocabulary.outputs)
        for length, each in enumerate(self.levels):
            walk = walk.down(each, length)
            probabilities = walk.path.probability(each, text.symbols[walk.targets], probabilities)
        result = np.zeros(values.shape, dtype=np.float32)
        result[text.item[targets], text.place[targets] - 1] = np.log(self._mixed(probabilities, walk.path.depth))
        return torch.from_numpy(result).to(batch.values.device)

    def _log_distribution(self, root: Ints, behind: Ints) -> NDArray[np.float32]:
        """Log-probabilities (query, symbol) in the tries `root`; `behind` (query, order - 1): symbols before, nearest first."""
        path = Path.start(np.concatenate([np.zeros_like(root), root]))
        probabilities: Floats = np.full((2 * len(root), self.vocabulary.outputs), 1 / self.vocabulary.outputs)
        for length, each in enumerate(self.levels):
            path = path.down(each, np.tile(behind[:, length - 1], 2) if length else None)
            probabilities = path.distribution(each, probabilities)
        return np.log(self._mixed(probabilities, path.depth)).astype(np.float32)

    def _mixed(self, probabilities: Floats, depth: Ints) -> Floats:
        """One distribution of the pooled (first half) and the labels' (second half)."""
        pooled, labelled = np.split(probabilities, 2)
        weight = self.mix[depth[len(pooled) :], depth[: len(pooled)]]
        weight = weight.reshape(-1, *[1] * (probabilities.ndim - 1))
        return weight * labelled + (1 - weight) * pooled

    def begin(self, conditions: Int[Tensor, " item"]) -> tuple[Ints, Ints]:
        """Tries (item,) and the last symbols (item, order - 1), the nearest first."""
        root = (conditions.cpu().numpy().astype(np.int64) + 1) % (self.labels + 1)
        return root, np.full((len(root), max(self.order - 1, 1)), PAD)

    def extend(
        self, state: tuple[Ints, Ints], tokens: Int[Tensor, "item time"]
    ) -> tuple[Float[Tensor, "item time symbol"], tuple[Ints, Ints]]:
        """Log-probabilities float32 (item, time, symbol)."""
        root, behind = state
        past, time = behind.shape[1], tokens.shape[1]
        whole = _oldest_first(behind, tokens)
        windows = np.lib.stride_tricks.sliding_window_view(whole[:, 1:], past, axis=1)[:, :, ::-1].reshape(-1, past)
        roots, parts = np.repeat(root, time), range(0, len(windows), AT_ONCE)
        said = [self._log_distribution(roots[at : at + AT_ONCE], windows[at : at + AT_ONCE]) for at in parts]
        log_probabilities = torch.from_numpy(np.concatenate(said).reshape(len(root), time, -1))
        return log_probabilities.to(tokens.device), (root, whole[:, time:][:, ::-1])

    def prefill(self, state: tuple[Ints, Ints], tokens: Int[Tensor, "item time"]) -> tuple[Ints, Ints]:
        root, behind = state
        return root, _oldest_first(behind, tokens)[:, tokens.shape[1] :][:, ::-1]

    def advance(
        self, state: tuple[Ints, Ints], tokens: Int[Tensor, " item"]
    ) -> tuple[Float[Tensor, "item symbol"], tuple[Ints, Ints]]:
        """Log-probabilities float32 (item, symbol)."""
        log_probabilities, state = self.extend(state, tokens[:, None])
        return log_probabilities[:, 0], state

    def state_dict(self) -> dict[str, Tensor]:
        """Counts as tables: `levels.I.NAME` and `mix`."""
        state = {"mix": torch.from_numpy(self.mix.astype(np.float32))}
        for index, each in enumerate(self.levels):
            state |= {f"levels.{index}.{name}": torch.from_numpy(getattr(each, name)) for name in TABLES}
        return state

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Takes tables of any size."""
        count = sum(name.endswith(".first") for name in state)
        tables = [{name: state[f"levels.{index}.{name}"].numpy() for name in TABLES} for index in range(count)]
        self.levels = [Level(**each, radix=self.radix) for each in tables]
        self.mix = state["mix"].numpy().astype(np.float64)


def _oldest_first(behind: Ints, tokens: Int[Tensor, "item time"]) -> Ints:
    """The symbols of a state, and those that follow it."""
    return np.concatenate([behind[:, ::-1], tokens.cpu().numpy()], axis=1)


@dataclass(frozen=True)
class _Walk:
    """All targets of a text on their way down the tries."""

    path: Path
    targets: Ints
    text: Stream

    def down(self, level: Level, length: int) -> _Walk:
        """To contexts of `length` symbols; a context does not reach past the END before its item."""
        if not length:
            return _Walk(self.path.down(level, None), self.targets, self.text)
        return _Walk(self.path.down(level, self.text.back(self.targets, length)), self.targets, self.text)


class _Validation:
    """The held-out text, walked down once while the orders are tried."""

    def __init__(self, text: Stream, roots: Ints, outputs: int) -> None:
        start = Path.start(np.concatenate([np.zeros_like(roots), roots]))
        self.walk = _Walk(start, np.tile(text.targets, 2), text)
        self.probabilities = np.full(len(self.walk.targets), 1 / outputs)
        self.length = 0

    def try_order(self, top: Level, below: Level) -> tuple[float, Floats]:
        """Mean log-likelihood (nats a symbol) of the model whose longest level is `top`, and its mix."""
        self.walk = self.walk.down(top, self.length)
        symbols, path, side = self.walk.text.symbols[self.walk.targets], self.walk.path, self.length + 2
        pooled, labelled = np.split(path.probability(top, symbols, self.probabilities), 2)
        self.probabilities = path.probability(below, symbols, self.probabilities)
        self.length += 1
        deep, shallow = path.depth[len(pooled) :], path.depth[: len(pooled)]
        mix = learn_mix(pooled, labelled, deep * side + shallow, side * side).reshape(side, side)
        mix[0] = 0.0
        weight = mix[deep, shallow]
        return float(np.mean(np.log(weight * labelled + (1 - weight) * pooled))), mix


def build(config: Config, shape: Shape) -> NGram:
    return NGram(config, shape)
