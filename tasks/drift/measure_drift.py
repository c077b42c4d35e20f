"""How far the data have moved since the champion learnt from them: asked before a retraining trains.

What did not move far enough is remembered in `.aigc/retraining/NAME.drift.json`, so that the same state of the data is
not measured again.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.drift.drift import Drift, DriftSettings, drift
from tasks.judge.champion import ChampionRef
from tasks.registry.due import Due, Seen, folder_of
from tasks.stage.references import VersionRef
from tasks.stage.settings import Workspace, write_whole
from tasks.stage.stage import StageContext, stage


class Unmoved(BaseModel):
    """A state of data, recipe and code for which nothing was trained, since the data had hardly moved."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    digest: str = Field(description="of the state")
    score: float
    reason: str


@stage(cached=False)
def measure_drift(
    data: VersionRef, champion: ChampionRef | None, settings: DriftSettings, context: StageContext
) -> Drift | None:
    """From the champion's training data to `data`; None where they cannot be compared. The run and its parent keep it."""
    drift = since(champion, data, settings, context) if champion else None
    if drift is None or drift.score is None:
        return drift
    context.log(drift=drift.score, drift_threshold=drift.threshold, before=drift.before, after=drift.after)
    if context.parent_run_id:
        from tasks.stage.tracking import client

        store = client(context.workspace)
        store.log_metric(context.parent_run_id, "drift", drift.score)
        store.set_tag(context.parent_run_id, "aigc.drift", f"{drift.summary} ({drift.before} to {drift.after})")
    return drift


def since(champion: ChampionRef, data: VersionRef, settings: DriftSettings, context: StageContext) -> Drift | None:
    card = json.loads((champion.path(context.workspace) / "bundle.json").read_bytes())
    if card["dataset"] != data.dataset:
        return None
    try:
        return drift(context.workspace, data.dataset, card["version"], data.version, settings)
    except BadInput as error:  # the champion's data are not here any more: then a training is due
        context.log(drift_unknown=str(error)[:200])
        return None


def remember(workspace: Workspace, name: str, seen: Seen, drift: Drift, reason: str) -> None:
    """Note that the state `seen` needs no training."""
    assert drift.score is not None
    path = folder_of(workspace) / f"{name}.drift.json"
    write_whole(path, Unmoved(digest=seen.state.digest, score=drift.score, reason=reason).model_dump_json())


def unmoved(workspace: Workspace, due: Due, threshold: float | None) -> Due:
    """`due`, or that it is not where this state was found to have moved less than `threshold` before."""
    path = folder_of(workspace) / f"{due.name}.drift.json"
    if threshold is None or not due.due or not path.exists():
        return due
    unmoved = Unmoved.model_validate_json(path.read_text(encoding="utf-8"))
    if unmoved.digest != due.digest or unmoved.score >= threshold:
        return due
    return due.model_copy(update={"due": False, "reason": unmoved.reason})
