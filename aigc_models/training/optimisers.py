"""Steps on a loss: AdamW for each player, the rate over time, and the moving average of weights."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import cast

import torch
from torch import Tensor

from aigc_models.capabilities import Player
from aigc_models.training.plan import Schedule

COOLDOWN = 0.3  # the share of a trapezoid's steps in which the rate falls


def factor(schedule: Schedule, step: int, total: int, warmup: float) -> float:
    """What the rate is multiplied by at `step` (from 0): linear warm-up, then `schedule`.

    `cosine`: Loshchilov and Hutter 2017, without restarts. `trapezoid`: Hägele et al. 2024.
    """
    rise = max(1, round(warmup * total))
    if step < rise:
        return (step + 1) / rise
    if schedule == "constant":
        return 1.0
    left = (total - step) / max(1, total - rise)
    if schedule == "trapezoid":
        return min(1.0, left / COOLDOWN)
    return 0.5 * (1 - math.cos(math.pi * left))


class AdamW:
    """AdamW (Loshchilov and Hutter 2019) of one player; only matrices decay, not biases and norms.

    The arithmetic is torch's own fused kernel; its `torch.optim` is left out as it imports the
    compiler, 0.9 s and 72 MB in each member's process. Muon is left out: its iterations are in
    bfloat16, which is slow on a CPU.
    """

    def __init__(self, player: Player, weight_decay: float | None = None) -> None:
        self.learnt = [tensor for tensor in player.parameters if tensor.requires_grad]
        self.betas, self.decay = player.betas, player.weight_decay if weight_decay is None else weight_decay
        self.first = [torch.zeros_like(tensor) for tensor in self.learnt]
        self.second = [torch.zeros_like(tensor) for tensor in self.learnt]
        self.steps = [torch.zeros((), device=tensor.device) for tensor in self.learnt]

    def clear(self) -> None:
        """Forget the gradients."""
        for tensor in self.learnt:
            tensor.grad = None

    def step(self, rate: float) -> None:
        """Move the parameters that have a gradient."""
        indices = [index for index, tensor in enumerate(self.learnt) if tensor.grad is not None]
        self._move([index for index in indices if self.learnt[index].ndim >= 2], rate, self.decay)
        self._move([index for index in indices if self.learnt[index].ndim < 2], rate, 0.0)

    @torch.no_grad()
    def _move(self, chosen: list[int], rate: float, decay: float) -> None:
        if not chosen:
            return
        learnt, first, second, steps = (
            [kept[i] for i in chosen] for kept in (self.learnt, self.first, self.second, self.steps)
        )
        gradients = [cast(Tensor, tensor.grad) for tensor in learnt]
        torch._foreach_add_(steps, 1)
        torch._fused_adamw_(
            learnt,
            gradients,
            first,
            second,
            [],
            steps,
            lr=rate,
            beta1=self.betas[0],
            beta2=self.betas[1],
            weight_decay=decay,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def tensors(self) -> dict[str, Tensor]:
        """All that the coming steps depend on."""
        kinds = {"first": self.first, "second": self.second, "steps": self.steps}
        return {f"{kind}.{index}": tensor for kind, kept in kinds.items() for index, tensor in enumerate(kept)}

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave."""
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])


class Average:
    """Exponential moving average of weights; its decay grows with the steps, as a young average
    is mostly noise: min(decay, (1 + step) / (10 + step))."""

    def __init__(self, named: Sequence[tuple[str, Tensor]], decay: float) -> None:
        self.decay = decay
        self.live = dict(named)
        self.weights = {name: tensor.detach().clone() for name, tensor in named} if decay else {}

    @torch.no_grad()
    def update(self, step: int) -> None:
        """Move towards the weights as they are after `step` steps."""
        if self.weights:
            weight = 1 - min(self.decay, (1 + step) / (10 + step))
            live = [self.live[name].detach() for name in self.weights]
            torch._foreach_lerp_(list(self.weights.values()), live, weight)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """The model has the averaged weights inside; nothing is copied."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for name, average in self.weights.items():
            tensor = self.live[name]
            tensor.data, average.data = average.data, tensor.data
