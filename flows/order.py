"""What somebody asks for, in the terminal, on Prefect's page or in a schedule: a preset, a data set, a budget, overrides."""

from __future__ import annotations

from functools import cached_property

from pydantic import Field, field_validator

from aigc_models.errors import BadInput, unknown
from aigc_models.heads import tasks
from flows.config import RunConfig, Settings, compose, preset_of, presets, seconds
from tasks.dataset.datasets import remembered, summary
from tasks.ingest.source import SourceSettings, modality
from tasks.stage.settings import Workspace
from tasks.train.task import ChosenTask, suited


class Order(Settings):
    """What to train: the same that `aigc run`, `aigc plan` and `aigc train` take. All may be left empty."""

    preset: str = Field(
        "",
        description=f"{', '.join(presets())}, or the path of a YAML file; empty: what fits the data set, "
        "and sample where none is named",
    )
    data: str = Field(
        "",
        description="name of a data set that was added (`aigc data list`, or the deployment ingestion), or NAME@VERSION",
    )
    budget: str = Field(
        "",
        description="wall time of all training of one data set: 90s, 3m or 1h; empty: the preset's",
        json_schema_extra={"pattern": r"^(\d+(\.\d+)?[smh]?)?$"},  # so that the page says at once what does not fit
    )
    task: str = Field(
        "",
        description=f"what the model is asked: {', '.join(tasks())}; auto: what the data set suits; "
        "empty: the preset's, and generate where none is named",
    )
    overrides: tuple[str, ...] = Field(
        (), description="single settings as path=value, such as training.seed=3 or digits.training.size=debug"
    )

    @field_validator("task")
    @classmethod
    def _check_task(cls, task: str) -> str:
        if task not in ("", "auto", *tasks()):
            raise unknown("task", task, ("auto", *tasks()))
        return task

    @field_validator("budget")
    @classmethod
    def _some_time(cls, budget: str) -> str:
        if budget and not isinstance(seconds(budget), float):
            raise BadInput(f"budget {budget!r}: write a time with its unit, such as 90s, 3m or 1h")
        return budget

    @property
    def name(self) -> str:
        """What its run and its folder of outputs are called."""
        return self.data or self.config.name

    @cached_property
    def chosen_task(self) -> ChosenTask:
        """What is asked of the model, and why, where the data decide it; raises `BadInput` where there are none to look at."""
        if self.task != "auto":
            return ChosenTask(self.task)
        if not self.data:
            raise BadInput("task auto looks at a data set: name one with --data, or say the task")
        return suited(summary(Workspace.current(), self.data.partition("@")[0]))

    @cached_property
    def config(self) -> RunConfig:
        """The whole configuration; raises `BadInput` for what does not fit."""
        name, _, version = self.data.partition("@")
        made = {**remembered(Workspace.current(), name), "version": version} if name else None
        task = self.chosen_task.task
        preset = self.preset or (
            _fitting(name, modality(SourceSettings.model_validate(made["source"])), task) if made else "sample"
        )
        asked = (f"training.encode.task={task}",) if task else ()
        return compose(preset, made, self.budget or None, [*asked, *self.overrides])


def _fitting(name: str, modality: str, task: str) -> str:
    """The preset of a modality and a task; raises `BadInput` where there is none."""
    preset = preset_of(modality, task)
    if preset not in presets():
        what = modality if preset == modality else f"{modality} to {task}"
        raise BadInput(
            f"{name} holds {modality}, and there is no preset for {what} yet; name a preset or a YAML file of your own, "
            "whose families learn it"
        )
    return preset
