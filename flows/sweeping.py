"""What dead processes left open in MLflow and in Prefect is closed, with a message."""

from __future__ import annotations

from tasks.stage.execution import Execution


def swept(execution: Execution, runs: list[str]) -> None:
    """Close in Prefect too what dead processes left open, and say so; `runs`: those closed in MLflow."""
    from prefect.client.orchestration import get_client

    from flows.api import sweep
    from tasks.stage.owner import alive, tidy

    with get_client(sync_client=True) as client:
        flows = sweep(lambda name: alive(execution.workspace, name), client)
    tidy(execution.workspace)
    if runs or flows:
        execution.observer.message(f"closed what a run that died left open: {len(runs)} in MLflow, {flows} in Prefect")
