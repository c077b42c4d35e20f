"""How often each item comes, whoever asks: what any other recommendation has to beat."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from pydantic import BaseModel, ConfigDict

from aigc_models.capabilities import Shape
from aigc_models.recommending.histories import Ints
from aigc_models.recommending.plain import Floats, PlainRecommender, State
from aigc_models.sequences import Sequences

MODALITIES = frozenset({"events"})


class Config(BaseModel):
    """Nothing is chosen."""

    model_config = ConfigDict(frozen=True, extra="forbid")


SIZES = {"debug": Config(), "small": Config(), "base": Config(), "large": Config()}


class Popularity(PlainRecommender):
    """`popularity` float32 (symbol,) is all there is."""

    def trials(self, histories: Sequences) -> Iterator[State]:
        yield {}

    def scores(self, values: Ints) -> Floats:
        return np.zeros((len(values), self.vocabulary.size), dtype=np.float32)


def build(config: Config, shape: Shape) -> Popularity:
    return Popularity(config, shape)
