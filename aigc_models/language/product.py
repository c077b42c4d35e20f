"""A matrix that a few rows are multiplied by again and again, from one buffer into another.

On a CPU nearly all of a step's time goes into these products, and their speed depends on how the matrix lies: one row is
multiplied fastest where the longer side is in one piece; several rows by numpy's BLAS in pieces so small that it
does not repack them (OpenBLAS 0.3.17 and later, with AVX-512: 1.2 to 1.8 times as fast as torch).

What a row gives may depend on its place among the others, in the last bit: OpenBLAS takes rows in blocks, and with AVX2 the
last block is added up in another order. So each way is tried on this machine, and one is taken that gives a row the same at
every place.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import torch
from torch import Tensor

SMALL = 1_000_000  # multiplications up to which OpenBLAS does not repack
LANES = 16  # a piece is a multiple of it wide, where it can be

Multiply = Callable[[], object]
Way = Callable[[Tensor, Tensor, Tensor], Multiply]


class Product:
    """`x @ matrix` into `out`, all of them float32 or the like: (row, in), (in, out), (row, out)."""

    def __init__(self, matrix: Tensor, x: Tensor, out: Tensor) -> None:
        inner, outer = matrix.shape
        alone = len(x) == 1 or x.device.type != "cpu"
        way = (_lying if inner < outer else _standing) if alone else _steady(len(x), inner, outer, matrix.dtype)
        self._multiply = way(matrix, x, out)

    def __call__(self) -> None:
        self._multiply()


def _pieces(matrix: Tensor, x: Tensor, out: Tensor) -> Multiply:
    """By numpy, some columns at a time."""
    width = max(LANES, SMALL // matrix[:, 0].numel() // len(x) // LANES * LANES)
    parts = [slice(first, first + width) for first in range(0, matrix.shape[1], width)]
    pieces = [(x.numpy(), matrix[:, part].contiguous().numpy(), out.numpy()[:, part]) for part in parts]

    def multiply() -> None:
        for rows, piece, into in pieces:
            np.matmul(rows, piece, into)

    return multiply


def _lying(matrix: Tensor, x: Tensor, out: Tensor) -> Multiply:
    """By torch, what a row is multiplied by lies side by side."""
    whole = matrix.contiguous()
    return lambda: torch.mm(x, whole, out=out)


def _standing(matrix: Tensor, x: Tensor, out: Tensor) -> Multiply:
    """By torch, what an output is made of lies side by side."""
    whole = matrix.T.contiguous().T
    return lambda: torch.mm(x, whole, out=out)


def _singly(matrix: Tensor, x: Tensor, out: Tensor) -> Multiply:
    """One row after the other."""
    whole = matrix.T.contiguous().T

    def multiply() -> None:
        for row in range(len(x)):
            torch.mm(x[row : row + 1], whole, out=out[row : row + 1])

    return multiply


@cache
def _steady(rows: int, inner: int, outer: int, kind: torch.dtype) -> Way:
    """The first of the ways, the fastest one first, that gives a row the same wherever it stands."""
    random = torch.Generator().manual_seed(0)
    matrix, row = torch.randn(inner, outer, generator=random, dtype=kind), torch.randn(inner, generator=random, dtype=kind)
    x, out = torch.empty(rows, inner, dtype=kind), torch.empty(rows, outer, dtype=kind)

    def steady(way: Way) -> bool:
        multiply, first = way(matrix, x, out), None
        for place in range(rows):
            x.normal_(generator=random)
            x[place] = row
            multiply()
            first = out[place].clone() if first is None else first
            if not torch.equal(first, out[place]):
                return False
        return True

    return next((way for way in (_pieces, _standing, _lying) if steady(way)), _singly)
