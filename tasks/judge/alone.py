"""One candidate of an evaluation as an ensemble of its own: what was measured of it is its evaluation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING

from tasks.judge.evaluate import MEASUREMENTS, EvaluationSettings, summary, write_measured
from tasks.judge.samples import show_samples, shuffled
from tasks.stage.references import CorpusRef, EnsembleRef, EvaluationRef
from tasks.stage.stage import StageContext, stage
from tasks.train.inputs import splits

if TYPE_CHECKING:
    from aigc_models.evidence import Measurement


@stage(process=True)
def evaluate_alone(
    data: CorpusRef,
    evaluation: EvaluationRef,
    alone: EnsembleRef,
    candidate: str,
    settings: EvaluationSettings,
    *,
    context: StageContext,
) -> EvaluationRef:
    """The evaluation of one candidate of another evaluation as an ensemble of its own; nothing is measured again.

    `candidate`: the name of a member, or `baseline`; `alone`: the bundle of it alone.
    """
    from aigc_models.evidence import Measurement
    from aigc_models.generator import Generator

    before, folder = evaluation.path(context.workspace), context.folder / "evaluation"
    folder.mkdir(exist_ok=True)
    read = json.loads((before / MEASUREMENTS).read_text())
    items = {name: figures["items"] for name, figures in json.loads((before / "metrics.json").read_text()).items()}
    measured = {name: {key: Measurement.model_validate(one) for key, one in values.items()} for name, values in read.items()}
    measured = {name: by_itself(values, candidate) for name, values in measured.items()}
    metrics = {name: summary(values) | {"items": items[name]} for name, values in measured.items()}
    write_measured(folder, metrics, measured)
    generator = Generator.load(alone.path(context.workspace), settings.device)
    corpora = splits(data, context)
    test = shuffled(corpora["test"], settings.seed)
    show_samples(generator, settings.shown, settings.seed, folder / "samples", test, corpora["train"])
    context.attach(folder / "metrics.json", folder / "samples")
    figures = {name: figures["value"] for name, figures in metrics.items()}
    context.log(**{f"test.{name}": value for name, value in figures.items()})
    return EvaluationRef.to(context.workspace, folder, metrics=figures, items=evaluation.items)


def by_itself(values: Mapping[str, Measurement], candidate: str) -> dict[str, Measurement]:
    """One metric with the candidate in the ensemble's place, beside the baseline and real items alone."""
    kept = {name: value for name, value in values.items() if name in ("baseline", "real")}
    return {**({"ensemble": values[candidate]} if candidate in values else {}), **kept}
