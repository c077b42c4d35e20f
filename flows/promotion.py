"""From an evaluated ensemble to a registered version, and to champion if it passes the gates."""

from __future__ import annotations

from dataclasses import dataclass

from flows.champions import standing
from flows.config import PipelineConfig
from flows.entry import entry
from flows.flow import flow, tracked
from flows.training import version_recipe
from tasks.judge.champion import ChampionRef, made_of
from tasks.judge.evaluate import evaluate
from tasks.judge.gates import OPPONENTS
from tasks.registry.move_champion import Moved, MoveSettings, move_champion
from tasks.registry.promote import Decision, PromotionSettings
from tasks.registry.promote import promote as promote_stage
from tasks.registry.register import register
from tasks.stage.execution import Execution
from tasks.stage.references import EnsembleRef, RegisteredRef, TrainedRef
from tasks.train.ensemble import build_ensemble


@dataclass(frozen=True)
class Promoted:
    """Which version a run ends with, what was decided, and the bundle that it is of."""

    registered: RegisteredRef
    decision: Decision
    ensemble: EnsembleRef


@flow
def promote(trained: TrainedRef, config: PipelineConfig, champion: ChampionRef | None = None) -> Promoted:
    """Register as `challenger`, judge, and move `champion` where every gate passes; members may begin with its weights."""
    execution = Execution.current()
    stands = None if execution.planning else standing(config)
    first = stands is None or made_of(execution.workspace, stands, trained.baseline)
    settings = unopposed(config.promotion) if first and stands is not None else config.promotion
    registered = registering(trained, config, champion)
    decision = promote_stage(registered, trained.evaluation, settings)
    promoted = Promoted(registered, decision, trained.ensemble)
    if execution.planning or decision.decision != "refused" or not first:
        return promoted
    return plain_method(promoted, trained, config)


def unopposed(settings: PromotionSettings) -> PromotionSettings:
    """Without the gates against the champion, which is the plain method of this very training."""
    gates = tuple(gate for gate in settings.gates if gate.reference not in OPPONENTS)
    return settings.model_copy(update={"gates": gates})


def plain_method(refused: Promoted, trained: TrainedRef, config: PipelineConfig) -> Promoted:
    """The strongest plain method as a first champion, where there is none and the ensemble did not pass its gates.

    It has to pass the gates that guard; then the name has a model that serves, and a later challenger somebody to beat.
    """
    alone = build_ensemble(trained.corpus, [trained.baseline], config.training.ensemble)
    if alone.weights.keys() == trained.ensemble.weights.keys():
        return refused
    measured = evaluate(trained.corpus, alone, [trained.baseline], trained.baseline, config.evaluation)
    registered = register(alone, measured, config.registration)
    guards = tuple(gate for gate in config.promotion.gates if gate.guard)
    decision = promote_stage(registered, measured, config.promotion.model_copy(update={"gates": guards}))
    name, before = trained.baseline.name.replace("_", " "), refused.decision
    why = f"the ensemble (version {before.version}) did not pass as the first champion: {before.reason}"
    if decision.decision == "refused":
        reason = (
            f"{before.reason}; the plain method {name} (version {decision.version}) does not serve either: {decision.reason}"
        )
        return Promoted(refused.registered, before.model_copy(update={"reason": reason}), refused.ensemble)
    serves = "serves" if decision.decision == "promoted" else "may serve"
    reason = f"the plain method {name} {serves}, since {why}"
    return Promoted(registered, decision.model_copy(update={"reason": reason, "gates": before.gates}), alone)


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
