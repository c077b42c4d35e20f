"""The report of a run, filled in from what its stages left behind."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from pydantic import BaseModel

from aigc_models.find import find, names
from tasks.judge.choice import read_choice
from tasks.registry.promote import Decision
from tasks.serve.try_served import ServedRef
from tasks.stage.addresses import without_secrets
from tasks.stage.execution import Execution
from tasks.stage.origin import git_revision, package
from tasks.stage.references import (
    EnsembleRef,
    EvaluationRef,
    GenerationRef,
    ModelRef,
    Reference,
    RegisteredRef,
    TrainedRef,
    VersionRef,
)
from tasks.stage.stage import StageContext, stage

if TYPE_CHECKING:
    from tasks.report.contents import DatasetReport, Item, Level, Member, Report, RunResult, StageTime

PACKAGES = ("torch", "prefect", "mlflow", "dvc", "numpy", "pandas", "scikit-learn")


@dataclass(frozen=True)
class Outcome:
    """What one data set's pipeline made."""

    config: BaseModel
    name: str
    notes: tuple[str, ...]
    data: VersionRef
    trained: TrainedRef
    registered: RegisteredRef
    decision: Decision
    batch: GenerationRef | None  # none of a model whose task is another than to generate
    serving: EnsembleRef  # what was registered and tried: the ensemble, or what was chosen as first champion
    evaluation: EvaluationRef  # of that


class ReportRef(Reference):
    """`outputs/<run>` with `index.html` and `report.json`."""


@stage(cached=False)
def write_report(outcomes: list[Outcome], served: ServedRef, run: str, preset: str, context: StageContext) -> ReportRef:
    """Write `outputs/<run>/index.html`, `report.json`, the samples, and the card of each data set as a page and as JSON."""
    from tasks.report.build import build

    folder = context.workspace.outputs / run
    execution = Execution.current()
    execution.report = report = assemble(outcomes, served, run, preset, folder, context)
    cards = [
        path
        for outcome, part in zip(outcomes, report.datasets, strict=True)
        for path in data_card(outcome, folder / part.data_page, context)
    ]
    page = build(report, folder)
    context.log(report=context.workspace.relative(page))
    context.attach(page, folder / "report.json", *cards)
    return ReportRef.to(context.workspace, page, folder / "report.json")


def data_card(outcome: Outcome, page: Path, context: StageContext) -> tuple[Path, Path]:
    """The card of one data set: the page, and its JSON."""
    from tasks.report.write_data_card import write_data_card

    data, model = outcome.data, outcome.registered
    return page, write_data_card(context.workspace, data.dataset, data.version, page, model.model, model.version)


def assemble(
    outcomes: Sequence[Outcome], served: ServedRef, run: str, preset: str, folder: Path, context: StageContext
) -> Report:
    """All that the page and report.json show; samples are copied into `folder`.

    The wall time counts from the start of this process, which no stage can know better than the system.
    """
    from tasks.report.contents import Report

    started = psutil.Process().create_time()
    wall = time.time() - started
    common: dict[str, Any] = {
        "run": run,
        "preset": preset,
        "started": datetime.fromtimestamp(started, UTC).isoformat(timespec="seconds"),
        "seconds": round(wall, 3),
        "overhead_seconds": round(wall - Execution.current().work_seconds(), 3),
        "versions": versions(),
    }
    pages = ["data.html"] if len(outcomes) == 1 else [f"data-{outcome.name}.html" for outcome in outcomes]
    parts = tuple(part(outcome, served, common, folder, page, context) for outcome, page in zip(outcomes, pages, strict=True))
    command = Execution.current().command
    return Report(**common, datasets=parts, config=as_yaml([outcome.config for outcome in outcomes]), command=command)


def versions() -> dict[str, str]:
    """The packages that a result depends on, and the project's revision."""
    return {"python": sys.version.split()[0], **{name: package(name) for name in PACKAGES}, "code": git_revision()}


def as_yaml(configs: Sequence[BaseModel]) -> str:
    import yaml

    return str(
        yaml.safe_dump_all([config.model_dump(mode="json", exclude_defaults=True) for config in configs], sort_keys=False)
    )


def part(
    outcome: Outcome, served: ServedRef, common: Mapping[str, Any], folder: Path, data_page: str, context: StageContext
) -> DatasetReport:
    """One data set's part of the report; `data_page` is the name of its card's page."""
    from tasks.report import gather
    from tasks.report.contents import DatasetReport
    from tasks.version.reading import reading

    root, modality = context.workspace, outcome.data.modality
    evaluation = outcome.trained.evaluation.path(root)
    samples = gather.samples(outcome.evaluation.path(root), modality, folder, outcome.name)
    task = outcome.trained.corpus.task
    answers = find("tasks.judge.answers", task) if task in names("tasks.judge.answers") else None
    alone, choice = outcome.serving.sha256 != outcome.trained.ensemble.sha256, read_choice(evaluation)
    models = [*([outcome.trained.body] if outcome.trained.body else []), *outcome.trained.members]
    curves = {model.name: gather.curve(model.path(root)) for model in models}
    with reading(root, outcome.data.dataset, outcome.data.version) as data:  # another command may rewrite data/NAME
        card = json.loads((data / "card.json").read_text(encoding="utf-8"))
        examples, discarded = gather.examples(data, modality), gather.discarded(data / "quarantine.parquet")
    return DatasetReport(
        result=result(outcome, served, common, samples, context),
        card=card,
        data_page=data_page,
        examples=examples,
        discarded=discarded,
        curves={name: points for name, points in curves.items() if points},
        samples=samples,
        heading=getattr(answers, "HEADING", ""),
        lead=getattr(answers, "LEAD", ""),
        measurements=gather.measurements(evaluation),
        lineage=lineage(outcome, context),
        baseline=outcome.trained.baseline.family.replace("_", " "),
        alone=next(iter(outcome.serving.weights)) if alone else "",
        primary=choice.metric if choice else "",
        reason=outcome.decision.reason,
        gate_reasons={gate.name: gate.reason for gate in outcome.decision.gates},
        notes=(*outcome.notes, *(f"{name} is left out: {one.reason}" for name, one in outcome.trained.left_out.items())),
    )


