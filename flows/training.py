"""From a version of a data set to an evaluated ensemble."""

from __future__ import annotations

from flows.config import TrainingConfig
from flows.flow import flow
from tasks.encode import encode
from tasks.ensemble import build_ensemble
from tasks.evaluate import EvaluationSettings, evaluate
from tasks.execution import Execution
from tasks.finetune import finetune
from tasks.pretrain import pretrain
from tasks.references import TrainedRef, VersionRef


@flow
def train(data: VersionRef, config: TrainingConfig, evaluation: EvaluationSettings) -> TrainedRef:
    """Pretrain a body, train the members side by side, combine them, and measure them all."""
    corpus = encode(data, config.encode)
    settings = config.body()
    body = pretrain(corpus, settings) if settings else None
    planned = config.planned(Execution.current().cores)
    running = [finetune.submit(corpus, body if member.start == "body" else None, member) for member in planned]
    baseline = finetune(corpus, None, config.plain())
    members = [member.result() for member in running] + ([baseline] if config.baseline_joins else [])
    ensemble = build_ensemble(corpus, members, config.ensemble)
    measured = evaluate(corpus, ensemble, members, baseline, evaluation)
    return TrainedRef(corpus=corpus, body=body, members=members, baseline=baseline, ensemble=ensemble, evaluation=measured)
