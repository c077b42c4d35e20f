"""Processes that train one model together: each takes its share of a step's items, and all of them take the same step.

They are those that `torchrun`, `accelerate launch` or the recipe's `processes` started. Gradients are added up by hand:
DistributedDataParallel hooks into one forward and one backward of all parameters, whereas a player's loss reaches other
players' parameters, which get no gradient, R1 is a gradient of a gradient, and NCCL adds no sparse tables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, distributed

from aigc_models.errors import BadInput
from aigc_models.layers.noise import derived


class Replicas:
    """This process among them. Alone it sends nothing and changes nothing."""

    def __init__(self, accelerator: Any) -> None:
        self.count, self.index = int(accelerator.num_processes), int(accelerator.process_index)
        self.device: torch.device = accelerator.device

    @property
    def alone(self) -> bool:
        return self.count == 1

    @property
    def main(self) -> bool:
        """Whether it is the one that writes and says things."""
        return self.index == 0

    def wait(self) -> None:
        """Until all of them are here."""
        if not self.alone:
            distributed.barrier()

    def agreed(self, here: bool) -> bool:
        """What the main one says: clocks and signals differ, and none may stop alone."""
        if self.alone:
            return here
        answer = torch.tensor([here], dtype=torch.int32, device=self.device)
        distributed.broadcast(answer, 0)
        return bool(answer.item())

    def total(self, values: Tensor) -> Tensor:
        """Their sum over the processes, the same bits in each."""
        if not self.alone:
            distributed.all_reduce(values)
        return values

    def share(self, batch: Any) -> Any:
        """This one's items of a step; `BadInput` where there is none for it."""
        if self.alone:
            return batch
        if len(batch) < self.count:
            raise BadInput(f"a step of {len(batch)} items cannot be shared by {self.count} processes; give fewer of them")
        first, last = (len(batch) * at // self.count for at in (self.index, self.index + 1))
        return batch.part(slice(first, last))

    def seed(self, seed: int, step: int) -> None:
        """Noise of its own at each step, which follows from the step, so that a resumed training has the same."""
        if not self.alone:
            torch.manual_seed(derived(seed, step, self.index))

    def add_gradients(self, learnt: Sequence[Tensor]) -> None:
        """In place of each parameter's gradient, the sum over the processes; a dense one that has none counts as zero."""
        if self.alone:
            return
        there = self.total(torch.tensor([tensor.grad is not None for tensor in learnt], device=self.device).int()).tolist()
        used = [tensor for tensor, count in zip(learnt, there, strict=True) if count]
        dense = list[Tensor]()
        for tensor in used:
            if tensor.grad is not None and tensor.grad.is_sparse:
                tensor.grad = self._added_rows(tensor.grad.coalesce())
                continue
            tensor.grad = torch.zeros_like(tensor) if tensor.grad is None else tensor.grad
            dense.append(tensor.grad)
        if dense:
            whole = self.total(torch.cat([gradient.flatten() for gradient in dense]))
            for gradient, part in zip(dense, whole.split([gradient.numel() for gradient in dense]), strict=True):
                gradient.copy_(part.view_as(gradient))

    def _added_rows(self, gradient: Tensor) -> Tensor:
        """Sum of the rows of a sparse table: those of each process, filled up with rows of zeros to the same number."""
        rows, values = gradient.indices()[0], gradient.values()
        counts = self.total(torch.eye(self.count, device=self.device, dtype=torch.int64)[self.index] * len(rows))
        spare = int(counts.max()) - len(rows)
        rows = torch.cat([rows, rows.new_zeros(spare)])
        values = torch.cat([values, values.new_zeros(spare, *values.shape[1:])])
        every_row, every_value = ([torch.empty_like(each) for _ in range(self.count)] for each in (rows, values))
        distributed.all_gather(every_row, rows)
        distributed.all_gather(every_value, values)
        indices, added = torch.cat(every_row)[None], torch.cat(every_value)
        return torch.sparse_coo_tensor(indices, added, gradient.shape, check_invariants=False).coalesce()

    def kept(self, buffers: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """Buffers before a step, for `merge`."""
        floating = {name: buffer for name, buffer in buffers.items() if buffer.is_floating_point()}
        return {} if self.alone else {name: buffer.clone() for name, buffer in floating.items()}

    @torch.no_grad()
    def merge(
        self, buffers: Mapping[str, Tensor], before: Mapping[str, Tensor], estimates: Mapping[str, Any], share: float
    ) -> None:
        """What a step left in buffers: of `estimates`, which are in the bundle, the mean, weighted by each one's `share` of the
        step; of the others, which hold what each row leaves for the next step, the changes, since nobody changes others' rows.
        """
        for name, old in before.items():
            changed = (buffers[name] - old) * (share if name in estimates else 1.0)
            buffers[name].copy_(old + self.total(changed))
