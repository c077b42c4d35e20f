"""Evaluation on the untouched test split: the ensemble against each member and the baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import unknown
from aigc_models.find import find, names
from tasks.finetune import shape_of, splits
from tasks.references import CorpusRef, EnsembleRef, EvaluationRef, ModelRef
from tasks.samples import generate_like, show_samples, shuffled
from tasks.stage import StageContext, stage

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus
    from aigc_models.evidence import Evidence, Measurement
    from aigc_models.generator import Generator

CANDIDATES_APART = frozenset({"ensemble", "baseline", "real"})


class EvaluationSettings(BaseModel):
    """What is measured, on how many items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: tuple[str, ...] = Field((), description="file names of aigc_models/metrics; empty = all that fit the modality")
    samples: int = Field(512, ge=16, description="items that each candidate generates, at most as many as the test split has")
    shown: int = Field(40, ge=1, description="samples of the ensemble that the report shows, at fixed seeds")
    seed: int = Field(20_000, description="seed of the samples and of the bootstrap; training uses others")

    @field_validator("metrics")
    @classmethod
    def _known_metrics(cls, metrics: tuple[str, ...]) -> tuple[str, ...]:
        for name in metrics:
            if name not in names("aigc_models.metrics"):
                raise unknown("metric", name, names("aigc_models.metrics"))
        return metrics


@stage(process=True)
def evaluate(
    data: CorpusRef,
    ensemble: EnsembleRef,
    members: list[ModelRef],
    baseline: ModelRef,
    settings: EvaluationSettings,
    context: StageContext,
) -> EvaluationRef:
    """Measure every candidate on the same test items; writes `metrics.json`, `candidates.json` and `samples/`."""
    candidates = _candidates(ensemble, members, baseline, context)
    evidence = _evidence(data, candidates, settings, context)
    chosen = settings.metrics or tuple(
        name for name in names("aigc_models.metrics") if data.modality in find("aigc_models.metrics", name).MODALITIES
    )
    folder = context.folder / "evaluation"
    folder.mkdir(exist_ok=True)
    measured: dict[str, Mapping[str, Measurement]] = {}
    for position, name in enumerate(chosen):
        context.progress(len(candidates) + position, len(candidates) + len(chosen))
        metric = find("aigc_models.metrics", name)
        if getattr(metric, "applies", lambda evidence: True)(evidence):
            measured[name] = metric.measure(evidence)
    metrics = {name: summary(values) for name, values in measured.items()}
    _write(folder / "metrics.json", metrics)
    _write(folder / "candidates.json", by_candidate(measured))
    show_samples(candidates["ensemble"], settings, folder / "samples")
    context.log(**{f"test.{name}": figures["value"] for name, figures in metrics.items()})
    context.attach(folder / "metrics.json", folder / "samples")
    return EvaluationRef.to(context.workspace, folder, metrics={name: figures["value"] for name, figures in metrics.items()})


def _candidates(
    ensemble: EnsembleRef, members: Sequence[ModelRef], baseline: ModelRef, context: StageContext
) -> dict[str, Generator]:
    from aigc_models.generator import Generator

    paths = {"ensemble": ensemble, "baseline": baseline, **{member.name: member for member in members}}
    return {name: Generator.load(reference.path(context.workspace)) for name, reference in paths.items()}


def _evidence(
    data: CorpusRef, candidates: Mapping[str, Generator], settings: EvaluationSettings, context: StageContext
) -> Evidence:
    from aigc_models.evidence import Evidence

    corpora = splits(data, context)
    corpora["test"] = shuffled(corpora["test"], settings.seed)
    samples: dict[str, Corpus] = {}
    for position, (name, generator) in enumerate(candidates.items()):
        context.progress(position, len(candidates) * 2)
        samples[name] = generate_like(corpora["test"], generator, settings)
    models = {name: generator.model for name, generator in candidates.items()}
    return Evidence(
        train=corpora["train"],
        validation=corpora["validation"],
        test=corpora["test"],
        shape=shape_of(data),
        models=models,
        samples=samples,
        seed=settings.seed,
        folder=context.folder,
        progress=context.progress,
    )


def summary(values: Mapping[str, Measurement]) -> dict[str, Any]:
    """One metric as report.json has it: the ensemble's figure, the baseline's and the best member's beside it."""
    first = values.get("ensemble") or values.get("real") or next(iter(values.values()))
    members = {name: value for name, value in values.items() if name not in CANDIDATES_APART}
    best = None
    if members:
        best = (min if first.better == "lower" else max)(members, key=lambda name: members[name].value)
    baseline = values.get("baseline")
    return {
        "value": first.value,
        "low": first.low,
        "high": first.high,
        "baseline": baseline.value if baseline else None,
        "best_member": members[best].value if best else None,
        "split": "test",
        "unit": first.unit,
        "better": first.better,
        "best_member_name": best,
        "versus": {name: difference.model_dump() for name, difference in first.versus.items()},
    }


def by_candidate(measured: Mapping[str, Mapping[str, Measurement]]) -> dict[str, dict[str, Any]]:
    """`{candidate: {metric: {value, low, high}}}`."""
    found: dict[str, dict[str, Any]] = {}
    for metric, values in measured.items():
        for candidate, value in values.items():
            found.setdefault(candidate, {})[metric] = value.model_dump(include={"value", "low", "high", "unit", "better"})
    return found


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")
