"""Evaluation on the untouched test split: the ensemble against each member and the baseline.

Where no champion is met, the validation split says beside that who is to be the first one (`choice.json`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models import heads
from aigc_models.errors import unknown
from aigc_models.find import find, names
from aigc_models.training.devices import AUTO, Device
from tasks.judge import choice
from tasks.judge.champion import ChampionRef, items_of, shared_counts
from tasks.judge.samples import generate_like, show_samples, shuffled
from tasks.stage.references import CorpusRef, EnsembleRef, EvaluationRef, ModelRef
from tasks.stage.stage import StageContext, stage
from tasks.train.inputs import shape_of, splits

if TYPE_CHECKING:
    import numpy as np

    from aigc_models.evidence import Evidence, Measurement
    from aigc_models.generator import Generator

FIGURES = {"value", "low", "high", "unit", "better"}  # of a measurement, without its differences
MEASUREMENTS = "measurements.json"  # of every candidate, with its differences to all others
CANDIDATES_APART = frozenset({"ensemble", "baseline", "real", "champion", "anchor"})


class EvaluationSettings(BaseModel):
    """What is measured, on how many items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    metrics: tuple[str, ...] = Field((), description="file names of aigc_models/metrics; empty = all that fit the modality")
    primary: str = Field(
        "",
        description="metric by which a first champion is chosen on the validation split; empty: bits_per_byte, crps or "
        "frechet_distance, as the modality has it",
    )
    samples: int = Field(512, ge=16, description="items that each candidate generates, at most as many as the test split has")
    pool: int = Field(
        1000, ge=16, description="items that each candidate of pictures or sounds generates for what one set leaves to chance"
    )
    full: bool = Field(
        False,
        description="measure on so many items after a training of any length; otherwise after less than a minute on as much "
        "fewer as it is shorter, 128 samples and a pool of 250 at least",
    )
    shown: int = Field(40, ge=1, description="samples of the ensemble that the report shows, at fixed seeds")
    seed: int = Field(20_000, description="seed of the samples and of the bootstrap; training uses others")
    device: Device = Field("auto", description=f"where the candidates are asked; {AUTO}")

    @field_validator("metrics", "primary")
    @classmethod
    def _check_metrics(cls, metrics: tuple[str, ...] | str) -> tuple[str, ...] | str:
        for name in (metrics,) if isinstance(metrics, str) and metrics else metrics:
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
    champion: ChampionRef | None = None,
    anchor: ChampionRef | None = None,
    left_out: tuple[str, ...] = (),
    *,
    context: StageContext,
) -> EvaluationRef:
    """Measure every candidate on the same test items; writes `metrics.json`, `candidates.json` and `samples/`.

    A `champion` is measured beside them, and once more together with the ensemble on those items that its own data
    held (`metrics_known.json`): new items that are spoiled may please a spoiled model, the old ones do not. `anchor`: a
    champion of long ago, measured beside them where the champion is. `left_out`: members that did not answer when the
    ensemble was made. What lies elsewhere is asked about an item once.
    """
    from aigc_models.outside.client import remembered

    with remembered():
        return _evaluated(data, ensemble, members, baseline, settings, champion, anchor, left_out, context)


