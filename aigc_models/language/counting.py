"""N-grams of a text, counted for tries of contexts that grow backwards in time.

Two orders of the text's places hold all of it. By the context read backwards, the contexts of every length are runs of
neighbours; with the symbol in front, the n-grams of every length are. So a text is sorted twice, not twice a length.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aigc_models.sequences import PAD, Sequences

Ints = NDArray[Any]
Floats = NDArray[np.floating[Any]]
Bools = NDArray[np.bool_]


@dataclass(frozen=True)
class Stream:
    """Items laid end to end, each behind an END: `place` is a symbol's position in its item, the END before it at 0."""

    symbols: Ints  # int32, as the others
    place: Ints
    item: Ints

    @property
    def targets(self) -> Ints:
        return np.flatnonzero(self.place).astype(np.int32)

    def back(self, targets: Ints, length: int) -> Ints:
        """The symbol `length` before each of `targets`; PAD where that is before its item's END."""
        return np.where(self.place[targets] >= length, self.symbols.take(targets - length, mode="clip"), PAD)


def stream(values: Sequences, end: int) -> Stream:
    """All items as one `Stream`; at most 2 ** 31 symbols."""
    lengths = (values.lengths + 1).astype(np.int32)
    item = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
    place = np.arange(len(item), dtype=np.int32)
    place -= np.repeat((np.cumsum(lengths) - lengths).astype(np.int32), lengths)
    symbols = np.full(len(item), end, dtype=np.int32)
    symbols[place > 0] = values.symbols
    return Stream(symbols, place, item)


