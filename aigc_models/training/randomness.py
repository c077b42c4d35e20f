"""The random states of Python, numpy and torch, as values that can be kept and put back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor

NUMPY = "numpy"
TORCH = "torch"
CUDA = "cuda"


def seed_all(seed: int) -> None:
    """Seed Python, numpy's global generator and torch on every device."""
    random.seed(seed)
    np.random.seed(seed % 2**32)
    torch.manual_seed(seed)


def capture() -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The states now: tensors uint8 (byte,), and what is JSON."""
    name, keys, position, has_gauss, gauss = np.random.get_state(legacy=True)
    version, words, python_gauss = random.getstate()
    tensors = {TORCH: torch.get_rng_state(), NUMPY: torch.from_numpy(np.asarray(keys).view(np.uint8).copy())}
    if torch.cuda.is_available():
        tensors[CUDA] = torch.cuda.get_rng_state()
    return tensors, {
        "numpy": [str(name), int(position), int(has_gauss), float(gauss)],
        "python": [version, list(words), python_gauss],
    }


def restore(tensors: dict[str, Tensor], state: dict[str, Any]) -> None:
    """Put back what `capture` gave."""
    name, position, has_gauss, gauss = state["numpy"]
    np.random.set_state((name, tensors[NUMPY].numpy().view(np.uint32), position, has_gauss, gauss))
    version, words, python_gauss = state["python"]
    random.setstate((version, tuple(words), python_gauss))
    torch.set_rng_state(tensors[TORCH])
    if CUDA in tensors and torch.cuda.is_available():
        torch.cuda.set_rng_state(tensors[CUDA])


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Everything random inside is a function of `seed`; outside nothing is changed.

    A model's first weights are drawn when it is built, so build it in here:

    >>> with seeded(3):
    ...     model = torch.nn.Linear(2, 2)
    """
    before = capture()
    seed_all(seed)
    try:
        yield
    finally:
        restore(*before)
