"""From an evaluated ensemble to a registered version, and to champion if it passes the gates."""

from __future__ import annotations

from flows.config import PipelineConfig
from flows.entry import entry
from flows.flow import flow, tracked
from flows.training import version_recipe
from tasks.judge.champion import ChampionRef
from tasks.registry.move_champion import Moved, MoveSettings, move_champion
from tasks.registry.promote import Decision
from tasks.registry.promote import promote as promote_stage
from tasks.registry.register import register
from tasks.stage.references import RegisteredRef, TrainedRef


@flow
def promote(trained: TrainedRef, config: PipelineConfig, champion: ChampionRef | None = None) -> tuple[RegisteredRef, Decision]:
    """Register as `challenger`, judge, and move `champion` where every gate passes; members may begin with its weights."""
    registered = registering(trained, config, champion)
    return registered, promote_stage(registered, trained.evaluation, config.promotion)


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
