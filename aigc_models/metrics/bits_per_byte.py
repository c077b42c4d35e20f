"""Bits that a model needs for a byte of the test items: -log2 p of every symbol, END included, over the number of bytes."""

from __future__ import annotations

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._likelihood import per_unit, scorers

MODALITIES = PRIMARY = frozenset({"text"})


def applies(evidence: Evidence) -> bool:
    return bool(scorers(evidence))


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every model that scores, with differences to the others."""
    return per_unit(evidence, "bits per byte")
