"""The members' scores of answers, standardised question by question and added: a conditional logit (McFadden 1974).

    log p(answer | question) = sum of w_i z_i(question, answer) + constant,   w_i >= 0

z_i is a member's score less its mean over the answers of the question, by its standard deviation, so that BM25 and a cosine
can be added. w minimises the log loss of the right answers of validation questions, which is convex in it, and is pulled
towards equal weights; its sum is free, and calibrates the probabilities.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, cast

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp, softmax
from torch import Tensor

from aigc_models.capabilities import Matches, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles._pool import Pool
from aigc_models.language.pairs import batch_of, distinct_answers, pairs_of, right_answers
from aigc_models.training.devices import place_of

MODALITIES = frozenset({"text"})
TASKS = frozenset({"match"})
FEWEST = 5  # validation questions that weights are learned on
AT_ONCE = 64  # questions

Floats = NDArray[np.float64]


class Settings(BaseModel):
    """How the weights are learned, and what was learned beside one number a member."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    pull: float = Field(1.0, ge=0, description="of the weights towards each other, nats")
    most_items: int = Field(1_000, ge=1, description="validation questions that the weights are learned on, at most")
    most_answers: int = Field(5_000, ge=1, description="train items whose answers stand beside theirs, at most")
    scale: float = Field(1.0, gt=0, description="learned: the sum of the weights")


class ConditionalLogit(Pool):
    """`members` by name, and `weights` that sum to 1: how much each has to say. Matches like a member."""

    def index(self, answers: Batch) -> dict[str, Any]:
        """What each member needs of the answers."""
        members = {name: cast(Matches, self.members[name]) for name in self.asked}
        return {name: member.index(answers.to(place_of(member))) for name, member in members.items()}

    def match(self, questions: Batch, answers: Batch | dict[str, Any]) -> Float[Tensor, "item answer"]:
        """Log-probabilities of the answers of a question, on the questions' device; each member is asked where it lies."""
        index = self.index(answers) if isinstance(answers, Batch) else answers
        members = {name: cast(Matches, self.members[name]) for name in self.asked}
        parts = {name: member.match(questions.to(place_of(member)), index[name]) for name, member in members.items()}
        return self.combined({name: part.to(questions.conditions.device) for name, part in parts.items()})

    def combined(self, parts: Mapping[str, Tensor]) -> Float[Tensor, "item answer"]:
        """The same from the scores float (item, answer) of the members `asked`, for who has them already."""
        said = [self.weights[name] * standardised(parts[name]) for name in self.asked]
        return (self.settings.scale * torch.stack(said).sum(0)).log_softmax(-1).float()


def standardised(scores: Tensor) -> Float[Tensor, "item answer"]:
    """Less the mean of each row, by its standard deviation; zero where all are alike."""
    scores = scores.double()
    spread = scores.std(dim=1, keepdim=True, correction=0)
    return (scores - scores.mean(dim=1, keepdim=True)) / torch.where(spread > 1e-9, spread, 1.0)


def learn(said: Floats, right: NDArray[np.bool_], pull: float) -> Floats:
    """Weights (member,) from standardised scores (member, item, answer) and which answers are right, bool (item, answer)."""
    members, items = said.shape[:2]
    barred = np.where(right, 0.0, -np.inf)

    def objective(weights: Floats) -> tuple[float, Floats]:
        log = log_softmax(np.tensordot(weights, said, 1), axis=1)
        apart = weights - weights.mean()
        loss = -logsumexp(log + barred, axis=1).mean() + 0.5 * pull / items * apart @ apart
        gradient = np.einsum("mia,ia->m", said, np.exp(log) - softmax(log + barred, axis=1)) / items + pull / items * apart
        return float(loss), gradient

    bounds = [(0.0, None)] * members
    best = minimize(objective, np.full(members, 1 / members), jac=True, bounds=bounds, method="L-BFGS-B")
    return np.asarray(best.x, dtype=np.float64)


@torch.no_grad()
def fit(
    members: Mapping[str, object],
    train: Corpus,
    validation: Corpus,
    shape: Shape,
    settings: Settings,
    seed: int,
    progress: Callable[..., None],
) -> ConditionalLogit:
    """Learn the weights on the questions of `validation`; of `train` only the answers are looked at, which stand beside
    theirs. Where validation has fewer than `FEWEST` items, all members weigh the same."""
    held = pairs_of(validation.sample(settings.most_items, seed).sequences, shape.format)
    if len(held) < FEWEST:
        return build(members, dict.fromkeys(members, 1.0), settings)
    history = [*pairs_of(train.sample(settings.most_answers, seed).sequences, shape.format), *held]
    answers, none = distinct_answers(history), len(shape.labels)
    pool, said = batch_of(answers, shape.format, none), []
    questions = batch_of([one.question for one in held], shape.format, none)
    asked = [questions.part(slice(at, at + AT_ONCE)) for at in range(0, len(held), AT_ONCE)]
    for step, member in enumerate(members.values(), start=1):
        matcher, place = cast(Matches, member), place_of(member)
        index = matcher.index(pool.to(place))
        scores = torch.cat([matcher.match(batch.to(place), index).cpu() for batch in asked])
        said.append(standardised(scores).numpy())
        progress(step, len(members))
    weights = learn(np.stack(said), right_answers(held, history, answers), settings.pull)
    scale = max(float(weights.sum()), 1e-3)
    weights = weights if weights.sum() > 0 else np.ones(len(weights))
    return build(members, dict(zip(members, weights.tolist(), strict=True)), settings.model_copy(update={"scale": scale}))


def build(members: Mapping[str, object], weights: Mapping[str, float], settings: Settings) -> ConditionalLogit:
    """From given weights."""
    return ConditionalLogit(members, weights, settings)