def _evaluated(
    data: CorpusRef,
    ensemble: EnsembleRef,
    members: list[ModelRef],
    baseline: ModelRef,
    settings: EvaluationSettings,
    champion: ChampionRef | None,
    anchor: ChampionRef | None,
    left_out: Sequence[str],
    context: StageContext,
) -> EvaluationRef:
    misfit = champion.misfit(data) if champion else ""
    measurable = None if misfit else champion
    old = anchor if measurable and anchor and not anchor.misfit(data) else None
    candidates = _candidates(ensemble, members, baseline, {"champion": measurable, "anchor": old}, settings.device, context)
    evidence, order = _evidence(data, candidates, settings, context)
    evidence = replace(evidence, left_out=tuple(left_out))
    folder = context.folder / "evaluation"
    folder.mkdir(exist_ok=True)
    measured = _measured(evidence, _chosen(data, settings))
    metrics = {name: summary(values) | {"items": len(evidence.test)} for name, values in measured.items()}
    write_measured(folder, metrics, measured)
    show_samples(candidates["ensemble"], settings.shown, settings.seed, folder / "samples", evidence.test, evidence.train)
    context.log(**{f"test.{name}": figures["value"] for name, figures in metrics.items()})
    context.attach(folder / "metrics.json", folder / "samples")
    ids = _ids(data, context)
    if champion is None:
        _choose(data, evidence, members, settings, folder, context)
    else:
        counts = shared_counts(champion.known, ids) if not misfit and not _divided_inside(data) else None
        met = {"version": champion.version, "misfit": misfit, "items": len(evidence.test), "known": counts and counts["test"]}
        met["anchor"] = old.version if old else 0
        _write(folder / "champion.json", met)
        if counts and 0 < counts["test"] < len(evidence.test):
            paired = [name for name, figures in metrics.items() if "champion" in figures["versus"]]
            again = _measured(_shared_evidence(evidence, order, counts), paired)
            _write(folder / "metrics_known.json", {name: summary(values) for name, values in again.items()})
    figures = {name: figures["value"] for name, figures in metrics.items()}
    return EvaluationRef.to(context.workspace, folder, metrics=figures, items=items_of(ids))


def _choose(
    data: CorpusRef,
    evidence: Evidence,
    members: Sequence[ModelRef],
    settings: EvaluationSettings,
    folder: Path,
    context: StageContext,
) -> None:
    """Write who is to be the first champion, where there is something to choose by."""
    if not (name := settings.primary or choice.primary(data.modality, data.task)):
        return
    from aigc_models.delegation import outside

    twins = {member.name for member in members if evidence.models[member.name] is evidence.models["baseline"]}
    by_size = sorted((member for member in members if member.name not in twins), key=lambda member: member.params)
    simplest_first = ["baseline", *(member.name for member in by_size), "ensemble"]
    simplest_first.sort(key=lambda one: bool(outside(evidence.models[one])))  # what lies elsewhere takes another machine too
    validation = choice.on_validation(evidence, evidence.validation, _spans(data, "validation", context))
    if chosen := choice.choose(validation, name, simplest_first):
        (folder / choice.FILE).write_text(chosen.model_dump_json(indent=1) + "\n")  # the simplest candidate first


def _chosen(data: CorpusRef, settings: EvaluationSettings) -> tuple[str, ...]:
    metrics = {name: find("aigc_models.metrics", name) for name in names("aigc_models.metrics")}
    fitting = (name for name, one in metrics.items() if data.modality in one.MODALITIES and data.task in heads.of(one))
    return settings.metrics or tuple(fitting)


def _measured(evidence: Evidence, metrics: Sequence[str]) -> dict[str, Mapping[str, Measurement]]:
    """Those of the metrics that apply, by candidate."""
    measurements: dict[str, Mapping[str, Measurement]] = {}
    for position, name in enumerate(metrics):
        evidence.progress(len(evidence.models) + position, len(evidence.models) + len(metrics))
        metric = find("aigc_models.metrics", name)
        if getattr(metric, "applies", lambda evidence: True)(evidence):
            measurements[name] = metric.measure(evidence)
    return measurements


def _candidates(
    ensemble: EnsembleRef,
    members: Sequence[ModelRef],
    baseline: ModelRef,
    standing: Mapping[str, ChampionRef | None],
    device: Device,
    context: StageContext,
) -> dict[str, Generator]:
    from aigc_models.generator import Generator

    paths = {"ensemble": ensemble, "baseline": baseline, **{member.name: member for member in members}}
    paths |= {name: version for name, version in standing.items() if version}
    folders = {name: reference.path(context.workspace) for name, reference in paths.items()}
    distinct = dict.fromkeys(folders.values())  # a member may be the baseline too
    loaded = {folder: Generator.load(folder, device) for folder in distinct}
    return {name: loaded[folder] for name, folder in folders.items()}


