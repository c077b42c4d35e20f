"""Two versions of a registered model side by side: their figures, the paired difference where one was measured
against the other on the same test items, and which gates the second would pass beside the first.

What an evaluation measured is kept with the MLflow run that registered the version, so that every machine can
compare; of a version without it there are the figures alone.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from aigc_models.errors import BadInput
from aigc_models.evidence import Difference
from tasks.judge.gates import Champion, Gate, Verdict, judge
from tasks.judge.kept_evaluation import FILES, FOLDER, GATES
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


class Side(BaseModel):
    """One of the two."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: int
    aliases: tuple[str, ...]
    data_version: str


class Row(BaseModel):
    """A figure of both; `low` and `high` are 95 % intervals, `paired` is b minus a on the same test items, if known."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metric: str
    unit: str
    better: Literal["lower", "higher", ""]
    a: float | None
    a_low: float | None
    a_high: float | None
    b: float | None
    b_low: float | None
    b_high: float | None
    difference: float | None
    paired: Difference | None
    verdict: Literal["better", "worse", "not told apart", "unknown"]


class Comparison(BaseModel):
    """Version `b` held against version `a`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    a: Side
    b: Side
    metrics: tuple[Row, ...]
    gates: tuple[Verdict, ...]
    passes: bool | None
    note: str


def compare(workspace: Workspace, name: str, a: str, b: str) -> Comparison:
    """`a` and `b`: version numbers or aliases; raises `BadInput` for one that there is not."""
    from tasks.registry.register import aliases_of, find_version
    from tasks.stage.tracking import client

    store = client(workspace)
    first, second = (find_version(store, f"{name}/{one}" if one.isdigit() else f"{name}@{one}") for one in (a, b))
    if first.version == second.version:
        raise BadInput(f"{a} and {b} are both version {first.version} of {name}; compare two versions")
    aliases = aliases_of(store, name)
    one, two = (_side(version, aliases) for version in (first, second))
    before, after = _evaluation(store, first), _evaluation(store, second)
    pairs = _pairs(after, one.version, 1) or _pairs(before, two.version, -1)
    rows = tuple(_row(metric, before.metrics, after.metrics, pairs) for metric in _metrics(before, after))
    gates = after.gates or before.gates
    verdicts = judge(gates, _beside(after.metrics, pairs), _champion(one.version, before, after))
    return Comparison(
        model=name,
        a=one,
        b=two,
        metrics=rows,
        gates=tuple(verdicts),
        passes=all(verdict.passed for verdict in verdicts) if gates else None,
        note=_note(one, two, bool(pairs)),
    )


def beside(store: MlflowClient, version: ModelVersion, standing: ModelVersion | None, gates: tuple[Gate, ...]) -> list[Verdict]:
    """Each gate held against what is kept of `version`, with `standing` as the champion where there is another."""
    after = _evaluation(store, version)
    if standing is None:
        return judge(gates, after.metrics, None)
    before, number = _evaluation(store, standing), int(standing.version)
    pairs = _pairs(after, number, 1) or _pairs(before, int(version.version), -1)
    return judge(gates, _beside(after.metrics, pairs), _champion(number, before, after))


class _Evaluation(BaseModel):
    """The evaluation of one version, as far as it was kept."""

    metrics: dict[str, dict[str, Any]]
    shared_metrics: dict[str, dict[str, Any]] = {}
    champion: dict[str, Any] = {}
    gates: tuple[Gate, ...] = ()


def _evaluation(store: MlflowClient, version: ModelVersion) -> _Evaluation:
    """From the artifacts of the run that registered it, or else the figures alone, from its tag."""
    figures = json.loads(version.tags.get("aigc.metrics", "{}"))
    kept = {item.path.rpartition("/")[2] for item in store.list_artifacts(version.run_id or "", FOLDER)}
    with tempfile.TemporaryDirectory() as folder:
        place = Path(store.download_artifacts(version.run_id or "", FOLDER, folder)) if kept else Path(folder)
        read = {name: json.loads((place / name).read_text()) for name in kept & {*FILES, GATES}}
    return _Evaluation(
        metrics=read.get("metrics.json") or {metric: {"value": value} for metric, value in figures.items()},
        shared_metrics=read.get("metrics_known.json", {}),
        champion=read.get("champion.json", {}),
        gates=tuple(Gate.model_validate(gate) for gate in read.get(GATES, [])),
    )


