"""Gates: what a model's figures on the test split must show before it may become champion.

A champion of the same name is measured on the same test items. A gate against it is a test with stated errors: the upper
end of the paired 95 % interval lies within the gate's margin (`factor`, `offset`), so that one that is as good is taken,
since it knows newer data; `significant` asks that the interval excludes zero. Both must hold on all test items and on
those that the champion's own data held. The same margin holds against the anchor, a champion of long ago, so that small
allowances do not add up. Too few items for a verdict is a verdict of its own, and passes nothing.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.evidence import Difference
from tasks.judge.margin import Held, advice, hold, loss

TOO_FEW = "too few test items, or too short a test time, for an interval"
Outcome = Literal["passed", "failed", "not_told_apart", "not_applicable"]
OPPONENTS = {"champion": "the champion's", "anchor": "the anchor's"}
_COMPARE = {"at_most": operator.le, "at_least": operator.ge}


class Gate(BaseModel):
    """`metric` at most (or at least) `factor` times the reference plus `offset`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str = Field(description="name of a metric of the evaluation, such as frechet_distance")
    compare: Literal["at_most", "at_least"] = Field("at_most", description="on which side of the limit the figure must be")
    reference: str = Field(
        "number",
        description="what the limit is made of: number (the offset alone), baseline, best_member, champion, anchor (a "
        "champion of a year ago, or the first), or another metric",
    )
    factor: float = Field(1.0, description="times the reference's figure, without unit")
    offset: float = Field(0.0, description="added to it, in the metric's unit")
    significant: bool = Field(False, description="the 95 % interval of the paired difference to it must exclude zero")
    seeds: float = Field(
        0.0, ge=0, description="standard deviation between two seeds of one recipe, as a share; better is what lies beyond it"
    )
    guard: bool = Field(False, description="against harm, not for quality: a first champion has to pass these gates alone")
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
    verdict: Outcome
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
    anchor: int = Field(0, description="number of the anchor that was measured beside them; 0: none was")


def judge(
    gates: tuple[Gate, ...], metrics: Mapping[str, Mapping[str, Any]], champion: Mapping[str, float] | Champion | None
) -> list[Verdict]:
    """Hold `metrics` (the form of `metrics.json`) against each gate; `champion`: its figures, if there is one.

    The gates against the champion stand once more at the end, against the anchor, in what was measured of it.
    """
    standing = Champion(registered=dict(champion)) if isinstance(champion, Mapping) else champion
    return [_verdict(gate, metrics, standing) for gate in (*gates, *_anchored(gates, metrics))]


def refusals(verdicts: list[Verdict] | tuple[Verdict, ...]) -> str:
    """What did not pass, and why, in words; empty where all passed."""
    against = [f"{verdict.name} ({verdict.reason})" for verdict in verdicts if not verdict.passed]
    if not against:
        return ""
    failed = any(verdict.verdict == "failed" for verdict in verdicts)
    return f"{len(against)} of {len(verdicts)} gates {'failed' if failed else 'did not pass'}: {'; '.join(against)}"


def passes(verdicts: list[Verdict] | tuple[Verdict, ...]) -> str:
    """That all passed, in words, and how many had nothing to judge."""
    if not verdicts:
        return "there are no gates"
    left = sum(verdict.verdict == "not_applicable" for verdict in verdicts)
    count = len(verdicts)
    if left:
        return f"{count - left} of {count} gates passed, {left} not applicable"
    return f"all {count} gates passed" if count > 1 else "its gate passed"


def _anchored(gates: tuple[Gate, ...], metrics: Mapping[str, Mapping[str, Any]]) -> tuple[Gate, ...]:
    stated = {gate.metric for gate in gates if gate.reference == "anchor"}
    against = [gate for gate in gates if gate.reference == "champion" and gate.metric not in stated]
    measured = [gate for gate in against if "anchor" in metrics.get(gate.metric, {}).get("versus", {})]
    return tuple(gate.model_copy(update={"reference": "anchor", "significant": False}) for gate in measured)