@dataclass(frozen=True)
class Level:
    """The contexts of one length. The n-grams of node i stand at `first[i]` to `first[i + 1]`."""

    contexts: Ints  # int64 (node,), sorted: node of the context one symbol shorter * radix + the symbol before it
    first: Ints  # int32 (node + 1,)
    symbols: Ints  # int16, or int32 where there are many (gram,); ascending within a node
    mass: Floats  # float32 (gram,) discounted probability
    rest: Floats  # float32 (node,) what the shorter context gets
    radix: int

    def node(self, shorter: Ints, back: Ints) -> tuple[Ints, Bools]:
        """That of each context, 0 where it is missing, and whether it is there."""
        if not len(self.contexts):
            return np.zeros(len(shorter), dtype=np.int64), np.zeros(len(shorter), dtype=bool)
        wanted = shorter * self.radix + back
        index = np.searchsorted(self.contexts, wanted)
        index[index == len(self.contexts)] = 0
        there = self.contexts[index] == wanted
        return np.where(there, index, 0), there

    def gram(self, node: Ints, symbol: Ints) -> tuple[Ints, Bools]:
        """The same of each n-gram."""
        if not len(self.symbols):
            return np.zeros(len(node), dtype=np.int64), np.zeros(len(node), dtype=bool)
        low, end = self.first[node].astype(np.int64), self.first[node + 1].astype(np.int64)
        high = end
        for _ in range(int(np.max(end - low, initial=0)).bit_length()):
            middle = np.minimum((low + high) // 2, len(self.symbols) - 1)
            below = (low < high) & (self.symbols[middle] < symbol)
            low, high = np.where(below, middle + 1, low), np.where(below, high, middle)
        index = np.minimum(low, len(self.symbols) - 1)
        there = (low < end) & (self.symbols[index] == symbol)
        return np.where(there, index, 0), there


@dataclass(frozen=True)
class Counted:
    """The n-grams of one length, by node and symbol. Those of the pooled trie come first."""

    contexts: Ints
    node: Ints
    symbols: Ints
    raw: Ints  # how often each occurs
    continued: Ints  # behind how many symbols each occurs (or how often, at the beginning of an item)
    pooled: int

    def level(self, counts: Ints, radix: int) -> Level:
        """Counts as discounted probabilities; the pooled trie and those of the labels have discounts of their own."""
        nodes = len(self.contexts)
        first = np.searchsorted(self.node, np.arange(nodes + 1)).astype(np.int32)
        taken = np.empty(len(counts))
        for group in (slice(None, self.pooled), slice(self.pooled, None)):
            taken[group] = discounts(counts[group])[np.minimum(counts[group], 3)]
        total = np.maximum(np.bincount(self.node, counts, nodes), 1)
        mass = ((counts - taken) / total[self.node]).astype(np.float32)
        rest = (np.bincount(self.node, taken, nodes) / total).astype(np.float32)
        return Level(self.contexts, first, self.symbols, mass, rest, radix)


def discounts(counts: Ints) -> NDArray[np.float64]:
    """Discount for a count of 0, 1, 2 and 3 or more (Chen and Goodman 1999, equation 26)."""
    n1, n2, n3, n4 = (int(np.count_nonzero(counts == c)) for c in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return np.array([0.0, 0.5, 0.75, 0.9])
    y = n1 / (n1 + 2 * n2)
    wanted = [1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
    return np.concatenate([[0.0], np.clip(wanted, 0.01, [0.99, 1.99, 2.99])])


@dataclass(frozen=True)
class _Order:
    """Places of a text in an order in which like contexts are neighbours."""

    places: Ints  # int32
    alike: Ints  # uint8: how many symbols of context it shares with the one before it, plus 1; 0: not even the trie
    depth: Ints  # uint8: how many symbols of context it has

    def starts(self, length: int) -> Bools:
        """Where another context of `length` symbols begins."""
        return (self.alike <= length) & (self.depth >= length)


class _Sorted:
    """A text whose targets hang under the tries `root` (target,); contexts have at most `longest` symbols."""

    def __init__(self, text: Stream, root: Ints, longest: int) -> None:
        self.text, self.longest = text, longest
        # as narrow as may be: the fewer bytes a number has, the faster it is sorted
        self.codes = (text.symbols + 1).astype(np.min_scalar_type(int(text.symbols.max(initial=0)) + 1))
        self.depth = np.minimum(text.place, longest).astype(np.uint8)
        targets = text.targets
        self.root = np.zeros(len(text.symbols), dtype=np.min_scalar_type(int(root.max(initial=0))))
        self.root[targets] = root
        for length in range(longest, 0, -1):
            targets = targets[np.argsort(self._back(length)[targets], kind="stable")]
        self.contexts = self._order(self._by_root(targets), grams=False)
        self.grams = self._order(self._by_root(targets[np.argsort(self.codes[targets], kind="stable")]), grams=True)

    def _by_root(self, targets: Ints) -> Ints:
        return targets[np.argsort(self.root[targets], kind="stable")]

    def _back(self, length: int) -> Ints:
        """The code `length` before each place; 0 where there is none. Made as a whole, since it is read here and there."""
        codes = np.zeros_like(self.codes)
        codes[length:] = self.codes[:-length]
        codes[self.depth < length] = 0
        return codes

    def _order(self, targets: Ints, grams: bool) -> _Order:
        here, alike = self.root[targets], np.zeros(len(targets), dtype=np.uint8)
        same = here[1:] == here[:-1]
        if grams:
            here = self.codes[targets]
            same &= here[1:] == here[:-1]
        alike[1:] += same
        for length in range(1, self.longest + 1):
            here = self._back(length)[targets]
            same &= here[1:] == here[:-1]
            alike[1:] += same
        return _Order(targets, alike, self.depth[targets])


def count(text: Stream, root: Ints, roots: int, longest: int, radix: int) -> Iterator[Counted]:
    """The n-grams behind contexts of 0 to `longest` - 1 symbols; `root` int (target,): the trie of each, 0 the pooled one."""
    whole = _Sorted(text, root, longest)
    contexts, grams = whole.contexts, whole.grams
    node_at = whole.root.astype(np.int32)  # the node of each place
    keys, pooled, narrow = np.arange(roots), 1, np.int16 if radix <= np.iinfo(np.int16).max else np.int32
    for length in range(longest):
        if not (contexts.depth > length).any():
            return
        if length:
            starts = contexts.starts(length)
            at = contexts.places[starts]
            keys = node_at[at].astype(np.int64) * radix + text.symbols[at - length]
            pooled = int(np.count_nonzero(whole.root[at] == 0))
            there = contexts.depth >= length
            node_at[contexts.places[there]] = (np.cumsum(starts, dtype=np.int32) - 1)[there]
        first = np.flatnonzero(grams.starts(length))
        raw = np.add.reduceat(grams.depth >= length, first, dtype=np.int32)
        kinds = np.add.reduceat(grams.starts(length + 1), first, dtype=np.int32)
        continued = np.where(grams.depth[first] == length, raw, kinds)  # nothing stands before an item's END
        at = grams.places[first]
        order = np.argsort(node_at[at], kind="stable")
        at, raw, continued = at[order], raw[order], continued[order]
        node = node_at[at]
        yield Counted(keys, node, text.symbols[at].astype(narrow), raw, continued, int(np.searchsorted(node, pooled)))


def levels(text: Stream, root: Ints, roots: int, longest: int, radix: int) -> Iterator[tuple[Level, Level]]:
    """For each length the level as the longest of a model (raw counts) and as one below it (in how many contexts)."""
    for counted in count(text, root, roots, longest, radix):
        yield counted.level(counted.raw, radix), counted.level(counted.continued, radix)
