"""From a version of a data set to an evaluated ensemble."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from aigc_models.errors import BadInput
from flows.champions import beside, long_ago
from flows.config import DataConfig, PipelineConfig, RunConfig, TrainingConfig
from flows.costs import foretell
from flows.data import prepare
from flows.flow import flow
from flows.outside import answering, combined, joining, with_versions
from tasks.dataset.datasets import remembered
from tasks.judge.champion import ChampionRef, made_of
from tasks.judge.evaluate import EvaluationSettings, evaluate
from tasks.registry.recipe import plain
from tasks.registry.version_recipe import VersionRecipe
from tasks.stage.execution import Execution, Planned
from tasks.stage.references import CorpusRef, EnsembleRef, LeftOut, ModelRef, TrainedRef, VersionRef
from tasks.train import speed
from tasks.train.baseline import strongest
from tasks.train.checkpoint import CheckpointSettings, card_of, import_checkpoint
from tasks.train.encode import EncodeSettings, encode
from tasks.train.finetune import finetune
from tasks.train.members import MemberSettings, based_on
from tasks.train.pretrain import pretrain
from tasks.train.speed import measure_speed


@dataclass(frozen=True)
class Learned:
    """What learnt of a version of a data set."""

    corpus: CorpusRef
    body: ModelRef | None
    members: list[ModelRef]
    baseline: ModelRef
    ensemble: EnsembleRef
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)  # who did not answer, by name


@flow
def train(
    data: VersionRef,
    config: TrainingConfig,
    evaluation: EvaluationSettings,
    champion: ChampionRef | None = None,
    model: str = "",
    whole: RunConfig | None = None,
) -> TrainedRef:
    """Pretrain a body, train the members side by side, combine them, and measure them all beside a champion.

    `whole`: the run that this is a part of, whose time is said once the speeds are measured.

    `champion`: whose members may be gone on from; if left out, that of the registered name `model` is only measured.
    """
    made = learn(data, config, champion, whole)
    opponent = champion or beside(made.ensemble, model)
    if opponent is not None and made_of(Execution.current().workspace, opponent, [made.baseline, *made.members]):
        opponent = None  # a candidate of this very training, which is measured anyway
    missing = tuple(sorted(made.left_out.keys() & {member.name for member in joining(config)}))
    measured = evaluate(
        made.corpus, made.ensemble, made.members, made.baseline, evaluation, opponent, long_ago(opponent), left_out=missing
    )
    return TrainedRef(made.corpus, made.body, made.members, made.baseline, made.ensemble, measured, made.left_out)


def learn(
    data: VersionRef, config: TrainingConfig, champion: ChampionRef | None = None, whole: RunConfig | None = None
) -> Learned:
    """Everything that learns, up to the ensemble; nothing is measured on the test split."""
    corpus, left_out = encode(data, config.encode), dict[str, LeftOut]()
    published, config = published_body(with_versions(config))
    body_settings, planned = in_steps(corpus, config, published)
    if whole is not None and not learnt_before(corpus, planned):
        foretell(data, corpus, whole)
    body = pretrain(unlabelled(corpus, config), body_settings, published, held=corpus) if body_settings else published
    running = [(member, finetune.submit(corpus, parent(member, body, champion), member).result) for member in planned]
    methods = answering([(method, partial(finetune, corpus, None, method)) for method in config.plain()], left_out)
    members = answering(running, left_out)
    for kind, there in (("baseline", methods), ("members", members or methods * config.baseline_joins)):
        if not there:
            why = "; ".join(f"{name}: {one.reason}" for name, one in left_out.items())
            raise BadInput(f"{kind}: nobody answers ({why}): see to it and run again, or name another")
    baseline = strongest(methods) if len(methods) > 1 else methods[0]
    members, ensemble = combined(corpus, members + (methods if config.baseline_joins else []), config, left_out)
    return Learned(corpus, body, members, baseline, ensemble, left_out)


def published_body(config: TrainingConfig) -> tuple[ModelRef | None, TrainingConfig]:
    """The checkpoint that the pretraining begins with, if any, and the configuration whose members are of its architecture."""
    if config.pretraining is None or not config.pretraining.checkpoint:
        return None, config
    settings = CheckpointSettings(name=config.pretraining.name, checkpoint=config.pretraining.checkpoint)
    body: ModelRef = import_checkpoint(settings)
    if isinstance(body, Planned):
        return body, config
    card = card_of(Execution.current().workspace, body)
    members = tuple(based_on(member, card) for member in config.members)
    pretraining = based_on(config.pretraining.model_copy(update={"start": "body"}), card)
    return body, config.model_copy(update={"members": members, "pretraining": pretraining})


def unlabelled(corpus: CorpusRef, config: TrainingConfig) -> CorpusRef:
    """What the body learns from: the run's own items, or those of the data set that the pretraining names, as the format of
    the run has it."""
    name = config.pretraining.data if config.pretraining else ""
    if not name or isinstance(corpus, Planned):
        return corpus
    version = prepare(DataConfig.model_validate(remembered(Execution.current().workspace, name)))
    if isinstance(version, Planned):
        return corpus
    if version.modality != corpus.modality:
        raise BadInput(f"pretraining.data: {name} holds {version.modality}, and the members learn {corpus.modality}")
    return encode(version, EncodeSettings(format=dict(corpus.format)))


def version_recipe(
    config: PipelineConfig, trained: TrainedRef, champion: ChampionRef | None, alone: str = ""
) -> VersionRecipe | None:
    """How a version was made: the run's configuration with the version of the data and each member's steps.

    `alone`: the name of the one model that it is made of, where it is not the ensemble.
    """
    if isinstance(trained.corpus, Planned):
        return None
    execution, training = Execution.current(), published_body(with_versions(config.training))[1]
    body, planned = as_measured(trained.corpus, training)
    by_name = {member.name: member for member in planned}
    members = tuple(by_name[member.name] for member in training.members if member.name not in trained.left_out)
    methods = tuple(method for method in training.plain() if method.name not in trained.left_out)
    kept = {"baseline": methods} if 0 < len(methods) < len(training.plain()) else {}
    settled = training.model_copy(
        update={
            **kept,
            "members": members or training.members,
            "pretraining": body or training.pretraining,
            "ensemble": training.combining(),
        }
    )
    data = config.data.model_copy(update={"version": trained.corpus.version})
    warm = champion is not None and any(member.start == "champion" for member in members)
    made = plain(config.model_copy(update={"training": settled, "data": data}))
    return VersionRecipe(
        config={name: made[name] for name in ("data", "training")},  # how it was judged made nothing of it
        cores=execution.cores,
        champion=champion.version if champion is not None and warm else None,
        alone=alone,
    )


def in_steps(
    corpus: CorpusRef, config: TrainingConfig, published: ModelRef | None = None
) -> tuple[MemberSettings | None, list[MemberSettings]]:
    """The body's settings and the members', longest first, with steps where they had seconds.

    What was never timed on this machine is timed now, side by side as they will be trained; `aigc plan` leaves it as it is.
    """
    execution = Execution.current()
    body, members = config.body(), config.planned(execution.cores)
    if isinstance(corpus, Planned):
        return body, members
    timed = [member for member in [*([body] if body else []), *members] if member.steps is None and member.seconds]
    unmeasured = [member for member in timed if speed.kept(execution.workspace, corpus, member) is None]
    for measuring in [measure_speed.submit(corpus, member, published) for member in unmeasured]:
        measuring.result()
    return as_measured(corpus, config)


def learnt_before(corpus: CorpusRef, planned: list[MemberSettings]) -> bool:
    """Whether every member is there already, as far as it can be seen before the body is."""
    random = all(member.start == "random" for member in planned)
    return not isinstance(corpus, Planned) and random and all(finetune.is_cached(corpus, None, member) for member in planned)


def as_measured(corpus: CorpusRef, config: TrainingConfig) -> tuple[MemberSettings | None, list[MemberSettings]]:
    """The same, from the speeds that are kept; who has none there keeps the seconds."""
    execution = Execution.current()

    def planned(member: MemberSettings) -> MemberSettings:
        if member.steps is not None or member.seconds is None:
            return member
        measured = speed.kept(execution.workspace, corpus, member)
        return speed.in_steps(member, measured) if measured else member

    body = config.body()
    return planned(body) if body else None, [planned(member) for member in config.planned(execution.cores)]


def parent(member: MemberSettings, body: ModelRef | None, champion: ChampionRef | None) -> ModelRef | None:
    """Whose weights a member starts from; none where it starts at random."""
    if member.start == "champion":
        return champion.member(member.name) if champion else None
    return body if member.start == "body" else None
