"""A matrix that a few rows are multiplied by again and again, from one buffer into another.

On a CPU nearly all of a step's time goes into these products, and their speed depends on how the matrix lies: one row is
multiplied fastest where the longer side is in one piece; several rows by numpy's BLAS in pieces so small that it
does not repack them (OpenBLAS 0.3.17 and later; 1.2 to 1.8 times as fast as torch here).
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

SMALL = 1_000_000  # multiplications up to which OpenBLAS does not repack
LANES = 16  # a piece is a multiple of it wide, where it can be


class Product:
    """`x @ matrix` into `out`, all of them float32 or the like: (row, in), (in, out), (row, out)."""

    def __init__(self, matrix: Tensor, x: Tensor, out: Tensor) -> None:
        self._x, self._out, self._pieces = x, out, list[tuple[np.ndarray, np.ndarray, np.ndarray]]()
        rows, (inner, outer) = len(x), matrix.shape
        if rows == 1 or x.device.type != "cpu":
            self._matrix = matrix.contiguous() if inner < outer else matrix.T.contiguous().T
            return
        width = max(LANES, SMALL // (rows * inner) // LANES * LANES)
        for first in range(0, outer, width):
            columns = slice(first, first + width)
            piece = matrix[:, columns].contiguous().numpy()
            self._pieces.append((x.numpy(), piece, out.numpy()[:, columns]))

    def __call__(self) -> None:
        if not self._pieces:
            torch.mm(self._x, self._matrix, out=self._out)
        for x, piece, out in self._pieces:
            np.matmul(x, piece, out)