def result(
    outcome: Outcome, served: ServedRef, common: Mapping[str, Any], samples: Sequence[Item], context: StageContext
) -> RunResult:
    """The fixed part."""
    from tasks.report import gather
    from tasks.report.contents import Dataset, Ensemble, Gate, Metric, Promotion, RunResult

    data, trained, decision = outcome.data, outcome.trained, outcome.decision
    evaluation = trained.evaluation.path(context.workspace)
    figures = json.loads((evaluation / "candidates.json").read_text(encoding="utf-8"))
    p95 = served.latency[outcome.registered.model].p95_ms
    latency = Metric(value=p95, low=None, high=None, baseline=None, best_member=None, split="none", unit="ms", better="lower")
    kept = {name: getattr(data, name) for name in ("modality", "version", "rows", "quarantined", "duplicates", "splits")}
    return RunResult(
        **common,
        dataset=Dataset(name=data.dataset, **kept),
        stages=stage_times(outcome.name),
        members=tuple(_members(outcome, figures)),
        ensemble=Ensemble(
            method=trained.ensemble.method, weights=trained.ensemble.weights, metrics=_values(figures, "ensemble")
        ),
        metrics={**gather.metrics(evaluation), "latency_p95_ms": latency},
        gates=tuple(Gate(**gate.model_dump(exclude={"reason"})) for gate in decision.gates),
        promotion=Promotion(decision=decision.decision, model=decision.model, version=decision.version, alias=decision.alias),
        samples=tuple(str(sample.path) for sample in samples),
    )


def stage_times(dataset: str) -> tuple[StageTime, ...]:
    """The stages of one data set and those that all share, in the order in which they ended."""
    from tasks.report.contents import StageTime

    timings = [timing for timing in Execution.current().timings if timing.dataset in (dataset, "")]
    return tuple(StageTime(name=t.name, seconds=round(t.seconds, 3), cached=t.cached) for t in timings)


def _members(outcome: Outcome, figures: Mapping[str, Any]) -> list[Member]:
    from tasks.report.contents import Member

    members, left_out = outcome.trained.members, outcome.trained.left_out
    there = [Member(name=m.name, family=m.family, params=m.params, metrics=_values(figures, m.name)) for m in members]
    silent = {"unanswered_share": 1.0}
    return there + [Member(name=name, family=one.family, params=0, metrics=silent) for name, one in left_out.items()]


def _values(figures: Mapping[str, Any], name: str) -> dict[str, float]:
    return {metric: value["value"] for metric, value in figures.get(name, {}).items()}


def lineage(outcome: Outcome, context: StageContext) -> tuple[Level, ...]:
    """From the source to the registered version, each with a link to its files or to its run in MLflow."""
    from tasks.report.contents import Level, Node

    data, trained, registered = outcome.data, outcome.trained, outcome.registered

    def model(reference: ModelRef) -> Node:
        link = run_link(reference.run_id, context) or f"../../{reference.outputs[0]}/bundle.json"
        return Node(title=reference.name, detail=f"{reference.params:,} parameters, run {reference.run_id}", link=link)

    card = f"../../{data.outputs[0]}/card.json"
    bundle = f"../../{trained.ensemble.outputs[0]}/bundle.json"
    version = Node(
        title=f"{registered.model}/{registered.version}",
        detail=f"MLflow run {registered.run_id}",
        link=run_link(registered.run_id, context),
    )
    levels = {
        "data": [
            Node(title=f"{data.dataset} {data.version}", detail=f"{data.rows:,} items, digest {data.sha256[:12]}", link=card)
        ],
        "pretrained": [model(trained.body)] if trained.body else [],
        "members": [model(member) for member in trained.members],
        "ensemble": [Node(title=trained.ensemble.method, detail=f"bundle {trained.ensemble.sha256[:12]}", link=bundle)],
        "registered": [version],
        "alias": [Node(title=outcome.decision.alias, detail=outcome.decision.decision.replace("_", " "))],
    }
    return tuple(Level(name=name, nodes=tuple(nodes)) for name, nodes in levels.items() if nodes)


def run_link(run_id: str, context: StageContext) -> str | None:
    """A run's page on MLflow's server; the embedded database has no page of its own (`aigc ui` opens one)."""
    if not context.workspace.tracking_uri.startswith("http"):
        return None
    address = without_secrets(context.workspace.tracking_uri)
    return f"{address}/#/experiments/{Execution.current().tracker.experiment_id}/runs/{run_id}"
