"""A model with its players' optimisers and averaged weights on a device: what takes the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import pairwise
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from aigc_models import sequences
from aigc_models.capabilities import Batches, Learns, Mean, Player, Validates
from aigc_models.corpus import Corpus, Shuffled
from aigc_models.training import checkpoints, optimisers
from aigc_models.training.devices import Device, choose_device
from aigc_models.training.plan import SYMBOLS, VALIDATED, Precision
from aigc_models.training.randomness import seeded
from aigc_models.training.replicas import Replicas

LEARNERS = {  # of a plan
    *("device", "precision", "compile", "ema", "weight_decay", "clip", "learning_rate", "matrix_rate", "accumulate", "seed")
}


def looked_at(validation: Corpus, seed: int) -> Corpus:
    """What training validates on: some of the items, drawn by the seed; of symbols so many, of the last item its beginning."""
    chosen = validation.sample(VALIDATED, seed)
    if not isinstance(chosen.values, sequences.Sequences) or len(chosen.values.symbols) <= SYMBOLS:
        return chosen
    starts = chosen.values.starts
    kept = int(np.searchsorted(starts, SYMBOLS))
    return Corpus(
        chosen.modality,
        sequences.Sequences(chosen.values.symbols[:SYMBOLS], np.append(starts[:kept], SYMBOLS)),
        chosen.conditions[:kept],
        None if chosen.targets is None else chosen.targets[:kept],
    )


def batches_of(model: Learns, train: Corpus, size: int, seed: int) -> Callable[[int], Any]:
    """The batch of each step: of the model's own making, or `size` items in random order."""
    return model.batches(train, size, seed) if isinstance(model, Batches) else Shuffled(train, size, seed)


