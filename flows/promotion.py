"""From an evaluated ensemble to a registered version, and to champion if it passes the gates."""

from __future__ import annotations

from dataclasses import dataclass, replace

from flows.champions import standing
from flows.config import PipelineConfig
from flows.entry import entry
from flows.flow import flow, tracked
from flows.training import version_recipe
from tasks.judge.alone import evaluate_alone
from tasks.judge.champion import ChampionRef, made_of
from tasks.judge.choice import read_choice
from tasks.registry.move_champion import Moved, MoveSettings, move_champion
from tasks.registry.promote import Decision, PromotionSettings
from tasks.registry.promote import promote as promote_stage
from tasks.registry.register import register
from tasks.stage.execution import Execution
from tasks.stage.references import EnsembleRef, EvaluationRef, ModelRef, RegisteredRef, TrainedRef
from tasks.train.ensemble import build_ensemble


@dataclass(frozen=True)
class Promoted:
    """Which version a run ends with, what was decided, the bundle that it is of, and what was measured of that."""

    registered: RegisteredRef
    decision: Decision
    ensemble: EnsembleRef
    evaluation: EvaluationRef


@flow
def promote(trained: TrainedRef, config: PipelineConfig, champion: ChampionRef | None = None) -> Promoted:
    """Register as `challenger`, judge, and move `champion`; members may begin with the weights of `champion`.

    Where the name has no champion, what becomes it is what the validation split chose, if it passes the gates that guard.
    """
    execution = Execution.current()
    stands = None if execution.planning else standing(config)
    registered = registering(trained, config, champion)
    if execution.planning or (stands is not None and not made_of(execution.workspace, stands, candidates(trained))):
        return Promoted(
            registered, promote_stage(registered, trained.evaluation, config.promotion), trained.ensemble, trained.evaluation
        )
    return first_champion(registered, trained, config, champion)


def candidates(trained: TrainedRef) -> list[ModelRef]:
    """Whoever may serve alone: the strongest plain method, and the members."""
    return [trained.baseline, *(member for member in trained.members if member.sha256 != trained.baseline.sha256)]


def first_champion(
    registered: RegisteredRef, trained: TrainedRef, config: PipelineConfig, champion: ChampionRef | None
) -> Promoted:
    """What validation chose; where that is unsafe, the strongest plain method; every run leaves a model that serves."""
    choice = read_choice(trained.evaluation.path(Execution.current().workspace))
    guards = tuple(gate for gate in config.promotion.gates if gate.guard)
    settings = config.promotion.model_copy(update={"gates": guards})
    chosen, why = (choice.chosen, choice.reason) if choice else ("ensemble", "")
    single = len(trained.ensemble.weights) == 1
    if chosen == "ensemble" or single:
        decision = promote_stage(registered, trained.evaluation, settings, serving("the ensemble", settings, why))
        promoted = Promoted(registered, decision, trained.ensemble, trained.evaluation)
    else:
        promoted = alone(chosen, trained, config, settings, champion, why)
    refused = promoted.decision
    if refused.decision != "refused" or chosen == "baseline" or single:
        return promoted
    why = f"version {refused.version} was chosen on validation and refused, {refused.reason}"
    plain = alone("baseline", trained, config, settings, champion, why)
    if plain.decision.decision != "refused":
        return plain
    reason = f"{refused.reason}; the plain method does not serve either: {plain.decision.reason}"
    return replace(promoted, decision=refused.model_copy(update={"reason": reason}))


def alone(
    name: str, trained: TrainedRef, config: PipelineConfig, settings: PromotionSettings, champion: ChampionRef | None, why: str
) -> Promoted:
    """A candidate as a version of its own, judged by what was measured of it beside the others; `why` it is to serve."""
    model = next(one for one in candidates(trained) if name in (one.name, "baseline"))
    bundle = build_ensemble(trained.corpus, [model], config.training.combining())
    measured = evaluate_alone(trained.corpus, trained.evaluation, bundle, name, config.judging())
    registered = register(bundle, measured, config.registration, recipe=version_recipe(config, trained, champion, model.name))
    kind = "the plain method" if model.sha256 == trained.baseline.sha256 else "the member"
    because = serving(f"{kind} {model.name.replace('_', ' ')}", settings, why)
    return Promoted(registered, promote_stage(registered, measured, settings, because), bundle, measured)


def serving(who: str, settings: PromotionSettings, why: str) -> str:
    """Who serves and why, in words."""
    serves = "serves" if settings.approval == "automatic" else "may serve"
    return f"{who} {serves}{f': {why}' if why else ''}"


def registering(trained: TrainedRef, config: PipelineConfig, champion: ChampionRef | None = None) -> RegisteredRef:
    """The ensemble as a version of its name, with how to make it again."""
    recipe = version_recipe(config, trained, champion)
    registered: RegisteredRef = register(trained.ensemble, trained.evaluation, config.registration, recipe=recipe)
    return registered


@flow
@entry
@tracked
def promotion(settings: MoveSettings) -> Moved:
    """What `aigc models promote` and `rollback` do, by hand or by gates: move `champion` and say why."""
    moved: Moved = move_champion(settings)
    return moved
