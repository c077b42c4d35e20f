"""From a version of a data set to an evaluated ensemble."""

from __future__ import annotations

from flows.champions import beside, long_ago
from flows.config import TrainingConfig
from flows.flow import flow
from tasks.judge.champion import ChampionRef
from tasks.judge.evaluate import EvaluationSettings, evaluate
from tasks.stage.execution import Execution
from tasks.stage.references import ModelRef, TrainedRef, VersionRef
from tasks.train.baseline import strongest
from tasks.train.encode import encode
from tasks.train.ensemble import build_ensemble
from tasks.train.finetune import finetune
from tasks.train.members import MemberSettings
from tasks.train.pretrain import pretrain


@flow
def train(
    data: VersionRef,
    config: TrainingConfig,
    evaluation: EvaluationSettings,
    champion: ChampionRef | None = None,
    model: str = "",
) -> TrainedRef:
    """Pretrain a body, train the members side by side, combine them, and measure them all beside a champion.

    `champion`: whose members may be gone on from; if left out, that of the registered name `model` is only measured.
    """
    corpus = encode(data, config.encode)
    settings = config.body()
    body = pretrain(corpus, settings) if settings else None
    planned = config.planned(Execution.current().cores)
    running = [finetune.submit(corpus, parent(member, body, champion), member) for member in planned]
    plain = [finetune(corpus, None, method) for method in config.plain()]
    baseline = strongest(plain) if len(plain) > 1 else plain[0]
    members = [member.result() for member in running] + (plain if config.baseline_joins else [])
    ensemble = build_ensemble(corpus, members, config.ensemble)
    opponent = champion or beside(ensemble, model)
    measured = evaluate(corpus, ensemble, members, baseline, evaluation, opponent, long_ago(opponent))
    return TrainedRef(corpus=corpus, body=body, members=members, baseline=baseline, ensemble=ensemble, evaluation=measured)


def parent(member: MemberSettings, body: ModelRef | None, champion: ChampionRef | None) -> ModelRef | None:
    """Whose weights a member starts from; none where it starts at random."""
    if member.start == "champion":
        return champion.member(member.name) if champion else None
    return body if member.start == "body" else None