def parts(batch: Any, count: int) -> list[Any]:
    """The batch in `count` parts of about the same size, none of them empty."""
    count = min(count, len(batch))
    if count == 1:
        return [batch]
    edges = [len(batch) * at // count for at in range(count + 1)]
    return [batch.part(slice(first, last)) for first, last in pairwise(edges)]


class Learner:
    """`sums` are of each player's losses and gradient norms since they were last cleared, over `counts` steps."""

    def __init__(
        self,
        model: Learns,
        *,
        device: Device,
        precision: Precision,
        compile: bool,
        ema: float,
        weight_decay: float | None,
        clip: float,
        learning_rate: float,
        matrix_rate: float,
        accumulate: int = 1,
        seed: int = 0,
    ) -> None:
        self.device = choose_device(device)
        self.accelerator, self.seed = _accelerator(self.device, precision), seed
        self.replicas = Replicas(self.accelerator)
        self.model, self.clip = cast(nn.Module, model).to(self.device).train(), clip or math.inf
        self.learning_rate, self.matrix_rate, self.players = learning_rate, matrix_rate, model.players()
        self.accumulate = accumulate
        compiled = compile and self.device.type == "cuda"
        self.losses = {player.name: torch.compile(player.loss) if compiled else player.loss for player in self.players}
        self.optimisers = {player.name: optimisers.Optimiser(player, weight_decay) for player in self.players}
        learnt = [(name, tensor) for name, tensor in self.model.named_parameters() if tensor.requires_grad]
        self.average = optimisers.Average(learnt, ema)
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def step(self, step: int, batch: Any, rate: float) -> None:
        """One step of each player whose turn it is; `rate` is a factor on the highest one."""
        share = self.replicas.share(batch)
        batches = [part.to(self.device) for part in parts(share, self.accumulate)]
        self.replicas.seed(self.seed, step)
        buffers = dict(self.model.named_buffers())
        before = self.replicas.kept(buffers)
        for player in self.players:
            if step % player.every == 0:
                self._play(player, batches, rate * self.learning_rate * player.learning_rate, rate * self.matrix_rate)
        self.replicas.merge(buffers, before, self.model.state_dict() if before else {}, len(share) / len(batch))
        self.average.update(step + 1)

    def _play(self, player: Player, batches: Sequence[Any], rate: float, matrix_rate: float) -> None:
        """Only the player's own parameters get gradients, however far its loss reaches."""
        optimiser = self.optimisers[player.name]
        optimiser.clear()
        loss = self._gradient(player, batches)
        norm = optimiser.clip(self.clip)
        optimiser.step(rate, matrix_rate)
        self._add(f"loss.{player.name}", loss)
        self._add(f"gradient.{player.name}", norm)

    def _gradient(self, player: Player, batches: Sequence[Any]) -> Tensor:
        """Leave that of the mean over all batches in the player's parameters; the mean is returned.

        What is added up is in units of the first batch's weight: for one batch it is its own gradient, to the last bit.
        """
        learnt, losses, weights = self.optimisers[player.name].learnt, list[Tensor](), list[Tensor | int]()
        for batch in batches:
            with self._autocast():
                loss = self.losses[player.name](batch)
            value, weight = loss if isinstance(loss, Mean) else (loss, len(batch))
            weights.append(weight)
            losses.append(value.detach() * (weight / weights[0]))
            self.accelerator.backward(value if len(batches) == 1 else value * (weight / weights[0]), inputs=learnt)
        total, whole = torch.stack(losses).sum(), torch.as_tensor(sum(weights) / weights[0], device=self.device)
        if not self.replicas.alone:
            whole, total = self.replicas.total(torch.stack([whole, total]) * weights[0]) / weights[0]
        if len(batches) > 1 or not self.replicas.alone:
            torch._foreach_div_([tensor.grad for tensor in learnt if tensor.grad is not None], whole)
            self.replicas.add_gradients(learnt)
        return total / whole

    def _add(self, name: str, value: Tensor) -> None:
        value = value.detach().float()
        self.sums[name] = self.sums[name] + value if name in self.sums else value
        self.counts[name] = self.counts.get(name, 0) + 1

    def clear(self) -> None:
        self.sums, self.counts = {}, {}

    def means(self) -> dict[str, float]:
        """Of the steps since `clear`."""
        return {name: float(value) / self.counts[name] for name, value in self.sums.items()}

    def spoilt(self) -> list[str]:
        """The names of the figures that are not finite."""
        return [name for name, value in self.sums.items() if not math.isfinite(float(value))]

    def validate(self, corpus: Corpus, size: int, seed: int) -> float:
        """Mean validation loss of the averaged weights, `size` items at a time; leaves no trace in any random state."""
        self.model.eval()
        total = torch.zeros((), device=self.device)
        with seeded(seed), self.average.applied(), torch.no_grad(), self._autocast():
            for number, batch in enumerate(corpus.batches(size)):
                if number % self.replicas.count != self.replicas.index:
                    continue
                loss = cast(Validates, self.model).validation_loss(batch.to(self.device))
                total += loss.float() * len(batch)
        self.model.train()
        return float(self.replicas.total(total)) / len(corpus)

    def averaged(self) -> dict[str, Tensor]:
        """A copy of the model's state with the averaged weights in it."""
        with self.average.applied():
            return checkpoints.detached(self.model.state_dict())

    def tensors(self) -> dict[str, Mapping[str, Tensor]]:
        """All that the coming steps depend on, random states aside."""
        states = {f"optimiser.{name}": optimiser.tensors() for name, optimiser in self.optimisers.items()}
        carried = dict(self.model.named_buffers())  # what a step leaves for the next one is in no bundle
        return {"model": self.model.state_dict(), "average": self.average.weights, "carried": carried, **states}

    def load(self, tensors: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Put back what `tensors` gave."""
        self.model.load_state_dict(tensors["model"])
        for name, average in self.average.weights.items():
            average.copy_(tensors["average"][name])
        for name, buffer in self.model.named_buffers():
            buffer.copy_(tensors["carried"][name])
        for name, optimiser in self.optimisers.items():
            optimiser.load(tensors.get(f"optimiser.{name}", {}))

    def _autocast(self) -> AbstractContextManager[Any]:
        return cast(AbstractContextManager[Any], self.accelerator.autocast())


def _accelerator(device: torch.device, precision: Precision) -> Any:
    """Accelerate's view of the device; a process may train twice, at different precisions."""
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    if precision == "auto":
        precision = "bf16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "no"
    AcceleratorState._reset_state(reset_partial_state=True)
    return Accelerator(cpu=device.type == "cpu", mixed_precision=precision)