def _verdict(gate: Gate, metrics: Mapping[str, Mapping[str, Any]], champion: Champion | None) -> Verdict:
    if gate.metric not in metrics:
        return _inapplicable(gate, None, gate.optional, f"{gate.metric} was not measured")
    value = float(metrics[gate.metric]["value"])
    if gate.reference in OPPONENTS and (champion is None or champion.misfit):
        reason = f"not comparable with the champion: {champion.misfit}" if champion else "there is no champion yet"
        return _inapplicable(gate, value, True, reason)
    if gate.reference == "anchor" and "anchor" not in metrics[gate.metric].get("versus", {}):
        return _inapplicable(gate, value, True, "there is no champion of long ago to compare with")
    base = _base(gate, metrics, champion)
    if base is None:
        return _inapplicable(gate, value, gate.optional, f"there is no figure of {gate.reference} to compare with")
    limit = gate.factor * base + gate.offset
    if gate.reference in OPPONENTS and champion:
        outcome, reason = _against(gate, metrics[gate.metric], champion)
    else:
        passed = _COMPARE[gate.compare](value, limit)
        outcome = "passed" if passed else "failed"
        reason = f"{value:.4g} {'is' if passed else 'is not'} {gate.compare.replace('_', ' ')} {limit:.4g}"
        if passed and gate.significant:
            outcome, reason = _significance(gate, metrics[gate.metric], reason)
        elif passed and gate.reference in metrics[gate.metric].get("versus", {}):
            reason += _doubt(gate, metrics[gate.metric], base)
    return Verdict(name=gate.name, passed=outcome == "passed", value=value, limit=limit, verdict=outcome, reason=reason)


def _inapplicable(gate: Gate, value: float | None, passed: bool, reason: str) -> Verdict:
    """Nothing to hold against each other; a gate that is not optional does not pass for that."""
    words = reason if passed else f"{reason}; with `optional: true` the gate lets that pass"
    return Verdict(name=gate.name, passed=passed, value=value, limit=None, verdict="not_applicable", reason=words)


def _against(gate: Gate, figures: Mapping[str, Any], champion: Champion) -> tuple[Outcome, str]:
    """Champion or anchor on the same test items: all of them, and for the champion those that its data held."""
    if gate.reference not in figures.get("versus", {}):
        number = f", version {champion.version}," if champion.version else ""
        return "not_told_apart", f"not told apart: the champion{number} was not measured on the same test items"
    outcome, words = _paired(gate, figures, champion.items)
    which = f" (version {champion.anchor})" if gate.reference == "anchor" and champion.anchor else ""
    reason = f"{words}{which} on the same {champion.items or ''} test items".replace("  ", " ") + _difference(gate, figures)
    if gate.reference == "champion" and gate.metric in champion.shared_metrics:
        shared = champion.shared_metrics[gate.metric]
        again, words = _paired(gate, shared, champion.shared_items or 0)
        held = f"the {champion.shared_items} of them that the champion's data held"
        worst: Outcome = again if outcome == "passed" or again == "failed" else outcome
        return worst, f"{reason}; {words} on {held}{_difference(gate, shared)}"
    return outcome, reason


def _paired(gate: Gate, figures: Mapping[str, Any], items: int) -> tuple[Outcome, str]:
    """The outcome, and the challenger's figure against the other's with a judgement, in words."""
    value, base = figures["value"], figures[gate.reference]
    margin = _margin(gate, base)
    held = _held(gate, figures, base, items)
    comparison = f"{gate.metric.replace('_', ' ')} {value:.4g} against {OPPONENTS[gate.reference]} {base:.4g}"
    if held.standing == "not told apart":
        return "not_told_apart", f"{advice(held, figures.get('unit', ''))}; {comparison}"
    passed = held.standing == "better" or (held.standing == "not worse" and not gate.significant)
    allowed = f" by more than {margin:.2g}" if held.standing == "not worse" and margin > 0 else ""
    return "passed" if passed else "failed", f"{held.standing}{allowed}, {comparison}"


