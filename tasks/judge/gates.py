"""Gates: what a model's figures on the test split must show before it may become champion.

The champion of a retraining was measured on the same test items. A gate against it then holds where the figure is within
the gate's factor of the champion's and the paired interval does not show the challenger to be worse: one that is as good
is taken, since it knows newer data. Both must hold on all test items and on those that the champion's own data held.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.evidence import Difference

TOO_FEW = "too few test items, or too short a test time, for an interval"
_COMPARE = {"at_most": operator.le, "at_least": operator.ge}


class Gate(BaseModel):
    """`metric` at most (or at least) `factor` times the reference plus `offset`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field(description="name of a metric of the evaluation, such as frechet_distance")
    compare: Literal["at_most", "at_least"] = Field("at_most", description="on which side of the limit the figure must be")
    reference: str = Field(
        "number",
        description="what the limit is made of: number (the offset alone), baseline, best_member, champion, or another metric",
    )
    factor: float = Field(1.0, description="times the reference's figure, without unit")
    offset: float = Field(0.0, description="added to it, in the metric's unit")
    significant: bool = Field(False, description="the 95 % interval of the paired difference to it must exclude zero")
    optional: bool = Field(False, description="passes where the metric was not measured, such as one that needs labels")

    @property
    def name(self) -> str:
        """In words: `frechet_distance at most 1.3 x frechet_distance_real`."""
        if self.reference == "number":
            return f"{self.metric} {self.compare.replace('_', ' ')} {self.offset:g}"
        scaled = f"{self.factor:g} x {self.reference}" if self.factor != 1 else self.reference
        shifted = f"{scaled} {'+' if self.offset > 0 else '-'} {abs(self.offset):g}" if self.offset else scaled
        return f"{self.metric} {self.compare.replace('_', ' ')} {shifted}{', significantly' if self.significant else ''}"


class Verdict(BaseModel):
    """One gate's outcome; `value` and `limit` in the metric's unit, null where there was none to compare."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    passed: bool
    value: float | None
    limit: float | None
    reason: str


class Champion(BaseModel):
    """The champion as a gate sees it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int = Field(0, description="its number")
    registered: dict[str, float] = Field({}, description="the figures it was registered with, on the test items of its time")
    items: int = Field(0, description="test items that both were measured on; 0: they were not")
    shared_metrics: dict[str, dict[str, Any]] = Field({}, description="the challenger's metrics on `shared_items` alone")
    shared_items: int | None = Field(None, description="how many of the test items the champion's data held; null: unknown")
    misfit: str = Field("", description="why it cannot be measured on the challenger's data")


def judge(
    gates: tuple[Gate, ...], metrics: Mapping[str, Mapping[str, Any]], champion: Mapping[str, float] | Champion | None
) -> list[Verdict]:
    """Hold `metrics` (the form of `metrics.json`) against each gate; `champion`: its figures, if there is one."""
    standing = Champion(registered=dict(champion)) if isinstance(champion, Mapping) else champion
    return [_verdict(gate, metrics, standing) for gate in gates]


def _verdict(gate: Gate, metrics: Mapping[str, Mapping[str, Any]], champion: Champion | None) -> Verdict:
    if gate.metric not in metrics:
        return Verdict(name=gate.name, passed=gate.optional, value=None, limit=None, reason=f"{gate.metric} was not measured")
    value = float(metrics[gate.metric]["value"])
    if gate.reference == "champion" and (champion is None or champion.misfit):
        reason = f"not comparable with the champion: {champion.misfit}" if champion else "there is no champion yet"
        return Verdict(name=gate.name, passed=True, value=value, limit=None, reason=reason)
    base = _base(gate, metrics, champion)
    if base is None:
        reason = f"no figure of {gate.reference} to compare with"
        return Verdict(name=gate.name, passed=gate.optional, value=value, limit=None, reason=reason)
    limit = gate.factor * base + gate.offset
    if gate.reference == "champion" and champion and "champion" in metrics[gate.metric].get("versus", {}):
        passed, reason = _against_champion(gate, metrics[gate.metric], champion)
        return Verdict(name=gate.name, passed=passed, value=value, limit=limit, reason=reason)
    passed = _COMPARE[gate.compare](value, limit)
    reason = f"{value:.4g} {'is' if passed else 'is not'} {gate.compare.replace('_', ' ')} {limit:.4g}"
    if passed and gate.significant:
        passed, reason = _significance(gate, metrics[gate.metric].get("versus", {}), reason)
    return Verdict(name=gate.name, passed=passed, value=value, limit=limit, reason=reason)