def _evidence(
    data: CorpusRef, candidates: Mapping[str, Generator], settings: EvaluationSettings, context: StageContext
) -> tuple[Evidence, np.ndarray]:
    """What the metrics are given, and which item of the split each test item is."""
    import numpy as np

    from aigc_models.corpus import Corpus
    from aigc_models.evidence import Evidence, original

    corpora = splits(data, context)
    places = Corpus(data.modality, np.arange(len(corpora["test"])), corpora["test"].conditions)
    corpora["test"] = shuffled(corpora["test"], settings.seed)
    models = {name: generator.model for name, generator in candidates.items()}
    made: dict[str, Corpus] = {}
    origins = {name: original(name, models) for name in models}
    for position, name in enumerate(dict.fromkeys(origins.values())):
        context.progress(position, len(candidates) * 2)
        if data.task == heads.GENERATE:
            made[name] = generate_like(corpora["test"], candidates[name], settings.samples, settings.seed)
    samples = {name: made[origin] for name, origin in origins.items() if origin in made}
    evidence = Evidence(
        train=corpora["train"],
        validation=corpora["validation"],
        test=corpora["test"],
        shape=shape_of(data),
        models=models,
        samples=samples,
        spans=_spans(data, "test", context),
        seed=settings.seed,
        pool=settings.pool,
        folder=context.folder,
        progress=context.progress,
    )
    return evidence, np.asarray(shuffled(places, settings.seed).values)


def _shared_evidence(evidence: Evidence, order: np.ndarray, counts: Mapping[str, int]) -> Evidence:
    """The same for the ensemble and the champion alone, on the first `counts` items of each split."""
    import numpy as np

    rows = np.flatnonzero(order < counts["test"])  # sample i still belongs to test item i
    pair = ("ensemble", "champion")
    samples = {name: drawn for name in pair if (drawn := evidence.samples.get(name)) is not None}
    return replace(
        evidence,
        train=evidence.train.take(np.arange(counts["train"])),
        validation=evidence.validation.take(np.arange(counts["validation"])),
        test=evidence.test.take(rows),
        models={name: evidence.models[name] for name in pair},
        samples={name: drawn.take(rows[rows < len(drawn)]) for name, drawn in samples.items()},
    )


def _ids(data: CorpusRef, context: StageContext) -> dict[str, list[str]]:
    """The items of each split, in order."""
    import numpy as np

    folders = [context.workspace.path(output) for output in data.outputs]
    return {folder.name: np.load(folder / "ids.npy").tolist() for folder in folders if (folder / "ids.npy").exists()}


def _spans(data: CorpusRef, split: str, context: StageContext) -> np.ndarray | None:
    """When the horizon of each window of a split begins and ends; None where items are not divided by time."""
    import numpy as np

    paths = [context.workspace.path(output) / "spans.npy" for output in data.outputs if Path(output).name == split]
    return next((np.load(path) for path in paths if path.exists()), None)


def _divided_inside(data: CorpusRef) -> bool:
    """Whether the splits' borders lie inside items, and move as these grow."""
    from aigc_models.modality import divided_inside

    return divided_inside(find("aigc_models.modalities", data.modality))


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
        **first.model_dump(mode="json", include={"low", "high"}),
        "baseline": baseline.value if baseline else None,
        "best_member": members[best].value if best else None,
        "split": "test",
        "unit": first.unit,
        "better": first.better,
        "best_member_name": best,
        "versus": {name: difference.model_dump(mode="json") for name, difference in first.versus.items()},
        **{name: values[name].value for name in ("champion", "anchor") if name in values},
    }


def by_candidate(measured: Mapping[str, Mapping[str, Measurement]]) -> dict[str, dict[str, Any]]:
    """`{candidate: {metric: {value, low, high}}}`."""
    candidates: dict[str, dict[str, Any]] = {}
    for metric, values in measured.items():
        for candidate, value in values.items():
            candidates.setdefault(candidate, {})[metric] = value.model_dump(mode="json", include=FIGURES)
    return candidates


def write_measured(
    folder: Path, metrics: Mapping[str, Mapping[str, Any]], measured: Mapping[str, Mapping[str, Measurement]]
) -> None:
    _write(folder / "metrics.json", metrics)
    _write(folder / "candidates.json", by_candidate(measured))
    every = {name: {key: one.model_dump(mode="json") for key, one in values.items()} for name, values in measured.items()}
    _write(folder / MEASUREMENTS, every)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1, sort_keys=True) + "\n")
