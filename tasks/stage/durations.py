"""How long the stages of earlier runs of a data set took, as MLflow has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tasks.stage.settings import Workspace

RUNS = 5  # the newest ones that are looked at: what one found cached another made


@dataclass(frozen=True)
class Earlier:
    """One stage of an earlier run: its seconds, and what it was given, as MLflow's parameters."""

    seconds: float
    given: Mapping[str, str]


def earlier(workspace: Workspace, dataset: str) -> dict[str, Earlier]:
    """By the stage's name (`evaluate`), the longest of the newest run of the data set that made it; none where none did.

    Nothing is made: where there is no embedded database there were no runs.
    """
    from tasks.stage.tracking import EXPERIMENT, client

    if workspace.embedded and not workspace.database.exists():
        return {}
    store = client(workspace)
    experiment = store.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return {}

    def runs(wanted: str, most: int) -> list[Any]:
        order = ["attributes.start_time DESC"]
        return list(store.search_runs([experiment.experiment_id], wanted, max_results=most, order_by=order))

    stages: dict[str, Earlier] = {}
    finished = "attributes.status = 'FINISHED'"
    for run in runs(f"attributes.run_name = '{dataset}' and tags.`aigc.flow` = 'produce' and {finished}", RUNS):
        parents = [run.info.run_id, run.data.tags.get("mlflow.parentRunId", "")]
        made: dict[str, Earlier] = {}
        for parent in filter(None, parents):
            for child in runs(f"tags.`mlflow.parentRunId` = '{parent}' and {finished}", 100):
                stage, seconds = child.data.tags.get("aigc.stage", ""), (child.info.end_time - child.info.start_time) / 1000
                if stage and seconds > getattr(made.get(stage), "seconds", 0.0):
                    made[stage] = Earlier(seconds, child.data.params)
        stages = {**made, **stages}
    return stages