def _side(version: ModelVersion, aliases: Mapping[str, int]) -> Side:
    number = int(version.version)
    names = tuple(sorted(alias for alias, target in aliases.items() if target == number))
    return Side(version=number, aliases=names, data_version=version.tags.get("aigc.data_version", ""))


def _metrics(before: _Evaluation, after: _Evaluation) -> list[str]:
    return list(dict.fromkeys([*before.metrics, *after.metrics]))


def _pairs(evaluation: _Evaluation, other: int, sign: int) -> dict[str, Difference]:
    """Paired differences by metric, where the version was measured beside `other` as the champion of that time."""
    if evaluation.champion.get("version") != other:
        return {}
    pairs = {}
    for metric, figures in evaluation.metrics.items():
        if difference := figures.get("versus", {}).get("champion"):
            paired = Difference.model_validate(difference)
            low, high = sorted((sign * paired.low, sign * paired.high))
            pairs[metric] = Difference(value=sign * paired.value, low=low, high=high)
    return pairs


def _row(metric: str, before: Mapping[str, Any], after: Mapping[str, Any], pairs: Mapping[str, Difference]) -> Row:
    a, b = before.get(metric, {}), after.get(metric, {})
    paired, better = pairs.get(metric), b.get("better") or a.get("better") or ""
    values = a.get("value"), b.get("value")
    return Row(
        metric=metric,
        unit=b.get("unit") or a.get("unit") or "",
        better=better,
        **{side: figures.get("value") for side, figures in (("a", a), ("b", b))},
        **{f"{side}_{edge}": figures.get(edge) for side, figures in (("a", a), ("b", b)) for edge in ("low", "high")},
        difference=values[1] - values[0] if None not in values else None,
        paired=paired,
        verdict=_verdict(paired, better),
    )


def _verdict(paired: Difference | None, better: str) -> Literal["better", "worse", "not told apart", "unknown"]:
    """Of `b`: two intervals side by side say little, a paired one does."""
    if paired is None or not better:
        return "unknown"
    if paired.low <= 0 <= paired.high:
        return "not told apart"
    return "better" if (paired.value < 0) == (better == "lower") else "worse"


def _beside(metrics: Mapping[str, Any], pairs: Mapping[str, Difference]) -> dict[str, dict[str, Any]]:
    """The second's metrics as they would stand with the first as champion."""
    made = {}
    for metric, figures in metrics.items():
        versus = {other: difference for other, difference in figures.get("versus", {}).items() if other != "champion"}
        entry = {key: value for key, value in figures.items() if key != "champion"} | {"versus": versus}
        if metric in pairs:
            entry["versus"]["champion"] = pairs[metric].model_dump(mode="json")
            entry["champion"] = figures["value"] - pairs[metric].value
        made[metric] = entry
    return made


def _champion(number: int, before: _Evaluation, after: _Evaluation) -> Champion:
    registered = {metric: figures["value"] for metric, figures in before.metrics.items()}
    met = after.champion if after.champion.get("version") == number else {}
    return Champion(
        version=number,
        registered=registered,
        items=met.get("items") or 0,
        shared_metrics=after.shared_metrics if met else {},
        shared_items=met.get("known"),
        misfit=met.get("misfit", ""),
        anchor=met.get("anchor", 0),
    )


def _note(a: Side, b: Side, paired: bool) -> str:
    if paired:
        return "paired differences on the same test items"
    if a.data_version != b.data_version:
        return "measured on the test items of two data versions, so that a difference may be theirs"
    return "measured one by one: no interval of the difference is known"
