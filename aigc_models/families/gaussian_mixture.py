"""A Gaussian mixture for each label in principal components: the plain baseline, and a member at once.

Principal components and mixture components are chosen by the likelihood of the validation split, in pixels, where what
the components leave out counts as isotropic noise (probabilistic PCA, Tipping and Bishop 1999).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from scipy.special import logsumexp
from sklearn.decomposition import PCA
from sklearn.mixture import GaussianMixture
from torch import Tensor

from aigc_models.canvas import canvas_of, painted
from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.layers.noise import choose, normal, uniform

MODALITIES = painted()
BATCH = 256  # items painted at a time


class Config(BaseModel):
    """What is tried on the validation split."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    components: tuple[int, ...] = Field((1, 2, 3, 4), description="Gaussians a label, those to try")
    directions: tuple[int, ...] = Field((15, 25, 35, 50, 100), description="principal components, those to try")
    ridge: float = Field(1e-3, description="added to variances, as a share of the mean variance of a direction")
    most: int = Field(20_000, description="training items looked at; more are sampled down")
    seed: int = Field(0, description="of the mixtures' starting points")


SIZES = {
    "debug": Config(components=(1, 2), directions=(4,)),
    "small": Config(),
    "base": Config(components=(1, 2, 3, 5, 8), directions=(25, 50, 100)),
    "large": Config(components=(1, 2, 4, 8, 16), directions=(50, 100, 200)),
}
# log-shares (part,), means (part, direction), lower factors of the covariances (part, direction, direction)
Parts = tuple[np.ndarray, np.ndarray, np.ndarray]


