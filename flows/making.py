"""How a data set is made: the settings given now, else those of the last time, else those of its modality's preset."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from aigc_models.errors import BadInput
from flows.config import DataConfig, merge, override, presets, read_yaml
from tasks.dataset.datasets import standing
from tasks.ingest.source import SourceSettings
from tasks.stage.settings import Workspace
from tasks.stage.validation import validated


def usual(workspace: Workspace, source: SourceSettings) -> dict[str, Any]:
    """The settings of the data flow, the source aside, that hold where nothing is given."""
    modality = source.modality or ""
    preset: dict[str, Any] = read_yaml(modality).get("data") or {} if modality in presets() else {}
    return standing(workspace, source.name) or preset


def completed(workspace: Workspace, config: DataConfig, source: SourceSettings) -> DataConfig:
    """`config` with its `source` settled, and with what it leaves open as it is usual."""
    defaults = usual(workspace, source)
    made = DataConfig.model_validate({**defaults, "source": source})
    left_open = {name: getattr(made, name) for name in defaults.keys() - config.model_fields_set}
    return config.model_copy(update={**left_open, "source": source})


def asked(workspace: Workspace, source: SourceSettings, file: str, sets: Sequence[str]) -> DataConfig:
    """What a command asks for: the usual, then the `data` of a YAML file, then single settings as path=value.

    Raises `BadInput` for what does not fit.
    """
    if not (file or sets):
        return DataConfig(source=source)
    values = usual(workspace, source)
    if file:
        values = merge(values, section(file))
    for setting in sets:
        values = override(values, setting)
    where = " ".join(["aigc data add", *(["--settings", file] if file else [])])
    config: DataConfig = validated(DataConfig, {**values, "source": source}, where)
    return config


def section(file: str) -> dict[str, Any]:
    """The part `data` of a run's file, its source aside; raises `BadInput` where there is none."""
    data = read_yaml(file).get("data")
    if not isinstance(data, dict):
        raise BadInput(f"{file}: it has no `data:` with settings such as `clean` and `expect`; see docs/cleaning.md")
    return {key: value for key, value in data.items() if key != "source"}
