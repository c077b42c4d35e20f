"""Bits that a model needs for an event of the test items: -log2 p of every symbol, END included, over the number of events.

An event is a note of a tune or an item of a history, however many symbols tell it.
"""

from __future__ import annotations

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._likelihood import per_unit, scorers

MODALITIES = PRIMARY = frozenset({"events"})


def applies(evidence: Evidence) -> bool:
    return bool(scorers(evidence))


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every model that scores, with differences to the others."""
    return per_unit(evidence, "bits per event")
