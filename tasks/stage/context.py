"""What a stage's function sees of the pipeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tasks.stage.settings import Workspace


@dataclass
class StageContext:
    """All that a stage's function sees of the pipeline: a folder to write into (it may hold the
    partial work of a run that was cut), the workspace, and whom to tell of progress."""

    folder: Path
    workspace: Workspace = field(default_factory=Workspace.current)
    run_id: str = ""
    parent_run_id: str = ""
    figures: dict[str, Any] = field(default_factory=dict)
    attached: list[str] = field(default_factory=list)
    on_progress: Callable[..., None] = field(default=lambda step, total, **figures: None)
    stopped: Callable[[], bool] = field(default=lambda: False)

    def progress(self, step: int, total: int, **figures: float) -> None:
        """Say how far it is; `figures` become the learning curve in MLflow."""
        self.on_progress(step, total, **figures)

    def stop(self) -> bool:
        """Whether the run is to end: save what there is and raise."""
        return self.stopped()

    def log(self, **figures: Any) -> None:
        """Numbers (metrics) and texts (parameters) of the stage's MLflow run."""
        self.figures.update(figures)

    def attach(self, *paths: Path) -> None:
        """Files and folders that MLflow keeps as the run's artifacts."""
        self.attached.extend(str(path) for path in paths)
