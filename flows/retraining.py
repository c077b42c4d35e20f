"""A registered model trained again: where something changed, and not otherwise.

The terminal (`aigc retrain NAME`), Prefect's page and a schedule run this flow. A schedule only asks whether a
retraining is due, so that a run that was missed, or comes twice, costs a second and changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from prefect.context import FlowRunContext
from prefect.logging import get_run_logger

from flows.champions import contested, in_its_format
from flows.config import PipelineConfig
from flows.data import prepare
from flows.due import Question, RetrainConfig, Retrained, asked, not_due, under_way
from flows.entry import entry
from flows.flow import flow, of_dataset, tracked
from flows.promotion import promote
from flows.recipes import registered_name
from flows.training import train
from tasks.drift.drift import Drift, DriftSettings
from tasks.drift.measure_drift import measure_drift, remember
from tasks.judge.champion import ChampionRef, find_champion, paired
from tasks.registry.due import Due, note
from tasks.registry.promote import Decision
from tasks.stage.execution import Execution
from tasks.stage.lease import leased
from tasks.stage.references import VersionRef
from tasks.train.members import MemberSettings

WARM = frozenset({"text"})  # modalities whose members go on from the champion's weights unless it is said: docs/retraining.md


@dataclass(frozen=True)
class Contest:
    """A challenger and what was decided about it; no decision where the data had not moved enough to make one."""

    data: VersionRef
    champion: ChampionRef | None
    decision: Decision | None
    figures: dict[str, dict[str, float | None]]
    drift: Drift | None = None


@flow
@entry
def retrain(config: RetrainConfig) -> Retrained:
    """What `aigc retrain` does: is it due? If so train, measure beside the champion, promote or refuse, and say why."""
    workspace = Execution.current().workspace
    with leased(workspace, config.name) as free:
        if not free:
            return logged(under_way(config.name))
        question = asked(workspace, config)
        if not question.verdict.due:
            return logged(not_due(question.verdict))
        return logged(decided(question, contest(question.recipe, config.start, question.drift)))


@flow
@of_dataset
@tracked
def contest(config: PipelineConfig, start: str, drift: float | None = None) -> Contest:
    """Prepare, train, and measure a challenger beside the champion; the gates decide.

    Nothing is trained where `drift` is given and the data moved less than that since the champion's.
    """
    champion = find_champion(registered_name(config))
    data = prepare(config.data)
    wanted = None if drift is None else DriftSettings(threshold=drift, model=registered_name(config))
    moved = measure_drift(data, champion, wanted) if wanted else None
    if stays(moved):
        return Contest(data, champion, None, {}, moved)
    config = against(config, champion, start, data)
    trained = train(data, config.training, config.judging(), champion)
    decision = promote(trained, config, champion).decision
    return Contest(data, champion, decision, paired(trained.evaluation.path(Execution.current().workspace)), moved)


def against(config: PipelineConfig, champion: ChampionRef | None, start: str, data: VersionRef) -> PipelineConfig:
    """The configuration for a contest: the champion's format, a gate that compares with it, and its weights if wanted."""
    if champion is None:
        return config
    config = in_its_format(config, champion, data)
    warm = champion.modality in WARM if start == "auto" else start == "warm"
    members = tuple(started(member, champion) if warm else member for member in config.training.members)
    training = config.training.model_copy(update={"members": members})
    return contested(config.model_copy(update={"training": training}), champion)


def started(member: MemberSettings, champion: ChampionRef) -> MemberSettings:
    """The member, to go on from the champion's of the same name and family if there is one."""
    before = champion.member(member.name)
    fits = before is not None and before.family == member.family
    return member.model_copy(update={"start": "champion"}) if fits else member


def decided(question: Question, made: Contest) -> Retrained:
    """Put it on record. The reason begins with why it was due."""
    verdict = question.verdict
    if made.decision is None:
        return undisturbed(question, made)
    line = note(Execution.current().workspace, verdict.name, question.seen, made.decision, made.data.rows)
    items, moved = grown(verdict, made.data), f", {made.drift.summary}" if made.drift else ""
    return Retrained(
        decision=line.decision,
        reason=f"due: {verdict.reason}{items}{moved}. {line.decision.replace('_', ' ').capitalize()}: {made.decision.reason}",
        name=verdict.name,
        digest=verdict.digest,
        version=line.version,
        champion=made.champion.version if made.champion else None,
        rows=made.data.rows,
        drift=made.drift.score if made.drift else None,
        figures=made.figures,
    )


def undisturbed(question: Question, made: Contest) -> Retrained:
    """Not due, since the data moved less than was asked for; remembered for the next time."""
    assert made.drift
    reason = f"{question.verdict.reason}{grown(question.verdict, made.data)}, but {made.drift.summary}"
    remember(Execution.current().workspace, question.verdict.name, question.seen, made.drift, reason)
    answer = not_due(question.verdict.model_copy(update={"reason": reason}))
    return answer.model_copy(update={"drift": made.drift.score, "rows": made.data.rows})


def grown(verdict: Due, data: VersionRef) -> str:
    """How many items more or fewer there are than at the last decision, in words."""
    more = data.rows - verdict.last.rows if verdict.last and verdict.last.rows else 0
    return f" ({abs(more)} items {'more' if more > 0 else 'fewer'})" if more else ""


def stays(moved: Drift | None) -> bool:
    """Whether the data were measured and moved too little; too few items to tell are no reason to stay."""
    return moved is not None and moved.score is not None and not moved.drifted


def logged(outcome: Retrained) -> Retrained:
    """Say it in the run's log, for Prefect's page; a command prints it itself."""
    if FlowRunContext.get():
        get_run_logger().info("%s: %s: %s", outcome.name, outcome.decision.replace("_", " "), outcome.reason)
    return outcome
