"""Share of test histories whose last item is among the ten recommended for what came before it; all items are ranked."""

from __future__ import annotations

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._ranks import ranks
from aigc_models.metrics._shares import shares
from aigc_models.metrics.ndcg_at_10 import PLACES, TASKS, applies

__all__ = ["MODALITIES", "TASKS", "applies", "measure"]

MODALITIES = frozenset({"events"})


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate that recommends, with paired differences; a target that the vocabulary lacks is no hit."""
    return shares({name: rank < PLACES for name, rank in ranks(evidence).items()}, "higher")
