"""Make items like those of the data: what families do by themselves, and what every data set can be asked."""

from __future__ import annotations

from aigc_models.capabilities import Generates, Shape
from aigc_models.corpus import Corpus
from aigc_models.find import names

PROTOCOL = Generates
MODALITIES = frozenset(names("aigc_models.modalities"))


def check(shape: Shape, train: Corpus) -> None:
    """Nothing is asked of the data."""
