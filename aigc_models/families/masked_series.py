"""Masked patches of a past are filled in from the others (as in PatchTST's self-supervision, Nie et al. 2023).

It needs no future: any stretch as long as the past will do. Its encoder and its season have the names and shapes of
those of `forecaster` and `series_vae`, which can start from them.
"""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from pydantic import Field
from torch import Tensor, nn

from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch
from aigc_models.forecasting.past import Past, PastConfig

MODALITIES = frozenset({"series"})
PLAN = {"learning_rate": 5e-3, "batch_size": 64, "ema": 0.998, "weight_decay": 0.05}
GROUPS = 4  # in a reconstruction, each fourth patch is hidden at a time


class Config(PastConfig):
    """The sizes are those of `forecaster` and `series_vae`."""

    hidden: float = Field(0.4, gt=0, lt=1, description="share of the patches that are hidden in training")


SIZES = {
    "debug": Config(width=8),
    "small": Config(),
    "base": Config(width=64, layers=3),
    "large": Config(width=256, layers=6),
}


class MaskedSeries(nn.Module):
    """A past with holes -> what is in the holes; `error` is the mean squared one of the last steps of training."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__()
        self.error: Tensor
        self.config, self.format = config, shape.format
        self.past = Past(config, shape)
        self.hole = nn.Parameter(torch.zeros(config.width))
        self.head = nn.Linear(config.width, self.past.encoder.patch)
        self.register_buffer("error", torch.ones(()))

    def players(self) -> list[Player]:
        return [Player("filling", list(self.parameters()), self.loss)]

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """At a random place in each window, with random holes."""
        first = int(torch.randint(self.format.horizon + 1, ()))
        past = batch.values[..., first : first + self.format.context]
        hidden = torch.rand(past.shape[0] * past.shape[1], self.past.encoder.patches, device=past.device) < self.config.hidden
        loss = self.missed(past, hidden)
        self.error.lerp_(loss.detach().float(), 0.02)
        return loss

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """With each patch hidden once."""
        past = batch.values[..., : self.format.context]
        return torch.stack([self.missed(past, hidden) for hidden in self.groups(past)]).mean()

    def missed(self, past: Tensor, hidden: Tensor) -> Tensor:
        """Mean squared error in the holes bool (row, patch), standardised."""
        rows, _, _, _ = self.past.rows(past)
        error = (self.filled(rows, hidden) - self.past.encoder.cut(rows)).square().mean(2)
        return (error * hidden).sum() / hidden.sum().clamp_min(1)

    def filled(self, rows: Tensor, hidden: Tensor) -> Tensor:
        """Patches (row, patch, step) as they are guessed, those that are not hidden too."""
        encoder = self.past.encoder
        seen = torch.where(hidden[..., None], self.hole, encoder.embed(encoder.cut(rows)))
        out: Tensor = self.head(encoder.mixed(seen))
        return out

    def groups(self, past: Tensor) -> list[Tensor]:
        """Holes bool (row, patch) that together hide each patch once."""
        order = torch.arange(self.past.encoder.patches, device=past.device) % GROUPS
        return [(order == group).expand(past.shape[0] * past.shape[1], -1) for group in range(GROUPS)]

    def guessed(self, past: Tensor) -> Tensor:
        """Each patch of (item, channel, context) as the others let expect it."""
        rows, course, level, width = self.past.rows(past)
        patches = sum(self.filled(rows, hidden) * hidden[..., None] for hidden in self.groups(past))
        standardised = self.past.encoder.joined(torch.as_tensor(patches)) + course[:, : past.shape[2]]
        return (standardised * width + level).unflatten(0, past.shape[:2])

    @torch.no_grad()
    def reconstruct(self, values: Float[Tensor, "item channel time"]) -> Float[Tensor, "item channel time"]:
        """Windows (item, channel, step), each patch from the others; those longer than the past from both ends."""
        context = self.format.context
        first = self.guessed(values[..., :context])
        rest = values.shape[2] - context
        return torch.cat([first, self.guessed(values[..., -context:])[..., -rest:]], dim=2) if rest > 0 else first

    @torch.no_grad()
    def denoise(
        self, values: Float[Tensor, "item channel time"], conditions: Int[Tensor, " item"], noise: float
    ) -> Float[Tensor, "item channel time"]:
        """Between what is there and what the rest lets expect, each weighted by the other's error."""
        share = noise**2 / (noise**2 + float(self.error) + 1e-12)
        return values + share * (self.reconstruct(values) - values)

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]:
        """Float (item, feature): the patches of the past, averaged over patches and channels."""
        past = batch.values[..., : self.format.context]
        features = self.past(past, batch.conditions).features
        return features.unflatten(1, (-1, self.config.width)).mean(1).unflatten(0, past.shape[:2]).mean(1)


def build(config: Config, shape: Shape) -> MaskedSeries:
    return MaskedSeries(config, shape)
