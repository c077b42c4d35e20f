"""The data card of a version as a page, with how far the data have moved since the champion learnt from them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from aigc_models.errors import AigcError
from tasks.stage.settings import Workspace


def write_data_card(workspace: Workspace, name: str, version: str, page: Path, model: str = "", but: int | None = None) -> Path:
    """Write `page` from `data/NAME`, and the same as .json beside it, whose path it gives.

    `model` is the registered name (empty: the data set's); `but` a version of it that learnt from these data: where
    that is champion by now, the one before it is compared.
    """
    from tasks.report.data_card import gathered
    from tasks.report.data_page import write

    before = learnt_from(workspace, name, model or name, but)
    drift, note = moved(workspace, name, before, version, model) if before else (None, "")
    return write(gathered(workspace.data / name, version, drift, note), page)


def moved(workspace: Workspace, name: str, before: str, after: str, model: str = "") -> tuple[dict[str, Any] | None, str]:
    """The drift from one version of the data to another, by the encoder of `model` if any, or why it cannot be measured."""
    from tasks.drift.drift import DriftSettings, drift

    if before == after:
        return None, f"The champion was trained on this very version, {before}."
    try:
        return drift(workspace, name, before, after, DriftSettings(model=model)).model_dump(mode="json"), ""
    except AigcError as error:  # a version that was forgotten, or is on another machine
        return None, f"The champion was trained on version {before}, with which this one cannot be compared: {error}."


def learnt_from(workspace: Workspace, name: str, model: str, but: int | None = None) -> str:
    """The version of the data set `name` that the champion of `model` was trained on; empty where there is none.

    Where version `but` is champion, it is the previous champion's. An embedded registry that is not there is not made.
    """
    if workspace.tracking_uri == f"sqlite:///{workspace.database}" and not workspace.database.exists():
        return ""
    from tasks.registry.register import aliases_of, model_names, versions
    from tasks.stage.tracking import client

    store = client(workspace)
    aliases = aliases_of(store, model) if model in model_names(store) else {}
    number = next((aliases[alias] for alias in ("champion", "previous") if aliases.get(alias, but) != but), None)
    tags = next((version.tags for version in versions(store, model) if int(version.version) == number), {})
    return str(tags.get("aigc.data_version", "")) if tags.get("aigc.dataset") == name else ""
