"""Which modalities are made of symbols; a data set's format brings them, and no model knows what they stand for."""

from __future__ import annotations

from aigc_models.capabilities import Shape
from aigc_models.find import find, names
from aigc_models.sequences import Vocabulary


def symbolic() -> frozenset[str]:
    """The modalities that have a `vocabulary(format)` hook."""
    package = "aigc_models.modalities"
    return frozenset(name for name in names(package) if hasattr(find(package, name), "vocabulary"))


def vocabulary_of(shape: Shape) -> Vocabulary:
    """The symbols of a data set's items."""
    vocabulary: Vocabulary = find("aigc_models.modalities", shape.modality).vocabulary(shape.format)
    return vocabulary
