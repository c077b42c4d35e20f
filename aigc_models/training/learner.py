"""A model with its players' optimisers and averaged weights on a device: what takes the steps of a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor, nn

from aigc_models.capabilities import Batches, Learns, Player, Validates
from aigc_models.corpus import Corpus, Shuffled
from aigc_models.devices import Device, choose_device
from aigc_models.sequences import Sequences
from aigc_models.training import checkpoints, optimisers
from aigc_models.training.plan import SYMBOLS, VALIDATED, Precision
from aigc_models.training.randomness import seeded

LEARNERS = {"device", "precision", "compile", "ema", "weight_decay", "clip", "learning_rate", "matrix_rate"}  # of a plan


def looked_at(validation: Corpus, seed: int) -> Corpus:
    """What training validates on: some of the items, drawn by the seed; of symbols so many, of the last item its beginning."""
    chosen = validation.sample(VALIDATED, seed)
    if not isinstance(chosen.values, Sequences) or len(chosen.values.symbols) <= SYMBOLS:
        return chosen
    starts = chosen.values.starts
    kept = int(np.searchsorted(starts, SYMBOLS))
    return Corpus(
        chosen.modality,
        Sequences(chosen.values.symbols[:SYMBOLS], np.append(starts[:kept], SYMBOLS)),
        chosen.conditions[:kept],
    )


def batches_of(model: Learns, train: Corpus, size: int, seed: int) -> Callable[[int], Any]:
    """The batch of each step: of the model's own making, or `size` items in random order."""
    return model.batches(train, size, seed) if isinstance(model, Batches) else Shuffled(train, size, seed)


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
    ) -> None:
        self.device = choose_device(device)
        self.accelerator = _accelerator(self.device, precision)
        self.model, self.clip = cast(nn.Module, model).to(self.device).train(), clip or math.inf
        self.learning_rate, self.matrix_rate, self.players = learning_rate, matrix_rate, model.players()
        compiled = compile and self.device.type == "cuda"
        self.losses = {player.name: torch.compile(player.loss) if compiled else player.loss for player in self.players}
        self.optimisers = {player.name: optimisers.Optimiser(player, weight_decay) for player in self.players}
        learnt = [(name, tensor) for name, tensor in self.model.named_parameters() if tensor.requires_grad]
        self.average = optimisers.Average(learnt, ema)
        self.sums: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def step(self, step: int, batch: Any, rate: float) -> None:
        """One step of each player whose turn it is; `rate` is a factor on the highest one."""
        batch = batch.to(self.device)
        for player in self.players:
            if step % player.every == 0:
                self._play(player, batch, rate * self.learning_rate * player.learning_rate, rate * self.matrix_rate)
        self.average.update(step + 1)

    def _play(self, player: Player, batch: Any, rate: float, matrix_rate: float) -> None:
        """Only the player's own parameters get gradients, however far its loss reaches."""
        optimiser = self.optimisers[player.name]
        optimiser.clear()
        with self._autocast():
            loss = self.losses[player.name](batch)
        self.accelerator.backward(loss, inputs=optimiser.learnt)
        norm = optimiser.clip(self.clip)
        optimiser.step(rate, matrix_rate)
        self._add(f"loss.{player.name}", loss)
        self._add(f"gradient.{player.name}", norm)

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
            for batch in corpus.batches(size):
                loss = cast(Validates, self.model).validation_loss(batch.to(self.device))
                total += loss.float() * len(batch)
        self.model.train()
        return float(total) / len(corpus)

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
