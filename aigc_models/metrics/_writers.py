"""Candidates that are asked to go on with given texts."""

from __future__ import annotations

from collections.abc import Callable

from aigc_models.capabilities import Streams
from aigc_models.evidence import Evidence, original

APART = ("ensemble", "baseline", "champion", "anchor")  # those that are compared; a member would take as long again


def written(evidence: Evidence, write: Callable[[Streams], list[str]]) -> dict[str, list[str]]:
    """What `write` gives of each candidate that writes text, its members aside where there is an ensemble; once for those
    that are one and the same model."""
    models = {name: model for name, model in evidence.models.items() if isinstance(model, Streams)}
    origins = {name: original(name, models, evidence.combined) for name in models if "ensemble" not in models or name in APART}
    made = dict[str, list[str]]()
    for origin in dict.fromkeys(origins.values()):
        evidence.progress(len(made), len(origins))
        made[origin] = write(models[origin])
    return {name: made[origin] for name, origin in origins.items()}
