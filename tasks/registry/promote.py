"""Which version is champion: gates decide, aliases move, and a ledger that only grows says why.

MLflow's registry keeps no history and moves an alias without asking, so changes are made under a lock
and each is written down first, as a tag of the registered model that every machine sees.
"""

from __future__ import annotations

import getpass
import json
import os
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.judge.champion import measured
from tasks.judge.gates import Gate, Rival, Verdict, judge
from tasks.judge.kept_evaluation import keep_gates
from tasks.registry.register import aliases_of, existing, find_version, store_identity
from tasks.stage.owner import locked
from tasks.stage.references import EvaluationRef, RegisteredRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext, stage
from tasks.stage.tracking import client

if TYPE_CHECKING:
    from mlflow import MlflowClient

LEDGER = "aigc.ledger."
REASON_LENGTH = 2000  # characters; a database keeps 5000 of a tag


class PromotionSettings(BaseModel):
    """What a new version must show, and who has the last word."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gates: tuple[Gate, ...] = Field((), description="all must pass; none: every version is promoted")
    approval: Literal["automatic", "by_hand"] = Field(
        "automatic", description="by_hand: a version that passes waits for `aigc models approve`"
    )


class Decision(BaseModel):
    """What became of a version."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    decision: Literal["promoted", "refused", "awaiting_approval"]
    model: str
    version: int
    alias: str
    reason: str
    gates: tuple[Verdict, ...]