def _against_champion(gate: Gate, figures: Mapping[str, Any], champion: Champion) -> tuple[bool, str]:
    """On the same test items, all of them and those that the champion's data held."""
    passed, words = _paired(gate, figures)
    reason = f"{words} on the same {champion.items} test items, {_difference(figures)}"
    if gate.metric in champion.shared_metrics:
        shared = champion.shared_metrics[gate.metric]
        good, words = _paired(gate, shared)
        held = f"the {champion.shared_items} of them that the champion's data held"
        return passed and good, f"{reason}; {words} on {held}, {_difference(shared)}"
    return passed, reason


def _paired(gate: Gate, figures: Mapping[str, Any]) -> tuple[bool, str]:
    """Whether the challenger passes, and its figure against the champion's with a judgement, in words."""
    value, base = figures["value"], figures["champion"]
    sign = 1 if gate.compare == "at_most" else -1
    apart = Difference.model_validate(figures["versus"]["champion"])
    edges = sorted((sign * apart.low, sign * apart.high))  # above zero: worse
    within = _COMPARE[gate.compare](value, gate.factor * base + gate.offset)
    comparison = f"{gate.metric.replace('_', ' ')} {value:.4g} against the champion's {base:.4g}"
    if edges[0] > 0:
        return False, f"worse, {comparison}"
    if edges[1] < 0:
        return within, f"better, {comparison}"
    tight = f" and not {gate.compare.replace('_', ' ')} {gate.factor * base + gate.offset:.4g}" if not within else ""
    return within and not gate.significant, f"not told apart{tight}, {comparison}"


def _difference(figures: Mapping[str, Any]) -> str:
    difference = Difference.model_validate(figures["versus"]["champion"])
    if not math.isfinite(difference.low):
        return f"difference {difference.value:+.3g}, {TOO_FEW}"
    unit = f" {figures['unit']}" if figures.get("unit") else ""
    return f"difference {difference.value:+.3g} ({difference.low:+.3g} to {difference.high:+.3g}){unit}"


def _base(gate: Gate, metrics: Mapping[str, Mapping[str, Any]], champion: Champion | None) -> float | None:
    """The reference's figure; a number has none but the offset. The champion's is that on the same items, if known."""
    references: dict[str, float | None] = {name: figures["value"] for name, figures in metrics.items()}
    measured = metrics[gate.metric]
    references |= {
        "number": 0.0,
        "baseline": measured.get("baseline"),
        "best_member": measured.get("best_member"),
        "champion": measured.get("champion", champion.registered.get(gate.metric) if champion else None),
    }
    return references.get(gate.reference)


def _significance(gate: Gate, versus: Mapping[str, Mapping[str, float]], reason: str) -> tuple[bool, str]:
    """Every paired difference to the reference lies wholly on the good side of zero; `best_member` means each member."""
    apart = {"baseline", "real", "champion"}
    others = set(versus) - apart if gate.reference == "best_member" else {gate.reference} & set(versus)
    if not others:
        return False, f"{reason}, but no paired difference to {gate.reference} was measured"
    paired = {name: Difference.model_validate(versus[name]) for name in others}
    edges = {name: one.high if gate.compare == "at_most" else -one.low for name, one in paired.items()}
    if math.inf in edges.values():
        return False, f"{reason}, but {TOO_FEW}"
    unclear = sorted(name for name, edge in edges.items() if edge >= 0)
    if unclear:
        return False, f"{reason}, but the interval of the difference to {', '.join(unclear)} includes zero"
    return True, f"{reason}, and the interval of the difference excludes zero"
