"""What the learned forecasters share: the past as a level, a season, what a linear map makes of the rest, and features."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from aigc_models.capabilities import Shape
from aigc_models.layers.patches import PatchEncoder, Rows

if TYPE_CHECKING:
    from aigc_models.modalities.series import Format


class PastConfig(BaseModel):
    """How the past is looked at; the same numbers in all families that can start from each other."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    patch: int = Field(12, ge=1, description="steps of a patch")
    width: int = Field(32, ge=2, description="channels of a patch")
    layers: int = Field(2, ge=0, description="mixing blocks on top of each other")
    dropout: float = Field(0.2, ge=0, lt=1, description="share of numbers dropped in training")
    level: int = Field(0, ge=0, description="last steps whose mean the values are measured from; 0: a season")
    scaled: bool = Field(False, description="whether each past is brought to the same width")
    harmonics: int = Field(5, ge=1, description="of the course of a season")
    noise: float = Field(0.3, ge=0, description="added to the past in training, as a share of its own width")


class EncodedPast(NamedTuple):
    """Of each row (item and channel): what a future is built on."""

    middle: Float[Tensor, "row horizon"]  # from the level on and in units of `width`
    features: Float[Tensor, "row feature"]
    level: Float[Tensor, "row 1"]
    width: Float[Tensor, "row 1"]


class Past(nn.Module):
    """Takes level and width off a past (Kim et al. 2022), then the season's course; a linear map goes on with the rest."""

    def __init__(self, config: PastConfig, shape: Shape) -> None:
        super().__init__()
        self.config, self.format = config, shape.format
        context = self.format.context
        self.steps = min(config.level or self.format.season, context)
        self.encoder = PatchEncoder(context, min(config.patch, context), config.width, config.layers, config.dropout)
        self.season = Season(self.format, config.harmonics)
        self.linear = nn.Linear(context, self.format.horizon)
        self.label = nn.Embedding(shape.conditions * self.format.channels, config.width)
        for weights in (self.label.weight, self.linear.weight, self.linear.bias):
            nn.init.zeros_(weights)

    @property
    def features(self) -> int:
        """Numbers of a row's features."""
        return self.encoder.patches * self.config.width

    def rows(
        self, past: Float[Tensor, "item channel context"]
    ) -> tuple[Rows, Float[Tensor, "row time"], Float[Tensor, "row 1"], Float[Tensor, "row 1"]]:
        """What is left of each row, the season's course over past and future, level and width."""
        rows = past.flatten(0, 1)
        level = rows[:, -self.steps :].mean(1, keepdim=True)
        width = rows.std(1, keepdim=True).clamp_min(1e-2) if self.config.scaled else torch.ones_like(level)
        rows = (rows - level) / width
        course = self.season(rows, self.channels(past).flatten())
        return rows - course[:, : past.shape[2]], course, level, width

    def channels(self, past: Float[Tensor, "item channel context"]) -> Int[Tensor, "item channel"]:
        """The channel of each row."""
        return torch.arange(past.shape[1], device=past.device).expand(len(past), -1)

    def forward(self, past: Float[Tensor, "item channel context"], conditions: Int[Tensor, " item"]) -> EncodedPast:
        if self.training and self.config.noise:
            past = past + self.config.noise * past.std(-1, keepdim=True) * torch.randn_like(past)
        rows, course, level, width = self.rows(past)
        label = self.label(conditions[:, None] * past.shape[1] + self.channels(past)).flatten(0, 1)
        features = self.encoder(rows) + label[:, None]
        return EncodedPast(course[:, past.shape[2] :] + self.linear(rows), features.flatten(1), level, width)


class Season(nn.Module):
    """The course of a season, learnt once for each channel, laid over a past by its own phase and strength.

    A linear map from past to future has to take the season's shape from the few seasons of one past, noise and all.
    Here only phase and strength of the first harmonic come from it; the course is a Fourier series of the phase.
    """

    def __init__(self, format: Format, harmonics: int) -> None:
        super().__init__()
        self.turns: Tensor
        self.orders: Tensor
        self.context, self.season = format.context, format.season
        self.used = format.context // format.season * format.season if format.season > 2 else 0
        turn = 2 * torch.pi / format.season
        self.register_buffer("turns", torch.arange(format.context + format.horizon) * turn, persistent=False)
        self.register_buffer("orders", torch.arange(1.0, harmonics + 1), persistent=False)
        start = torch.zeros(format.channels, 2 * harmonics)
        start[:, 0] = 1.0
        self.course = nn.Parameter(start)
        self.stretch = nn.Parameter(torch.zeros(()))  # a year has 52.18 weeks, not 52

    def forward(self, past: Rows, channels: Int[Tensor, " row"]) -> Float[Tensor, "row time"]:
        if not self.used:
            return past.new_zeros(len(past), len(self.turns))
        turns = self.turns * (1 + 0.01 * self.stretch)
        phase, strength = self.phase_and_strength(past[:, -self.used :], turns[self.context - self.used : self.context])
        angles = (turns - phase)[..., None] * self.orders
        waves = torch.cat([angles.cos(), angles.sin()], dim=-1)
        return strength * torch.einsum("rtk,rk->rt", waves, self.course[channels])

    def phase_and_strength(
        self, past: Float[Tensor, "row step"], turns: Float[Tensor, " step"]
    ) -> tuple[Float[Tensor, "row 1"], Float[Tensor, "row 1"]]:
        """Phase and strength of the first harmonic of a past without its straight line."""
        level = straightened(past, self.season)
        cosine, sine = ((level * wave).mean(1, keepdim=True) * 2 for wave in (turns.cos(), turns.sin()))
        return torch.atan2(sine, cosine + 1e-9), (cosine.square() + sine.square() + 1e-8).sqrt()


def slope(values: Float[Tensor, "*row step"], season: int) -> Float[Tensor, "*row"]:
    """Change a step of whole seasons: of the line through their means, which no wave tilts."""
    means = values.unflatten(-1, (-1, season)).mean(-1)
    at = torch.arange(means.shape[-1], device=values.device) - (means.shape[-1] - 1) / 2
    return (means @ at) / (at.square().sum().clamp_min(1) * season)


def straightened(values: Float[Tensor, "*row step"], season: int) -> Float[Tensor, "*row step"]:
    """Whole seasons without their mean and their slope."""
    at = torch.arange(values.shape[-1], device=values.device) - (values.shape[-1] - 1) / 2
    return values - values.mean(-1, keepdim=True) - slope(values, season)[..., None] * at
