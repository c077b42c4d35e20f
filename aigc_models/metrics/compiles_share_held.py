"""The same share as `compiles_share`, where what is drawn is held to the grammar of Python (`grammar: python`)."""

from __future__ import annotations

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics import compiles_share
from aigc_models.metrics.compiles_share import applies

__all__ = ["MODALITIES", "applies", "measure"]

MODALITIES = frozenset({"text"})


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """As `compiles_share`; the baseline is held to the grammar too."""
    return compiles_share.measure(evidence, "python")
