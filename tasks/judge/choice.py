"""Which candidate is to be a first champion: the simplest one that the validation split cannot tell from the best.

A name without a champion has nothing to be worse than, so that no gate against another model can refuse. The test split
has no say in it: it states the figures of what was chosen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from aigc_models import heads
from aigc_models.evidence import Difference, Evidence, Measurement
from aigc_models.find import find, names
from tasks.judge.margin import loss

if TYPE_CHECKING:
    import numpy as np

    from aigc_models.corpus import Corpus

FILE = "choice.json"


class Choice(BaseModel):
    """What the validation split says of the candidates."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    chosen: str = Field(description="name of the simplest candidate that cannot be told from the best")
    best: str = Field(description="name of the candidate with the best figure")
    metric: str
    unit: str
    items: int = Field(description="validation items that they were measured on")
    figures: dict[str, float] = Field(description="of each candidate, from the simplest to the ensemble")
    difference: Difference | None = Field(None, description="chosen less best, with its paired 95 % interval")

    @property
    def reason(self) -> str:
        """In words, to go on from the name of what was chosen."""
        metric, figures = self.metric.replace("_", " "), self.figures
        if self.difference is None:
            only = f"{metric} {figures[self.chosen]:.4g} on {self.items} items"
            if self.chosen == next(iter(figures)):
                return f"on validation none is better, {only}"
            return f"on validation it is the best and each simpler one is told from it, {only}"
        interval = f"({self.difference.low:+.2g} to {self.difference.high:+.2g}) on {self.items} items"
        if not math.isfinite(self.difference.high - self.difference.low):
            interval = f"on {self.items} items, too few or in too short a time for an interval"
        return (
            f"on validation it cannot be told from the best, {self.best.replace('_', ' ')}, and it is simpler: {metric} "
            f"{figures[self.chosen]:.4g} against {figures[self.best]:.4g}, difference {self.difference.value:+.2g} {interval}"
        )


def primary(modality: str, task: str = heads.GENERATE) -> str:
    """The metric that stands for quality in this modality and task: one whose file names both; empty where none does."""
    metrics = ((name, find("aigc_models.metrics", name)) for name in names("aigc_models.metrics"))
    fitting = (name for name, one in metrics if modality in getattr(one, "PRIMARY", ()) and task in heads.of(one))
    return next(fitting, "")


def choose(evidence: Evidence, name: str, simplest_first: Sequence[str]) -> Choice | None:
    """By the metric `name` on the items of `evidence`, as `on_validation` gives it; None where it does not apply."""
    measure = find("aigc_models.metrics", name)
    if not len(evidence.test) or not getattr(measure, "applies", lambda evidence: True)(evidence):
        return None
    measured: Mapping[str, Measurement] = measure.measure(evidence)
    candidates = [candidate for candidate in simplest_first if candidate in measured]
    return chosen(measured, candidates, name, len(evidence.test)) if candidates else None


def chosen(measured: Mapping[str, Measurement], simplest_first: Sequence[str], name: str, items: int) -> Choice:
    """The first whose paired difference to the best does not say that it is worse."""
    sign = 1 if measured[simplest_first[0]].better == "lower" else -1
    best = min(simplest_first, key=lambda candidate: sign * measured[candidate].value)
    first = next(candidate for candidate in simplest_first if candidate == best or not _worse(measured[candidate], best))
    return Choice(
        chosen=first,
        best=best,
        metric=name,
        unit=measured[best].unit,
        items=items,
        figures={candidate: measured[candidate].value for candidate in simplest_first},
        difference=None if first == best else measured[first].versus[best],
    )


def _worse(figure: Measurement, best: str) -> bool:
    return loss(figure.versus[best], figure.better).low > 0


def on_validation(evidence: Evidence, validation: Corpus, spans: np.ndarray | None) -> Evidence:
    """The same candidates to be measured on the validation split; what was generated for them is shared."""
    return replace(evidence, test=validation, samples={}, spans=spans, sharing=evidence)


def read_choice(evaluation: Path) -> Choice | None:
    """Of an evaluation's folder; None where it met a champion, or nothing to choose by."""
    path = evaluation / FILE
    return Choice.model_validate_json(path.read_text()) if path.is_file() else None
