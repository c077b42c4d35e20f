"""Gates: what a model's figures on the test split must show before it may become champion."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

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


def judge(
    gates: tuple[Gate, ...], metrics: Mapping[str, Mapping[str, Any]], champion: Mapping[str, float] | None
) -> list[Verdict]:
    """Hold `metrics` (the form of `metrics.json`) against each gate; `champion`: its figures, if there is one."""
    return [_verdict(gate, metrics, champion) for gate in gates]


def _verdict(gate: Gate, metrics: Mapping[str, Mapping[str, Any]], champion: Mapping[str, float] | None) -> Verdict:
    if gate.metric not in metrics:
        return Verdict(name=gate.name, passed=gate.optional, value=None, limit=None, reason=f"{gate.metric} was not measured")
    value = float(metrics[gate.metric]["value"])
    if gate.reference == "champion" and champion is None:
        return Verdict(name=gate.name, passed=True, value=value, limit=None, reason="there is no champion yet")
    base = _base(gate, metrics, champion or {})
    if base is None:
        reason = f"no figure of {gate.reference} to compare with"
        return Verdict(name=gate.name, passed=gate.optional, value=value, limit=None, reason=reason)
    limit = gate.factor * base + gate.offset
    passed = _COMPARE[gate.compare](value, limit)
    reason = f"{value:.4g} {'is' if passed else 'is not'} {gate.compare.replace('_', ' ')} {limit:.4g}"
    if passed and gate.significant:
        passed, reason = _significance(gate, metrics[gate.metric].get("versus", {}), reason)
    return Verdict(name=gate.name, passed=passed, value=value, limit=limit, reason=reason)


def _base(gate: Gate, metrics: Mapping[str, Mapping[str, Any]], champion: Mapping[str, float]) -> float | None:
    """The reference's figure; a number has none but the offset."""
    known: dict[str, float | None] = {name: figures["value"] for name, figures in metrics.items()}
    own = metrics[gate.metric]
    known |= {
        "number": 0.0,
        "baseline": own.get("baseline"),
        "best_member": own.get("best_member"),
        "champion": champion.get(gate.metric),
    }
    return known.get(gate.reference)


def _significance(gate: Gate, versus: Mapping[str, Mapping[str, float]], reason: str) -> tuple[bool, str]:
    """Every paired difference to the reference lies wholly on the good side of zero; `best_member` means each member."""
    others = set(versus) - {"baseline", "real"} if gate.reference == "best_member" else {gate.reference} & set(versus)
    if not others:
        return False, f"{reason}, but no paired difference to {gate.reference} was measured"
    edges = {name: versus[name]["high"] if gate.compare == "at_most" else -versus[name]["low"] for name in others}
    unclear = sorted(name for name, edge in edges.items() if edge >= 0)
    if unclear:
        return False, f"{reason}, but the interval of the difference to {', '.join(unclear)} includes zero"
    return True, f"{reason}, and the interval of the difference excludes zero"
