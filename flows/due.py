"""What `aigc retrain` is asked for, whether it is due, and what it answers; nothing heavy is imported to say 'not due'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from flows.config import PipelineConfig, Settings, budgeted, overridden
from tasks.drift.measure_drift import unmoved
from tasks.registry import recipe
from tasks.registry.due import PARTS, Due, Part, Seen, due, see
from tasks.stage.settings import Workspace


class RetrainConfig(Settings):
    """Which model, and when and how it is trained again."""

    name: str = Field(description="registered name of a model that `aigc run` or `aigc train` made, such as digits")
    counts: tuple[Part, ...] = Field(PARTS, min_length=1, description="which changes make it due: data, config, code")
    start: Literal["auto", "scratch", "warm"] = Field(
        "auto", description="first weights: random (scratch), the champion's (warm), or what measured better (auto)"
    )
    approval: Literal["recipe", "automatic", "by_hand"] = Field(
        "recipe", description="who has the last word: as the recipe says, the gates alone, or a person"
    )
    budget: str | None = Field(None, description="wall time of all training, such as 90s or 3m; if left out: the recipe's")
    drift: float | None = Field(
        None,
        ge=0,
        le=1,
        description="where only the data changed: train if they drifted this far, such as 0.1 (none: always)",
    )
    overrides: tuple[str, ...] = Field((), description="single settings of the recipe as path=value, for this time")


class Retrained(BaseModel):
    """What became of it, in words and figures."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["not_due", "promoted", "refused", "awaiting_approval"]
    reason: str
    name: str
    digest: str = Field("", description="of the data, the recipe and the code")
    version: int | None = Field(None, description="the new version, or the one that the same state gave before")
    champion: int | None = Field(None, description="the version that it was held against")
    rows: int | None = Field(None, description="items in all splits")
    drift: float | None = Field(None, description="how far the data moved since the champion's, 0 to 1; none: not measured")
    figures: dict[str, dict[str, float | None]] = Field(
        {}, description="by metric: value, champion, and the paired difference with its 95 % interval"
    )


@dataclass(frozen=True)
class Question:
    """A recipe with this time's settings, how things stand, and whether that makes a retraining due.

    `drift`: how far the data must have moved for that, where nothing else changed.
    """

    recipe: PipelineConfig
    seen: Seen
    verdict: Due
    drift: float | None = None


def asked(workspace: Workspace, config: RetrainConfig) -> Question:
    """Whether it is due. Imports neither torch nor Prefect, and MLflow only for what a shared registry alone knows."""
    wanted = configured(workspace, config)
    seen = see(workspace, config.name, recipe.plain(wanted))
    verdict = unmoved(workspace, due(workspace, config.name, seen, config.counts), config.drift)
    return Question(wanted, seen, verdict, config.drift if verdict.parts == ("data",) else None)


def configured(workspace: Workspace, config: RetrainConfig) -> PipelineConfig:
    """The recipe of the name with this time's settings on top; raises `BadInput`."""
    values: Any = recipe.kept(workspace, config.name)
    if config.budget:
        values = budgeted(values, config.budget)
    pipeline = overridden(PipelineConfig, values, list(config.overrides), f"recipe of {config.name}")
    if config.approval == "recipe":
        return pipeline
    return pipeline.model_copy(update={"promotion": pipeline.promotion.model_copy(update={"approval": config.approval})})


def under_way(name: str) -> Retrained:
    """The answer to who comes second."""
    return Retrained(decision="not_due", reason=f"another retraining of {name} is under way", name=name)


def not_due(verdict: Due) -> Retrained:
    version = verdict.last.version if verdict.last else None
    return Retrained(decision="not_due", reason=verdict.reason, name=verdict.name, digest=verdict.digest, version=version)
