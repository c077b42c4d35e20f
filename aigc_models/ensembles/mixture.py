"""Each item comes from one member, picked by the item's own seed; a critic sets how often each is picked.

The critic is a classifier trained to tell training items from each member's, as pictures. In its features, the
weights bring the weighted members as near as possible to the validation split, by maximum mean discrepancy
(Gretton et al. 2012), label by label: kernel mean matching (Huang et al. 2007), a small convex problem.

What a critic sees need not be what counts: where one member alone lies nearer to the validation split, that member makes
every item (`_nearest.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from torch import Tensor

from aigc_models.canvas import drawn, painted
from aigc_models.capabilities import Generates, Shape
from aigc_models.corpus import Corpus, joined
from aigc_models.ensembles._nearest import nearest, tutor
from aigc_models.layers.classifier import Classifier, features, fit_classifier
from aigc_models.layers.noise import PICK, choose, item_seeds, uniform

MODALITIES = painted()
DRAWS = True  # items of each member are made to learn from, `Settings.most` of a kind


class Settings(BaseModel):
    """How the critic is trained and the weights are learnt."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    steps: int = Field(200, description="training steps of the critic, 64 items each")
    most: int = Field(512, description="items of each kind that the critic learns from, and validation items matched")
    rounds: int = Field(
        3, description="sets of items of each member, each as large as the validation split, to match with; fewer of large ones"
    )
    least: float = Field(0.1, description="a share below this is rounded to none; sampling noise alone gives a few hundredths")


class Mixture:
    """Draws each item from the member that the item's seed picks."""

    def __init__(self, members: Mapping[str, Any], weights: Mapping[str, float], settings: Settings) -> None:
        self.members, self.weights, self.settings = dict(members), {name: float(weights[name]) for name in members}, settings

    def picks(self, seeds: Tensor) -> Tensor:
        """Which member makes each item, int64 (item,)."""
        shares = torch.tensor(list(self.weights.values())).expand(len(seeds), -1)
        return choose(shares, uniform(seeds, stream=PICK)[:, 0])

    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel *space"]:
        """Float (item, channel, *space) in [-1, 1]. Each member runs at the full batch, so that an item
        is the same whatever rode along; the members that no item asks for do not run."""
        picks, values = self.picks(seeds), None
        for number, member in enumerate(self.members.values()):
            mine = picks == number
            if not bool(mine.any()):
                continue
            drawn = member.generate(conditions, seeds, **sampling)
            values = torch.zeros_like(drawn) if values is None else values
            values[mine] = drawn[mine]
        assert values is not None
        return values


def draw(member: Generates, conditions: np.ndarray, shape: Shape, seed: int) -> Corpus:
    """Items of `member` with these conditions."""
    asked = torch.from_numpy(np.array(conditions, dtype=np.int64))
    return drawn(member, asked, item_seeds(seed, len(asked)), shape)


def train_critic(members: Mapping[str, Any], train: Corpus, shape: Shape, settings: Settings, seed: int) -> Classifier:
    """Tell training items (class 0) from those of each member (classes 1, 2, ...), at equal numbers."""
    real = train.sample(settings.most, seed)
    values = [real.values, *(draw(each, real.conditions, shape, seed + 1).values for each in members.values())]
    origin = np.repeat(np.arange(len(values)), len(real))
    return fit_classifier(Corpus(train.modality, joined(values), origin), shape, len(values), settings.steps, seed)


def similarity(first: np.ndarray, second: np.ndarray, conditions: tuple[np.ndarray, np.ndarray], width: float) -> np.ndarray:
    """Gaussian kernel of features (item, feature), doubled where two items have the same of the `conditions` (item,)."""
    near = np.exp(-cdist(first, second, "sqeuclidean") / width)
    return near * (1 + (conditions[0][:, None] == conditions[1][None]))


def on_simplex(gram: np.ndarray, pull: np.ndarray) -> np.ndarray:
    """The shares w >= 0, summing to one, that minimise w' gram w - 2 w' pull."""
    start = np.full(len(pull), 1 / len(pull))
    solution = minimize(
        lambda w: w @ gram @ w - 2 * w @ pull,
        start,
        jac=lambda w: 2 * (gram @ w - pull),
        bounds=[(0, 1)] * len(pull),
        constraints=[{"type": "eq", "fun": lambda w: w.sum() - 1, "jac": lambda w: np.ones_like(w)}],
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    return np.clip(solution.x, 0, None) / np.clip(solution.x, 0, None).sum()


def match(drawn: list[Corpus], validation: Corpus, critic: Classifier) -> np.ndarray:
    """Shares of the members, from one corpus each, nearest to the validation split."""
    wanted, made = features(critic, validation), [features(critic, corpus) for corpus in drawn]
    asked, given = np.asarray(validation.conditions), [np.asarray(corpus.conditions) for corpus in drawn]
    width = max(float(np.median(cdist(wanted, wanted, "sqeuclidean"))), 1e-9)
    gram = np.empty((len(drawn), len(drawn)))
    for i, first in enumerate(made):
        for j, second in enumerate(made[: i + 1]):
            kernel = similarity(first, second, (given[i], given[j]), width)
            pairs = kernel.size - len(first) if i == j else kernel.size
            gram[i, j] = gram[j, i] = (kernel.sum() - (np.trace(kernel) if i == j else 0)) / pairs
    pull = np.array([similarity(one, wanted, (each, asked), width).mean() for one, each in zip(made, given, strict=True)])
    return on_simplex(gram, pull)


def rounded(shares: np.ndarray, least: float) -> np.ndarray:
    """Shares below `least` dropped, the rest to two digits, summing to one."""
    kept = np.where(shares < min(least, shares.max()), 0, shares)
    kept = np.round(kept / kept.sum(), 2)
    kept[int(kept.argmax())] += 1 - kept.sum()
    return kept


def fit(
    members: Mapping[str, Any],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> Mixture:
    """Train the critic on the train split, then learn the weights on validation; one member takes all where it is nearer."""
    if len(members) == 1:
        return build(members, dict.fromkeys(members, 1.0), settings)
    held = validation.sample(settings.most, seed)
    rounds = min(settings.rounds, -(-settings.most // len(held)))
    steps = rounds + 1
    critic = train_critic(members, train, shape, settings, seed)
    made = []
    for number in range(rounds):
        progress(number + 1, steps)
        made.append([draw(member, held.conditions, shape, seed + 2 + number) for member in members.values()])
    shares = rounded(np.mean([match(corpora, held, critic) for corpora in made], axis=0), settings.least)
    shares = nearest(shares, made, held, tutor(train, shape, settings.steps, seed), seed)
    progress(steps, steps)
    return build(members, dict(zip(members, shares.tolist(), strict=True)), settings)


def build(members: Mapping[str, Any], weights: Mapping[str, float], settings: Settings) -> Mixture:
    return Mixture(members, weights, settings)
