"""A season's course that each past only shifts and stretches, and a ridge regression on what is left of the past.

The course of each channel is a Fourier series of the season's phase (harmonic regression, Young, Pedregal and Tych 1999),
fitted once over all of train; of a past only the phase and the strength of its first harmonic are taken, so that
the season's shape is not read off a few noisy seasons, as a regression on the past alone has to.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.forecasting.gaussian_forecast import GaussianForecast
from aigc_models.forecasting.past import slope, straightened
from aigc_models.forecasting.quantiles import parted

MODALITIES = frozenset({"series"})
Fitted = dict[str, Tensor]


class Config(BaseModel):
    """What is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    harmonics: tuple[int, ...] = Field((3, 5), description="of a season's course, those to try")
    strengths: tuple[float, ...] = Field(
        (0.01, 0.03, 0.1, 0.3, 1.0), description="ridges to try, shares of the inputs' variance"
    )
    stretches: tuple[float, ...] = Field((0.0, 0.0034), description="how much longer than the format's the season is, to try")
    most: int = Field(4_000, ge=1, description="training windows looked at; more are sampled down, evenly in time")


SIZES = {
    "debug": Config(harmonics=(2,), strengths=(0.1,), stretches=(0.0,)),
    "small": Config(),
    "base": Config(harmonics=(3, 5, 8), most=20_000),
    "large": Config(harmonics=(3, 5, 8, 12), most=20_000),
}


class Harmonic(GaussianForecast):
    """`course` float (channel, 2 harmonics), `weights` (channel, context, horizon), `offset` (channel, horizon)."""

    def __init__(self, config: Config, shape: Shape) -> None:
        super().__init__(shape)
        self.config = config
        format = self.format
        self.season = min(format.season, format.context)
        self.used = format.context // format.season * format.season if 2 < format.season <= format.context else 0

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float:
        """Try every choice in `config`; gives the lowest validation CRPS, whose choice is kept."""
        kept = np.unique(np.linspace(0, len(train) - 1, min(self.config.most, len(train))).astype(int))
        windows = train.batch(kept).values
        choices = list(product(self.config.harmonics, self.config.stretches)) if self.used else [(1, 0.0)]
        best: list[tuple[float, int, Fitted]] = []
        for step, (harmonics, stretch) in enumerate(choices, start=1):
            self.state["turn"] = torch.tensor([2 * torch.pi / (self.format.season * (1 + stretch))])
            self.state["course"] = self.coursed(windows, harmonics)
            for strength, weights in self.solved(windows).items():
                self.state |= weights
                self.settle(train, validation)
                loss = self.loss(validation)
                progress(step, len(choices), validation_crps=loss, harmonics=harmonics, strength=strength)
                best = [min([*best, (loss, step, dict(self.state))], key=lambda one: one[:2])]
        loss, _, self.state = best[0]
        return loss

    def coursed(self, windows: Tensor, harmonics: int) -> Tensor:
        """The course of each channel, by least squares over whole windows without level and slope of their past."""
        if not self.used:
            return torch.zeros(windows.shape[1], 2 * harmonics)
        past, _ = parted(windows, self.format)
        at = torch.arange(windows.shape[2]) - (self.format.context - 1 - (self.season - 1) / 2)
        flat = (
            windows
            - past[..., -self.season :].mean(-1, keepdim=True)
            - slope(past[..., -self.used :], self.season)[..., None] * at
        )
        waves = self.waves(past, harmonics)
        gram = torch.einsum("nctk,nctl->ckl", waves, waves).double()
        moment = torch.einsum("nctk,nct->ck", waves, flat).double()
        return torch.linalg.lstsq(gram, moment[..., None]).solution[..., 0].float()

    def waves(self, past: Tensor, harmonics: int) -> Tensor:
        """The course's terms at each step of a window, float (item, channel, context + horizon, 2 harmonics)."""
        turns = torch.arange(self.format.context + self.format.horizon) * self.state["turn"]
        used_turns = turns[self.format.context - self.used : self.format.context]
        level = straightened(past[..., -self.used :], self.season)
        cosine, sine = ((level * wave).mean(-1, keepdim=True) * 2 for wave in (used_turns.cos(), used_turns.sin()))
        angles = (turns - torch.atan2(sine, cosine))[..., None] * torch.arange(1.0, harmonics + 1)
        strength = (cosine.square() + sine.square()).sqrt()
        return strength[..., None] * torch.cat([angles.cos(), angles.sin()], dim=-1)

    def split(self, past: Tensor) -> tuple[Tensor, Tensor]:
        """What is left of the past (item, channel, context), and what the future has of level and course (…, horizon)."""
        base = past[..., -self.season :].mean(-1, keepdim=True)
        if not self.used:
            return past - base, base.expand(*base.shape[:-1], self.format.horizon)
        course = self.state["course"]
        seasonal = torch.einsum("nctk,ck->nct", self.waves(past, course.shape[1] // 2), course)
        return past - base - seasonal[..., : self.format.context], base + seasonal[..., self.format.context :]

    def solved(self, windows: Tensor) -> dict[float, Fitted]:
        """The weights of the ridge regression for each strength."""
        past, future = parted(windows, self.format)
        rest, baseline = self.split(past)
        inputs, targets = (part.double().transpose(0, 1) for part in (rest, future - baseline))  # (channel, item, step)
        middle, offset = inputs.mean(1, keepdim=True), targets.mean(1, keepdim=True)
        inputs, targets = inputs - middle, targets - offset
        gram, moment, solutions = inputs.mT @ inputs, inputs.mT @ targets, {}
        ridge = (gram.diagonal(dim1=1, dim2=2).mean(1)[:, None, None] + 1e-9) * torch.eye(gram.shape[1], dtype=torch.float64)
        for strength in self.config.strengths:
            weights = torch.linalg.solve(gram + strength * ridge, moment)
            solutions[strength] = {"weights": weights.float(), "offset": (offset - middle @ weights)[:, 0].float()}
        return solutions

    def mean(self, past: Tensor) -> Tensor:
        rest, baseline = self.split(past)
        return baseline + torch.einsum("nct,cth->nch", rest, self.state["weights"]) + self.state["offset"]


def build(config: Config, shape: Shape) -> Harmonic:
    return Harmonic(config, shape)
