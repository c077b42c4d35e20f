"""The training items that lie nearest to others: how far they are, and how far but for the places that differ most."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

NEIGHBOURS = 11  # the nearest one, and ten that it is compared with
SAME = 1e-6  # distances up to this are rounding
PAIRS = 1 << 22  # numbers of pairs compared at a time, so that memory stays bounded

Parts = Callable[[], Iterator[np.ndarray]]  # the training items as rows float32 (item, feature), some at a time
Apart = Callable[[np.ndarray], np.ndarray]  # differences float32 (pair, feature) -> distances (pair,)


class Neighbours(NamedTuple):
    """Float64 (item, neighbour), each row ascending: distances of the whole items, and of what `apart` leaves of them."""

    whole: NDArray[np.float64]
    most: NDArray[np.float64]

    def of(self, rows: slice) -> Neighbours:
        return Neighbours(self.whole[rows], self.most[rows])

    def relative(self) -> NDArray[np.float64]:
        """Float64 (item,): distance to the nearest over the mean distance to the next ones, about 1 for a new item.

        0 for a copy; 1 where the next ones lie at 0 too: what the training items hold many times is common, not memorised.
        The adaptive threshold of Carlini et al. 2023, section 5.1, there with 50 neighbours.
        """
        nearest, others = self.most[:, 0], self.most[:, 1:].mean(1)
        return np.divide(nearest, others, out=np.ones_like(nearest), where=others > SAME)


def neighbours(parts: Parts, rows: np.ndarray, apart: Apart, count: int = NEIGHBOURS) -> Neighbours:
    """Of `rows` (item, feature) the `count` training items that are nearest by Euclidean distance, fewer if there are fewer."""
    squares, at = closest(parts, rows, count)
    most = np.zeros(squares.shape)
    first = 0
    for part in parts():
        items, ranks = np.nonzero((at >= first) & (at < first + len(part)))
        step = max(1, PAIRS // part.shape[1])
        for start in range(0, len(items), step):
            some, rank = items[start : start + step], ranks[start : start + step]
            most[some, rank] = apart(rows[some] - part[at[some, rank] - first])
        first += len(part)
    return Neighbours(np.sqrt(squares.clip(0)), np.sort(most, axis=1))


def closest(parts: Parts, rows: np.ndarray, count: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Squared distances (item, neighbour), ascending, and which training item each is."""
    best, at = np.zeros((len(rows), 0)), np.zeros((len(rows), 0), dtype=np.int64)
    first = 0
    for part in parts():
        squares = (rows**2).sum(1)[:, None] + (part**2).sum(1)[None] - 2 * rows @ part.T
        near = np.argpartition(squares, count - 1, axis=1)[:, :count] if len(part) > count else np.arange(len(part))[None]
        near = np.broadcast_to(near, (len(rows), near.shape[1]))
        best = np.concatenate([best, np.take_along_axis(squares, near, axis=1)], axis=1)
        at = np.concatenate([at, near + first], axis=1)
        order = np.argsort(best, axis=1)[:, :count]
        best, at = np.take_along_axis(best, order, axis=1), np.take_along_axis(at, order, axis=1)
        first += len(part)
    return best, at


def without_largest(squares: np.ndarray, places: int) -> NDArray[np.float64]:
    """Distances (pair,) from squared differences (pair, place), but for so many places that differ most."""
    kept = squares.shape[1] - places
    return np.sqrt(np.partition(squares, kept - 1, axis=1)[:, :kept].sum(1, dtype=np.float64))
