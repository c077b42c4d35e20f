"""A limit on what a model may ask for while it is built: sizes that stand in a file may be any number."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from aigc_models.errors import BadInput

SIZED = frozenset({torch.empty, torch.zeros, torch.ones, torch.rand, torch.randn})  # whose arguments are the size


class SizeLimit(TorchFunctionMode):
    """Within it at most `most` numbers are made in tensors; raises `BadInput` before memory for more is taken."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.left, self.most = most, most

    def __torch_function__(
        self, function: Any, types: Iterable[type], given: Sequence[Any] = (), options: Mapping[str, Any] | None = None
    ) -> Any:
        options = options or {}
        self.left -= _numbers(function, given, options)
        if self.left < 0:
            raise BadInput(f"its card asks for more than {self.most:,} numbers, far more than its weights hold")
        return function(*given, **options)


def _numbers(function: Callable[..., Any], given: Sequence[Any], options: Mapping[str, Any]) -> int:
    """How many numbers a call makes, at least where it is large; 0 for one that makes none by a stated size."""
    if function in SIZED:
        return _product(options.get("size", given[0] if given and isinstance(given[0], Sequence) else given))
    if function is torch.full:
        return _product(options.get("size", given[0] if given else ()))
    if function is torch.eye:
        sides = [side for side in (*given, options.get("n"), options.get("m")) if isinstance(side, int)]
        return sides[0] * sides[-1] if sides else 0
    if function in (torch.arange, torch.linspace, torch.logspace):
        return _steps(function, given, options)
    if function in (Tensor.repeat, Tensor.tile, torch.tile):
        times = given[1] if len(given) == 2 and isinstance(given[1], Sequence) else given[1:]
        return given[0].numel() * _product(times)
    return 0


def _product(sizes: Iterable[Any]) -> int:
    return math.prod(max(int(size), 0) for size in sizes)


def _steps(function: Callable[..., Any], given: Sequence[Any], options: Mapping[str, Any]) -> int:
    if function is not torch.arange:
        return int(options.get("steps", given[2] if len(given) > 2 else 0))
    start, end, step = {0: (0, 0, 1), 1: (0, *given, 1), 2: (*given, 1)}.get(len(given), given[:3])
    start, end, step = (options.get(name, value) for name, value in (("start", start), ("end", end), ("step", step)))
    return max(0, math.ceil((float(end) - float(start)) / float(step))) if step else 0