class Entry(BaseModel):
    """One line of the ledger; `figures` are the version's metrics on the test split."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: str
    who: str
    action: Literal["promoted", "refused", "awaiting_approval", "rejected", "rolled_back"]
    from_version: int | None
    to_version: int
    reason: str
    figures: dict[str, float] = {}


@stage(cached=False, fingerprint=store_identity)
def promote(
    registered: RegisteredRef, evaluation: EvaluationRef, settings: PromotionSettings, context: StageContext
) -> Decision:
    """Hold the version against the gates; if all pass it becomes `champion`, and the old one `previous`."""
    store = client(context.workspace)
    metrics = json.loads(_metrics_file(evaluation, context.workspace).read_text())
    rival = _rival(store, registered, evaluation.path(context.workspace))
    keep_gates(store, registered.run_id, settings.gates)
    verdicts = judge(settings.gates, metrics, rival)
    reason = _reason(settings.gates, verdicts)
    decision: Literal["promoted", "refused", "awaiting_approval"] = "promoted"
    if not all(verdict.passed for verdict in verdicts):
        decision = "refused"
    elif (rival and rival.misfit) or (
        settings.approval == "by_hand" and champion(store, registered.model) != registered.version
    ):
        decision = "awaiting_approval"
        if rival and rival.misfit:
            reason = f"{reason}, but the champion cannot be measured on these data: {rival.misfit}"
        reason = f"{reason}; `aigc models approve {registered.model}` makes version {registered.version} champion"
    if decision == "promoted":
        promote_version(context.workspace, registered.model, registered.version, reason)
    else:
        _note(context.workspace, registered, decision, reason)
    alias = "champion" if decision == "promoted" else "challenger"
    return Decision(
        decision=decision, model=registered.model, version=registered.version, alias=alias, reason=reason, gates=tuple(verdicts)
    )


def _metrics_file(evaluation: EvaluationRef, workspace: Workspace) -> Path:
    path = evaluation.path(workspace)
    return path / "metrics.json" if path.is_dir() else path


def _rival(store: MlflowClient, registered: RegisteredRef, evaluation: Path) -> Rival | None:
    """The champion, if there is one and it is another version."""
    number = champion(store, registered.model)
    if number in (None, registered.version):
        return None
    return measured(evaluation, int(number or 0), figures(store, registered.model, int(number or 0)))


def _reason(gates: tuple[Gate, ...], verdicts: list[Verdict]) -> str:
    failed = [f"{verdict.name} ({verdict.reason})" for verdict in verdicts if not verdict.passed]
    if failed:
        return f"{len(failed)} of {len(verdicts)} gates failed: {'; '.join(failed)}"
    told = [v.reason for gate, v in zip(gates, verdicts, strict=True) if gate.reference == "champion" and v.limit is not None]
    return "; ".join([f"all {len(verdicts)} gates passed" if verdicts else "there are no gates", *told])


def _note(
    workspace: Workspace, registered: RegisteredRef, action: Literal["refused", "awaiting_approval"], reason: str
) -> None:
    store = client(workspace)
    with locked(workspace, "registry"):
        record(store, registered.model, action, champion(store, registered.model), registered.version, reason)


def champion(store: MlflowClient, name: str) -> int | None:
    """The version that is champion of `name`, if any."""
    return aliases_of(store, name).get("champion")


def figures(store: MlflowClient, name: str, version: int) -> dict[str, float]:
    """The metrics that a version was registered with."""
    return dict(json.loads(store.get_model_version(name, str(version)).tags.get("aigc.metrics", "{}")))


def promote_version(workspace: Workspace, name: str, version: int | str, reason: str = "by hand") -> Entry:
    """Make a version champion and the old champion `previous`; nothing moves where it is champion already."""
    store = client(workspace)
    with locked(workspace, "registry"):
        number = int(find_version(store, f"{name}/{version}").version)
        old = champion(store, name)
        if old == number:
            return _entry(store, name, "promoted", old, number, f"version {number} is the champion already")
        entry = record(store, name, "promoted", old, number, reason)
        if old is not None:
            store.set_registered_model_alias(name, "previous", str(old))
        store.set_registered_model_alias(name, "champion", str(number))
        if aliases_of(store, name).get("challenger") == number:
            store.delete_registered_model_alias(name, "challenger")
    return entry


def rollback(workspace: Workspace, name: str, reason: str = "by hand") -> Entry:
    """Make `previous` champion again; the two change places, so that a second rollback undoes the first."""
    store = client(workspace)
    with locked(workspace, "registry"):
        aliases = aliases_of(store, existing(store, name))
        old, new = aliases.get("champion"), aliases.get("previous")
        if old is None or new is None:
            raise BadInput(f"{name} has no previous champion to go back to; see `aigc models history {name}`")
        entry = record(store, name, "rolled_back", old, new, reason)
        store.set_registered_model_alias(name, "champion", str(new))
        store.set_registered_model_alias(name, "previous", str(old))
    return entry


def history(workspace: Workspace, name: str) -> list[Entry]:
    """The ledger of a model, the oldest entry first."""
    store = client(workspace)
    tags: Mapping[str, Any] = store.get_registered_model(existing(store, name)).tags
    return [Entry.model_validate_json(tags[key]) for key in sorted(tags) if key.startswith(LEDGER)]


def record(store: MlflowClient, name: str, action: Any, old: int | None, new: int, reason: str) -> Entry:
    """Append to the ledger; the key holds the time and a random part, so that no machine overwrites another's."""
    entry = _entry(store, name, action, old, new, reason)
    key = f"{LEDGER}{entry.when.replace(':', '').replace('+0000', 'Z')}.{uuid.uuid4().hex[:6]}"
    store.set_registered_model_tag(name, key, entry.model_dump_json())
    return entry


def _entry(store: MlflowClient, name: str, action: Any, old: int | None, new: int, reason: str) -> Entry:
    when = datetime.now(UTC).isoformat(timespec="microseconds")
    return Entry(
        when=when,
        who=who(),
        action=action,
        from_version=old,
        to_version=new,
        reason=reason[:REASON_LENGTH],
        figures=figures(store, name, new),
    )


def who() -> str:
    """`AIGC_USER`, or else the name of the account."""
    try:
        return os.environ.get("AIGC_USER") or getpass.getuser()
    except (OSError, KeyError):  # an account without a name, as in some containers
        return f"uid {os.getuid()}"
