"""What a report holds: `report.json` in its fixed form, and beside it what only the page shows."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from aigc_models.evidence import Measurement


def _finite(value: float | None) -> float | None:
    """JSON knows neither NaN nor infinity: what could not be measured is null."""
    return value if value is not None and math.isfinite(value) else None


Figure = Annotated[float | None, BeforeValidator(_finite)]


class Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Dataset(Frozen):
    name: str
    modality: str
    version: str
    rows: int = Field(description="items kept, over all splits")
    quarantined: int
    duplicates: int
    splits: dict[str, int] = Field(description="items of each split")


class StageTime(Frozen):
    name: str
    seconds: float = Field(description="inside the stage's plain function; 0 where cached")
    cached: bool


class Member(Frozen):
    name: str
    family: str
    params: int
    metrics: dict[str, Figure]


class Ensemble(Frozen):
    method: str
    weights: dict[str, float]
    metrics: dict[str, Figure]


class Metric(Frozen):
    """A figure of the ensemble with its 95 % interval, beside its baseline and the best member."""

    value: Figure
    low: Figure
    high: Figure
    baseline: Figure
    best_member: Figure
    split: str
    unit: str
    better: Literal["lower", "higher"]


class Gate(Frozen):
    name: str
    passed: bool
    value: Figure
    limit: Figure
    verdict: Literal["passed", "failed", "not_told_apart", "not_applicable"] | None = Field(
        default=None, description="what `passed` rests on; not_told_apart: too few test items; null: as `passed` says"
    )

    @property
    def outcome(self) -> Literal["passed", "failed", "not_told_apart", "not_applicable"]:
        return self.verdict or ("passed" if self.passed else "failed")


class Promotion(Frozen):
    decision: str = Field(description="promoted, refused, not_due or awaiting_approval")
    model: str
    version: int | None
    alias: str | None


class RunResult(Frozen):
    """`report.json` of one data set; a contract with whoever reads it."""

    run: str
    preset: str
    started: str = Field(description="ISO 8601 with its offset from UTC")
    seconds: float = Field(description="wall time")
    overhead_seconds: float = Field(description="wall time outside the stages' plain functions")
    dataset: Dataset
    stages: tuple[StageTime, ...]
    members: tuple[Member, ...]
    ensemble: Ensemble
    metrics: dict[str, Metric]
    gates: tuple[Gate, ...]
    promotion: Promotion
    samples: tuple[str, ...] = Field(description="paths relative to the report's folder")
    versions: dict[str, str]


class SeveralResults(Frozen):
    """`report.json` of a run over several data sets."""

    run: str
    preset: str
    started: str
    seconds: float
    overhead_seconds: float
    runs: tuple[RunResult, ...]
    versions: dict[str, str]


class Item(Frozen):
    """A real or generated item; `html` is the modality's preview, which escapes what it shows."""

    html: str
    label: str | None = None
    note: str = Field(default="", description="where it came from, or its seed and the model that made it")
    path: str | None = Field(default=None, description="its file, relative to the report's folder")
    renderings: dict[str, str] = Field(default={}, description="by suffix: files of it of other kinds, as `path`")


class Rejected(Frozen):
    """One row of the quarantine."""

    source: str
    reason: str


class Discarded(Frozen):
    """What one rule threw away, with the first examples."""

    rule: str
    stage: str = Field(description="clean, duplicate or bridge")
    count: int
    examples: tuple[Rejected, ...]


class Node(Frozen):
    """One thing in the lineage, such as a data version or a registered model."""

    title: str
    detail: str = ""
    link: str | None = Field(default=None, description="http(s) address, or a path relative to the report's folder")


class Level(Frozen):
    """One step of the lineage: what was made side by side out of the step before."""

    name: str
    nodes: tuple[Node, ...]


class DatasetReport(Frozen):
    """One data set's part of the page: the fixed part, and what stands around it."""

    result: RunResult
    card: dict[str, object] = Field(default={}, description="data/NAME/card.json")
    data_page: str = Field(default="", description="the card as a page of its own, beside this one")
    examples: tuple[Item, ...] = ()
    discarded: tuple[Discarded, ...] = ()
    curves: dict[str, tuple[dict[str, float], ...]] = Field(default={}, description="by member: step, seconds and losses")
    samples: tuple[Item, ...] = ()
    heading: str = Field(default="", description="above the samples, of a model whose task is another than to make any")
    lead: str = Field(default="", description="what those are, in words")
    measurements: dict[str, dict[str, Measurement]] = Field(default={}, description="by metric, then by candidate")
    lineage: tuple[Level, ...] = ()
    baseline: str = Field(default="", description="what the baseline is, in words")
    alone: str = Field(default="", description="the one model that was registered and made the samples; empty: the ensemble")
    primary: str = Field(default="", description="the metric that a first champion was chosen by, if one was")
    reason: str = Field(default="", description="why it was promoted or refused, in words")
    gate_reasons: dict[str, str] = Field(default={}, description="by gate: why it passed or failed, in words")
    notes: tuple[str, ...] = Field(default=(), description="what a reader has to know, such as a stage left out and why")


class Report(Frozen):
    """All that `build` needs: the data sets' parts, and what holds for the whole run."""

    run: str
    preset: str
    started: str
    seconds: float
    overhead_seconds: float
    versions: dict[str, str]
    datasets: tuple[DatasetReport, ...] = Field(min_length=1)
    config: str = Field(default="", description="the configuration that ran, as YAML")
    command: str = Field(default="", description="the command that does it again")

    def results(self) -> RunResult | SeveralResults:
        """What goes into `report.json`: the one data set's object, or a list of them."""
        runs = tuple(part.result for part in self.datasets)
        if len(runs) == 1:
            return runs[0]
        shared = {name: getattr(self, name) for name in SeveralResults.model_fields if name != "runs"}
        return SeveralResults(**shared, runs=runs)
