"""Steps on a loss: AdamW and Muon for each player, the rate over time, and the moving average of weights."""

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
    if schedule == "linear":
        return left
    if schedule == "trapezoid":
        return min(1.0, left / COOLDOWN)
    return 0.5 * (1 - math.cos(math.pi * left))


class AdamW:
    """AdamW (Loshchilov and Hutter 2019) of one player; only matrices decay, not biases and norms.

    Of a table with a sparse gradient only the rows that have one move, each with a count of steps of its own.
    The arithmetic is torch's own fused kernel; its `torch.optim` is left out as it imports the
    compiler, 0.9 s and 72 MB in each member's process.
    """

    def __init__(self, player: Player, weight_decay: float | None = None) -> None:
        left = {id(matrix) for matrix in player.matrices}
        self.learnt = [tensor for tensor in player.parameters if tensor.requires_grad and id(tensor) not in left]
        self.betas, self.decay = player.betas, player.weight_decay if weight_decay is None else weight_decay
        self.first = [torch.zeros_like(tensor) for tensor in self.learnt]
        self.second = [torch.zeros_like(tensor) for tensor in self.learnt]
        self.steps = [torch.zeros((), device=tensor.device) for tensor in self.learnt]

    def step(self, rate: float) -> None:
        """Move the parameters that have a gradient."""
        indices = [index for index, tensor in enumerate(self.learnt) if tensor.grad is not None]
        sparse = [index for index in indices if cast(Tensor, self.learnt[index].grad).is_sparse]
        dense = [index for index in indices if index not in sparse]
        self._move([index for index in dense if self.learnt[index].ndim >= 2], rate, self.decay)
        self._move([index for index in dense if self.learnt[index].ndim < 2], rate, 0.0)
        for index in sparse:
            self._move_rows(index, rate)

    @torch.no_grad()
    def _move_rows(self, index: int, rate: float) -> None:
        table, gradient = self.learnt[index], cast(Tensor, self.learnt[index].grad).coalesce()
        rows, moved = gradient.indices()[0], gradient.values()
        if self.steps[index].ndim == 0:
            self.steps[index] = torch.zeros(len(table), 1, device=table.device)
        steps = self.steps[index][rows] + 1
        first = self.first[index][rows].lerp_(moved, 1 - self.betas[0])
        second = self.second[index][rows].lerp_(moved.square(), 1 - self.betas[1])
        for kept, new in ((self.steps[index], steps), (self.first[index], first), (self.second[index], second)):
            kept[rows] = new
        first, second = first / (1 - self.betas[0] ** steps), second / (1 - self.betas[1] ** steps)
        table.index_add_(0, rows, first / (second.sqrt() + 1e-8), alpha=-rate)

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
        for kind, kept in (("first", self.first), ("second", self.second), ("steps", self.steps)):
            for index, tensor in enumerate(kept):
                kept[index] = tensors[f"{kind}.{index}"].to(tensor.device, copy=True)


class Muon:
    """Steps of one size in all directions of a matrix (Jordan et al. 2024, Muon), by the shape as in Liu et al. 2025.

    The iterations that make the momentum orthogonal are Newton's and Schulz's, in single precision, since bfloat16 is slow
    on a CPU. Each block of a matrix, such as one of a cell's gates, is taken by itself.
    """

    MOMENTUM, ITERATIONS = 0.95, 5
    WEIGHTS = (3.4445, -4.7750, 2.0315)  # of the polynomial, by Jordan et al.

    def __init__(self, player: Player) -> None:
        self.learnt = [matrix for matrix in player.matrices if matrix.requires_grad]
        self.momentum = [torch.zeros_like(matrix) for matrix in self.learnt]
        self.blocks = player.blocks

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move the matrices that have a gradient."""
        for matrix, momentum in zip(self.learnt, self.momentum, strict=True):
            if matrix.grad is not None:
                momentum.lerp_(matrix.grad, 1 - self.MOMENTUM)
                blocks = matrix.grad.lerp(momentum, self.MOMENTUM).unflatten(0, (self.blocks, -1))
                direction = orthogonal(blocks, self.ITERATIONS, self.WEIGHTS).flatten(0, 1)
                matrix.add_(direction, alpha=-rate * max(1.0, blocks.shape[1] / blocks.shape[2]) ** 0.5)

    def tensors(self) -> dict[str, Tensor]:
        """All that the coming steps depend on."""
        return {f"momentum.{index}": tensor for index, tensor in enumerate(self.momentum)}

    @torch.no_grad()
    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave."""
        for name, tensor in self.tensors().items():
            tensor.copy_(tensors[name])


def orthogonal(matrix: Tensor, iterations: int, weights: tuple[float, float, float]) -> Tensor:
    """About U V^T of the singular value decomposition U S V^T of each matrix float (block, row, column)."""
    first, third, fifth = weights
    x = matrix.mT if matrix.shape[1] > matrix.shape[2] else matrix
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(iterations):
        square = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(square, square, square, beta=third, alpha=fifth), x, beta=first)
    return x.mT if matrix.shape[1] > matrix.shape[2] else x


class Optimiser:
    """Those of one player: Muon for the matrices that it names, AdamW for all the rest."""

    def __init__(self, player: Player, weight_decay: float | None = None) -> None:
        self.adamw, self.muon = AdamW(player, weight_decay), Muon(player)

    @property
    def learnt(self) -> list[Tensor]:
        return [*self.adamw.learnt, *self.muon.learnt]

    def clear(self) -> None:
        """Forget the gradients."""
        for tensor in self.learnt:
            tensor.grad = None

    def clip(self, most: float) -> Tensor:
        """The norm of all gradients together, which is brought down to `most` where it is larger."""
        held = []
        for tensor in self.learnt:
            if tensor.grad is not None:
                tensor.grad = tensor.grad.coalesce() if tensor.grad.is_sparse else tensor.grad
                held.append(tensor.grad.values() if tensor.grad.is_sparse else tensor.grad)
        norm = torch.stack(torch._foreach_norm(held)).norm() if held else torch.zeros(())
        torch._foreach_mul_(held, (most / (norm + 1e-6)).clamp(max=1.0))
        return norm

    def step(self, rate: float, matrix_rate: float) -> None:
        """Move the parameters that have a gradient."""
        self.adamw.step(rate)
        self.muon.step(matrix_rate)

    def tensors(self) -> dict[str, Tensor]:
        """All that the coming steps depend on."""
        return self.adamw.tensors() | self.muon.tensors()

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` gave."""
        self.adamw.load(tensors)
        self.muon.load(tensors)


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
