"""Who made which version champion, when and why: a ledger that only grows, in tags of the registered model."""

from __future__ import annotations

import getpass
import json
import os
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict

from tasks.registry.register import existing
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client

if TYPE_CHECKING:
    from mlflow import MlflowClient

LEDGER = "aigc.ledger."
REASON_LENGTH = 2000  # characters; a database keeps 5000 of a tag

Action = Literal["promoted", "refused", "awaiting_approval", "rejected", "rolled_back"]


class Entry(BaseModel):
    """One line of the ledger; `figures` are the version's metrics on the test split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: str
    who: str
    action: Action
    from_version: int | None
    to_version: int
    reason: str
    figures: dict[str, float] = {}


def history(workspace: Workspace, name: str) -> list[Entry]:
    """The ledger of a model, the oldest entry first."""
    store = client(workspace)
    tags: Mapping[str, Any] = store.get_registered_model(existing(store, name)).tags
    return [Entry.model_validate_json(tags[key]) for key in sorted(tags) if key.startswith(LEDGER)]


def record(store: MlflowClient, name: str, action: Action, old: int | None, new: int, reason: str) -> Entry:
    """Append to the ledger what moves nothing; the key has a random part, so that no machine overwrites another's."""
    entry = new_entry(store, name, action, old, new, reason)
    append(store, name, entry, uuid.uuid4().hex[:6])
    return entry


def append(store: MlflowClient, name: str, entry: Entry, token: str) -> None:
    """Put a line into the ledger, in the order of time; the same `token` again puts the same line there."""
    key = f"{LEDGER}{entry.when.replace(':', '').replace('+0000', 'Z')}.{token}"
    put(store.set_registered_model_tag, name, key, entry.model_dump_json())


def put(setting: Callable[[str, str, str], None], name: str, key: str, value: str) -> None:
    """Set a tag or an alias. MLflow looks first and then inserts: where another process inserted meanwhile, set it again."""
    from mlflow.exceptions import MlflowException

    try:
        setting(name, key, value)
    except MlflowException as error:
        if not any(words in str(error) for words in ("IntegrityError", "UniqueViolation")):  # of sqlite, of PostgreSQL
            raise
        setting(name, key, value)  # it is there now, and is changed


def new_entry(store: MlflowClient, name: str, action: Action, old: int | None, new: int, reason: str, after: str = "") -> Entry:
    """A line for the ledger, not earlier than `after`, whatever the clocks of two machines say."""
    return Entry(
        when=max(datetime.now(UTC).isoformat(timespec="microseconds"), after),
        who=who(),
        action=action,
        from_version=old,
        to_version=new,
        reason=reason[:REASON_LENGTH],
        figures=figures(store, name, new),
    )


def figures(store: MlflowClient, name: str, version: int) -> dict[str, float]:
    """The metrics that a version was registered with."""
    return dict(json.loads(store.get_model_version(name, str(version)).tags.get("aigc.metrics", "{}")))


def who() -> str:
    """`AIGC_USER`, or else the name of the account."""
    try:
        return os.environ.get("AIGC_USER") or getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return f"uid {os.getuid()}"
