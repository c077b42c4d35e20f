"""A version of a registered model becomes champion when somebody says so, or when its figures pass gates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from tasks.judge.compare import beside
from tasks.judge.gates import Gate, Verdict, passes, refusals
from tasks.registry.promote import champion, promote_version, rollback
from tasks.registry.register import find_version, versions
from tasks.stage.stage import StageContext, stage
from tasks.stage.tracking import client

if TYPE_CHECKING:
    from mlflow import MlflowClient


class MoveSettings(BaseModel):
    """Which version is to be champion, and on what condition."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="registered name, such as digits", min_length=1)
    action: Literal["promote", "rollback"] = Field("promote", description="rollback: `previous` becomes champion again")
    version: int | None = Field(None, ge=1, description="version number to promote; if left out: the challenger's")
    gates: tuple[Gate, ...] = Field(
        (), description="what the evaluation that it was registered with must show; none: it is promoted by hand"
    )
    reason: str = Field("by hand", description="why, in words, for the history")


class Moved(BaseModel):
    """What became of it: which version is champion now, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["promoted", "refused", "rolled_back"]
    model: str
    version: int
    reason: str
    gates: tuple[Verdict, ...] = ()


@stage(cached=False)
def move_champion(settings: MoveSettings, context: StageContext) -> Moved:
    """Promote a version or roll back; a version that fails a gate is refused and the champion stays."""
    if settings.action == "rollback":
        entry = rollback(context.workspace, settings.name, settings.reason)
        return Moved(decision="rolled_back", model=settings.name, version=entry.to_version, reason=entry.reason)
    store = client(context.workspace)
    reference = f"{settings.name}/{settings.version}" if settings.version else f"{settings.name}@challenger"
    version = int(find_version(store, reference).version)
    standing = champion(store, settings.name)
    verdicts = judged(store, settings, version, standing)
    reason = refusals(verdicts)
    context.log(decision="refused" if reason else "promoted", version=version)
    if reason:
        return Moved(decision="refused", model=settings.name, version=version, reason=reason, gates=verdicts)
    reason = f"{passes(verdicts)}: {settings.reason}" if verdicts else settings.reason
    entry = promote_version(context.workspace, settings.name, version, reason, standing)
    return Moved(decision="promoted", model=settings.name, version=version, reason=entry.reason, gates=verdicts)


def judged(store: MlflowClient, settings: MoveSettings, version: int, standing: int | None) -> tuple[Verdict, ...]:
    """Each gate against the evaluation kept of the version, beside the champion `standing` where there is another."""
    if not settings.gates:
        return ()
    numbered = {int(each.version): each for each in versions(store, settings.name)}
    other = numbered.get(standing) if standing and standing != version else None
    return tuple(beside(store, numbered[version], other, settings.gates))