def _held(gate: Gate, figures: Mapping[str, Any], base: float, items: int) -> Held:
    difference = loss(Difference.model_validate(figures["versus"][gate.reference]), _better(gate))
    margin = _margin(gate, base)
    return hold(difference, min(margin, 0.0) if gate.significant else margin, items, gate.seeds * abs(base))


def _doubt(gate: Gate, figures: Mapping[str, Any], base: float) -> str:
    """What to say of a figure that is within its limit where the test items do not tell so."""
    held = _held(gate, figures, base, figures.get("items") or 0)
    return f"; {advice(held, figures.get('unit', ''))}" if held.standing == "not told apart" else ""


def _better(gate: Gate) -> Literal["lower", "higher"]:
    return "lower" if gate.compare == "at_most" else "higher"


def _margin(gate: Gate, base: float) -> float:
    """How much worse than `base` the limit lies; below zero where it asks for a better figure."""
    beyond = gate.factor * base + gate.offset - base
    return beyond if gate.compare == "at_most" else -beyond


def _difference(gate: Gate, figures: Mapping[str, Any]) -> str:
    difference = Difference.model_validate(figures["versus"][gate.reference])
    if not math.isfinite(difference.high - difference.low):
        return f", difference {difference.value:+.3g}, {TOO_FEW}"
    unit = f" {figures['unit']}" if figures.get("unit") else ""
    return f", difference {difference.value:+.3g} ({difference.low:+.3g} to {difference.high:+.3g}){unit}"


def _base(gate: Gate, metrics: Mapping[str, Mapping[str, Any]], champion: Champion | None) -> float | None:
    """The reference's figure; a number has none but the offset. The champion's is that on the same items, if known."""
    references: dict[str, float | None] = {name: figures["value"] for name, figures in metrics.items()}
    measured = metrics[gate.metric]
    references |= {
        "number": 0.0,
        "baseline": measured.get("baseline"),
        "best_member": measured.get("best_member"),
        "champion": measured.get("champion", champion.registered.get(gate.metric) if champion else None),
        "anchor": measured.get("anchor"),
    }
    base = references.get(gate.reference)
    return base if base is not None and math.isfinite(base) else None


def _significance(gate: Gate, figures: Mapping[str, Any], reason: str) -> tuple[Outcome, str]:
    """Every paired difference to the reference lies wholly on the good side of zero; `best_member` means each member."""
    versus = figures.get("versus", {})
    apart = {"baseline", "real", *OPPONENTS}
    others = set(versus) - apart if gate.reference == "best_member" else {gate.reference} & set(versus)
    if not others:
        return "failed", f"{reason}, but no paired difference to {gate.reference} was measured"
    losses = {name: loss(Difference.model_validate(versus[name]), _better(gate)) for name in others}
    if not all(math.isfinite(each.high - each.low) for each in losses.values()):
        return "not_told_apart", f"{reason}, but {TOO_FEW}"
    helds = {name: hold(each, 0.0, figures.get("items") or 0) for name, each in losses.items()}
    unclear = {name: held for name, held in helds.items() if held.standing != "better"}
    if worse := sorted(name for name, held in helds.items() if held.standing == "worse"):
        return "failed", f"{reason}, but it is worse than {', '.join(worse)} by the interval of the difference"
    if unclear:
        most = max(unclear.values(), key=lambda held: held.items or 0)
        words = f"{reason}, but the interval of the difference to {', '.join(sorted(unclear))} includes zero"
        return "not_told_apart", f"{words}; {advice(most, figures.get('unit', ''))}"
    return "passed", f"{reason}, and the interval of the difference excludes zero"
