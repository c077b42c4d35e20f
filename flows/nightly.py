"""Every model of a workspace, asked whether a retraining is due: what a schedule runs."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from flows.attempts import Attempts
from flows.config import Settings
from flows.due import RetrainConfig, Retrained
from flows.entry import entry
from flows.flow import flow
from flows.retraining import retrain
from tasks.registry.recipe import names
from tasks.stage.execution import Execution


class NightlyConfig(Settings):
    """Which models, and how those that are due are trained again."""

    models: tuple[str, ...] = Field((), description="registered names; empty: every model that was made in this workspace")
    start: Literal["auto", "scratch", "warm"] = Field(
        "auto", description="first weights: random (scratch), the champion's (warm), or what measured better (auto)"
    )
    approval: Literal["recipe", "automatic", "by_hand"] = Field(
        "recipe", description="who has the last word: as each recipe says, the gates alone, or a person"
    )


@flow
@entry
def retrain_all(config: NightlyConfig) -> list[Retrained]:
    """What `aigc retrain --all` does: each model in turn; one that fails does not keep the others from it.

    Raises `AigcError` at the end, so that the run's state is Failed, naming each that failed.
    """
    attempts = Attempts()
    chosen = config.models or names(Execution.current().workspace)
    attempts.ask([RetrainConfig(name=name, start=config.start, approval=config.approval) for name in chosen], retrain)
    attempts.raise_if_failed()
    return list(attempts.outcomes.values())
