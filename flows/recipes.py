"""What a run leaves behind for a retraining: the recipe of its model, and what was decided about the state it saw."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from flows.config import PipelineConfig
from tasks.registry import recipe
from tasks.registry.due import note, see
from tasks.report.write_report import Outcome
from tasks.stage.execution import Execution


def registered_name(config: PipelineConfig) -> str:
    """Under which the model is registered."""
    return config.registration.model or config.name


def remembering(function: Callable[..., Any]) -> Callable[..., Any]:
    """The flow's configuration becomes the recipe of its model, and its decision, if it takes one, is put on record."""

    @wraps(function)
    def wrapped(config: PipelineConfig, *arguments: Any) -> Any:
        execution = Execution.current()
        if execution.planning:
            return function(config, *arguments)
        name, workspace = registered_name(config), execution.workspace
        seen = see(workspace, name, recipe.plain(config))  # before, since the source may change meanwhile
        result = function(config, *arguments)
        newest = config.model_copy(update={"data": config.data.model_copy(update={"version": ""})})  # a retraining's data
        recipe.keep(workspace, name, newest)
        recipe.share(workspace, name, newest)
        if isinstance(result, Outcome):
            note(workspace, name, seen, result.decision, result.data.rows)
        return result

    return wrapped
