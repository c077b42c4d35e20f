"""The last word of a person on a version that passed its gates: it becomes champion, or it does not."""

from __future__ import annotations

from aigc_models.errors import BadInput
from tasks.registry.history import Entry, history, record
from tasks.registry.promote import champion, promote_version
from tasks.registry.register import aliases_of, existing
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client


def waiting(workspace: Workspace, name: str) -> int:
    """The version that waits for approval: the challenger, if the last word on it was that it waits. Raises `BadInput`."""
    challenger = aliases_of(client(workspace), existing(client(workspace), name)).get("challenger")
    last = next((entry for entry in reversed(history(workspace, name)) if entry.to_version == challenger), None)
    if challenger is None or last is None or last.action != "awaiting_approval":
        raise BadInput(
            f"no version of {name} waits for approval; `aigc models history {name}` says what was decided, "
            f"`aigc models promote {name} VERSION` makes any version champion"
        )
    return challenger


def approve(workspace: Workspace, name: str, reason: str = "") -> Entry:
    """Make the version that waits champion."""
    return promote_version(workspace, name, waiting(workspace, name), f"approved{f': {reason}' if reason else ''}")


def reject(workspace: Workspace, name: str, reason: str = "") -> Entry:
    """The version that waits is no challenger any more; the champion stays."""
    version = waiting(workspace, name)
    store = client(workspace)
    entry = record(store, name, "rejected", champion(store, name), version, f"rejected{f': {reason}' if reason else ''}")
    store.delete_registered_model_alias(name, "challenger")
    return entry