class Mixtures:
    """One mixture for each label, fitted in the same principal components."""

    def __init__(self, config: Config, shape: Shape) -> None:
        self.config, self.labels = config, len(shape.labels)
        self.canvas = canvas_of(shape)
        self.state: dict[str, Tensor] = {}

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> None:
        """Try every choice in `config` and keep the one under which the validation split is likeliest."""
        train = train.sample(self.config.most, self.config.seed)
        pixels, held = self.flat(train), self.flat(validation)
        most = max(1, min(max(self.config.directions), len(pixels) - 1, pixels.shape[1]))
        basis = PCA(most, svd_solver="randomized", random_state=self.config.seed).fit(pixels)
        tried = sorted({min(directions, most) for directions in self.config.directions})
        choices = [(directions, components) for directions in tried for components in self.config.components]
        best = -np.inf
        for step, (directions, components) in enumerate(choices, start=1):
            parts = self.parts(basis.transform(pixels)[:, :directions], train.conditions, components)
            likelihood = score(parts, basis, directions, held, validation.conditions, pixels)
            progress(step, len(choices), validation_nats=-likelihood, directions=directions, components=components)
            if likelihood > best:
                best, self.state = likelihood, as_state(parts, basis, directions, shares(train.conditions, self.labels))

    def parts(self, values: np.ndarray, conditions: np.ndarray, components: int) -> dict[int, Parts]:
        """A mixture for each label that has items, and one over all where there are no labels."""
        ridge = self.config.ridge * float(values.var(0).mean())
        return {
            int(label): mixture(values[np.asarray(conditions) == label], components, ridge, self.config.seed)
            for label in np.unique(conditions)
        }

    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel *space"]:
        """Float (item, channel, *space) in [-1, 1]; `temperature` scales the spread (1 = as fitted)."""
        state, draws = self.state, uniform(seeds, 2)
        label = choose(state["shares"].expand(len(seeds), -1), draws[:, 0])
        asked = conditions.cpu().long()
        fitted = state["shares"][asked] > 0
        label = torch.where(fitted & (asked < max(self.labels, 1)), asked, label)
        part = choose(state["weights"][label], draws[:, 1])
        noise = normal(seeds, state["means"].shape[2:]) * float(sampling.get("temperature", 1.0))
        values = state["means"][label, part] + torch.einsum("nij,nj->ni", state["factors"][label, part], noise)
        pictures = (values @ state["basis"] + state["centre"]).reshape(-1, *self.canvas.item)
        return self.canvas.unpaint(pictures).to(conditions.device)

    def classify(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Float (item, label): log of the label's share times the item's density under it (Bayes); what the principal
        components leave out is the same under every label."""
        pictures = self.canvas.paint(batch.values.cpu()).flatten(1).double()
        values = (pictures - self.state["centre"]) @ self.state["basis"].double().T
        return self.log_densities(values)[:, : self.labels].float()

    def log_densities(self, values: Tensor) -> Tensor:
        """Log-share plus log-density in nats, float64 (item, condition); minus infinity for a label without items."""
        state = {name: tensor.double() for name, tensor in self.state.items()}
        identity = torch.eye(values.shape[1], dtype=torch.float64)
        factors = torch.where(state["weights"][..., None, None] > 0, state["factors"], identity)
        apart = values[:, None, None, :, None] - state["means"][..., None]
        white = torch.linalg.solve_triangular(factors, apart, upper=False)[..., 0]
        volume = factors.diagonal(dim1=-2, dim2=-1).log().sum(-1) + 0.5 * values.shape[1] * math.log(2 * math.pi)
        parts = state["weights"].log() - volume - 0.5 * white.square().sum(-1)
        return torch.logsumexp(parts, dim=-1) + state["shares"].log()

    def flat(self, corpus: Corpus) -> np.ndarray:
        """Pictures, float64 (item, pixel), about in [-1, 1]."""
        parts = [self.canvas.paint(batch.values).flatten(1) for batch in corpus.batches(BATCH)]
        return torch.cat(parts).double().numpy() if parts else np.empty((0, math.prod(self.canvas.item)))

    def state_dict(self) -> Mapping[str, Tensor]:
        return dict(self.state)

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        self.state = {name: tensor.clone() for name, tensor in state.items()}


def shares(conditions: np.ndarray, labels: int) -> np.ndarray:
    """How often each condition occurs, 'no label' the last of them."""
    return np.bincount(np.asarray(conditions), minlength=labels + 1) / len(conditions)


def mixture(values: np.ndarray, components: int, ridge: float, seed: int) -> Parts:
    """Fit by expectation maximisation; fewer components where a label has few items, one broad one for a single item."""
    count = max(1, min(components, len(values) // 10))
    values = values if len(values) > 1 else np.repeat(values, 2, axis=0)
    fitted = GaussianMixture(count, reg_covar=ridge, random_state=seed).fit(values)
    return np.log(fitted.weights_), fitted.means_, np.linalg.cholesky(fitted.covariances_)


def log_density(parts: Parts, values: np.ndarray) -> np.ndarray:
    """Log-likelihood in nats, float64 (item,)."""
    logs, means, factors = parts
    white = np.stack([np.linalg.solve(factor, (values - mean).T) for mean, factor in zip(means, factors, strict=True)])
    volume = np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(1)
    constant = 0.5 * values.shape[1] * np.log(2 * np.pi)
    return logsumexp(logs[:, None] - 0.5 * (white**2).sum(1) - volume[:, None] - constant, axis=0)


def score(
    parts: dict[int, Parts], basis: PCA, directions: int, held: np.ndarray, conditions: np.ndarray, train: np.ndarray
) -> float:
    """Mean log-likelihood in nats of held-out pixels (item, pixel), the left-out directions as isotropic noise."""
    values = basis.transform(held)
    fitted = np.isin(conditions, list(parts))
    inside = np.concatenate([
        log_density(parts[int(label)], values[np.asarray(conditions) == label][:, :directions])
        for label in np.unique(conditions[fitted])
    ])  # fmt: skip
    outside = held.shape[1] - directions
    if not outside:
        return float(inside.mean())
    noise = max(float(train.var(0).sum() - basis.explained_variance_[:directions].sum()) / outside, 1e-6)
    left = ((held - basis.mean_) ** 2).sum(1) - (values[:, :directions] ** 2).sum(1)
    return float(inside.mean() - 0.5 * (left[fitted].mean() / noise + outside * np.log(2 * np.pi * noise)))


def as_state(parts: dict[int, Parts], basis: PCA, directions: int, frequencies: np.ndarray) -> dict[str, Tensor]:
    """Named tensors: mixtures padded to (label, part, ...), the basis (direction, pixel), the centre (pixel,)."""
    most = max(len(logs) for logs, _, _ in parts.values())
    state = {
        "weights": torch.zeros(len(frequencies), most),
        "means": torch.zeros(len(frequencies), most, directions),
        "factors": torch.zeros(len(frequencies), most, directions, directions),
        "shares": torch.from_numpy(frequencies).float(),
        "basis": torch.from_numpy(basis.components_[:directions]).float(),
        "centre": torch.from_numpy(basis.mean_).float(),
    }
    for label, (logs, means, factors) in parts.items():
        state["weights"][label, : len(logs)] = torch.from_numpy(np.exp(logs)).float()
        state["means"][label, : len(logs)] = torch.from_numpy(means).float()
        state["factors"][label, : len(logs)] = torch.from_numpy(factors).float()
    return state


def build(config: Config, shape: Shape) -> Mixtures:
    return Mixtures(config, shape)
