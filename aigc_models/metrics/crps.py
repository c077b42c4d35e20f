"""Continuous ranked probability score of the forecasts (Gneiting and Raftery 2007): how far off, in the values' unit.

Twice the mean pinball loss over 50 evenly spaced levels, over all test windows, channels and steps.
"""

from __future__ import annotations

from aigc_models.evidence import Evidence, Measurement
from aigc_models.forecasting.quantiles import window_crps
from aigc_models.metrics._windows import forecasters, measured, unit

MODALITIES = PRIMARY = frozenset({"series"})


def applies(evidence: Evidence) -> bool:
    return bool(forecasters(evidence)) and len(evidence.test) > 0


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every model that forecasts, with paired differences to the others."""
    scale, name = unit(evidence)
    models, figures = forecasters(evidence), {}
    for step, (candidate, model) in enumerate(models.items(), start=1):
        figures[candidate] = scale * window_crps(model, evidence.test, evidence.shape.format).mean(1).numpy()
        evidence.progress(step, len(models))
    return measured(evidence, figures, name)
