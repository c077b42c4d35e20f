"""What a figure is set beside: its baseline, the members, and what real items would score."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from aigc_models.evidence import Difference, Measurement
from tasks.report.contents import DatasetReport, Figure, Gate, Metric, RunResult


@dataclass(frozen=True)
class Comparison:
    """A paired difference; `verdict` is empty where its interval holds zero."""

    difference: Difference
    verdict: Literal["better", "worse", ""]


def rows(result: RunResult) -> list[str]:
    """The metrics of generated items; those of real items stand beside them and get no row of their own."""
    beside = {_real(name) for name in result.metrics}
    return [name for name in result.metrics if name not in beside]


def headlines(part: DatasetReport) -> list[str]:
    """The figures to show first: those with a baseline, and among them what was chosen by and what the gates ask for."""
    result = part.result
    asked = [part.primary, *(gate.name.partition(" ")[0] for gate in result.gates)]
    names = [name for name in rows(result) if result.metrics[name].baseline is not None]
    return sorted(names, key=lambda name: asked.index(name) if name in asked else len(asked))


def served(part: DatasetReport, name: str) -> Figure:
    """The figure of what was registered: of the ensemble, or of the model that stands alone; that may be the baseline."""
    measured = part.measurements.get(name, {})
    alone = (measured.get(part.alone) or measured.get("baseline")) if part.alone else None
    return alone.value if alone else part.result.metrics[name].value


def reach(part: DatasetReport, name: str) -> Metric | Measurement | None:
    """What real items score in metric `name`, where that was measured, in a metric of its own or beside the candidates."""
    return part.result.metrics.get(_real(name)) or part.measurements.get(name, {}).get("real")


def with_real(part: DatasetReport) -> bool:
    """Whether real items were measured in any metric."""
    return any(reach(part, name) for name in rows(part.result))


def candidates(part: DatasetReport, name: str) -> dict[str, Measurement]:
    """Everything that metric `name` was measured of, real items too."""
    real = {key: measurement for key, measurement in part.measurements.get(_real(name), {}).items() if key == "real"}
    return {**part.measurements.get(name, {}), **real}


def verdict(part: DatasetReport, name: str) -> str:
    """How the ensemble stands to the baseline in metric `name`, in words that a figure can follow."""
    metric, paired = part.result.metrics[name], compare(part, name)
    if metric.value is None or metric.baseline is None or paired is None:
        return "beside"
    return f"{paired.verdict} than" if paired.verdict else "not told apart from"


def compare(part: DatasetReport, name: str) -> Comparison | None:
    """The ensemble against the baseline in metric `name`, item by item, where that was measured."""
    measurement = part.measurements.get(name, {}).get("ensemble")
    difference = measurement.versus.get("baseline") if measurement else None
    if measurement is None or difference is None:
        return None
    if difference.low <= 0 <= difference.high:
        return Comparison(difference, "")
    return Comparison(difference, "better" if (difference.value < 0) == (measurement.better == "lower") else "worse")


def cell(part: DatasetReport, metric: str, candidate: str) -> tuple[Figure, Figure, Figure]:
    """Value and interval of a member or the baseline, as far as they were measured."""
    measurement = part.measurements.get(metric, {}).get(candidate)
    if measurement:
        return measurement.value, measurement.low, measurement.high
    if candidate == "baseline":
        return part.result.metrics[metric].baseline, None, None
    member = next((member for member in part.result.members if member.name == candidate), None)
    return (member.metrics.get(metric) if member else None), None, None


def mark(gate: Gate) -> tuple[str, str]:
    """A gate's outcome in words, and which look it has: good, bad or calm; a tick stands only where something was judged."""
    return {
        "passed": ("✓ passed", "good"),
        "failed": ("✗ failed", "bad"),
        "not_told_apart": ("✗ not told apart", "bad"),
        "not_applicable": ("– not applicable", "calm") if gate.passed else ("✗ not applicable", "bad"),
    }[gate.outcome]


def bound(result: RunResult, gate: str) -> str:
    """Which way a gate's limit holds, where the gate is named after a metric and does not say so itself."""
    metric = result.metrics.get(gate)
    return {"lower": "at most", "higher": "at least"}[metric.better] if metric else ""


def _real(metric: str) -> str:
    """`classification_accuracy_score` is held against `classification_accuracy_real`."""
    return metric.removesuffix("_score") + "_real"
