"""Which version is champion: gates decide, aliases move, and a ledger that only grows says why.

MLflow's registry keeps no history and moves an alias without asking: `move` sees to it that a decision holds against
the champion that it was taken against, and `history` keeps what was decided.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.judge.champion import measured, measured_version
from tasks.judge.gates import Champion, Gate, Verdict, judge, passes, refusals
from tasks.judge.kept_evaluation import keep_gates
from tasks.registry.bundles import sound_folder
from tasks.registry.history import Entry, figures, history, new_entry, record
from tasks.registry.move import Overtaken, move
from tasks.registry.register import aliases_of, existing, find_version, store_identity, versions
from tasks.stage.references import EvaluationRef, RegisteredRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext, stage
from tasks.stage.tracking import client

if TYPE_CHECKING:
    from mlflow import MlflowClient
Outcome = Literal["promoted", "refused", "awaiting_approval"]


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

    decision: Outcome
    model: str
    version: int
    alias: str
    reason: str
    gates: tuple[Verdict, ...]


@stage(cached=False, fingerprint=store_identity)
def promote(
    registered: RegisteredRef,
    evaluation: EvaluationRef,
    settings: PromotionSettings,
    because: str = "",
    *,
    context: StageContext,
) -> Decision:
    """Hold the version against the gates; if all pass it becomes `champion`, and the old one `previous`.

    `because`: why it is to serve, apart from the gates; it stands before what they say.
    """
    store, folder = client(context.workspace), evaluation.path(context.workspace)
    metrics = json.loads((folder / "metrics.json" if folder.is_dir() else folder).read_text())
    standing = _standing(store, registered, folder)
    keep_gates(store, registered.run_id, settings.gates)
    verdicts = judge(settings.gates, metrics, standing)
    lines = _lines(context.workspace, registered)
    decision, reason = _decided(store, registered, settings, verdicts, standing)
    if because and decision != "refused":
        reason = f"{because}; {reason}"
    if decision != "refused" and (line := _word_against(lines, registered.version)):
        decision, reason = "refused", _kept(line, registered)
    if decision == "promoted":
        decision, reason = _moved(context.workspace, registered, standing, reason)
    if decision != "promoted" and [(line.action, line.reason) for line in lines[-1:]] != [(decision, reason)]:
        record(store, registered.model, decision, champion(store, registered.model), registered.version, reason)
    alias = "champion" if decision == "promoted" else "challenger"
    return Decision(
        decision=decision, model=registered.model, version=registered.version, alias=alias, reason=reason, gates=tuple(verdicts)
    )


def _lines(workspace: Workspace, registered: RegisteredRef) -> list[Entry]:
    """What the ledger says of the version, the oldest first."""
    number = registered.version
    return [line for line in history(workspace, registered.model) if line.to_version == number or _against(line, number)]


def _against(line: Entry, version: int) -> bool:
    return line.action == "rolled_back" and line.from_version == version


def _word_against(lines: list[Entry], version: int) -> Entry | None:
    """The line in which a person took the version back or rejected it, if nobody made it champion after that."""
    moves = [line for line in lines if line.action in ("promoted", "rejected", "rolled_back")]
    return next((line for line in moves[-1:] if line.action == "rejected" or _against(line, version)), None)


def _kept(line: Entry, registered: RegisteredRef) -> str:
    """A run that is repeated does not undo what a person decided."""
    what = "rejected" if line.action == "rejected" else "taken back"
    again = f"`aigc models promote {registered.model} {registered.version}` makes it champion all the same"
    return f"version {registered.version} was {what} by {line.who} on {line.when[:16]} ({line.reason}); {again}"


def _decided(
    store: MlflowClient,
    registered: RegisteredRef,
    settings: PromotionSettings,
    verdicts: list[Verdict],
    standing: Champion | None,
) -> tuple[Outcome, str]:
    """What the gates and the settings say, and why."""
    reason = _reason(settings.gates, verdicts)
    if not all(verdict.passed for verdict in verdicts):
        return "refused", reason
    if champion(store, registered.model) == registered.version:
        return "promoted", reason
    if standing and standing.misfit:
        reason = f"{reason}, but the champion cannot be measured on these data: {standing.misfit}"
    elif settings.approval == "automatic":
        return "promoted", reason
    return "awaiting_approval", f"{reason}; {_by_hand(registered)}"


def _moved(workspace: Workspace, registered: RegisteredRef, standing: Champion | None, reason: str) -> tuple[Outcome, str]:
    """Promote it; where another champion came meanwhile, which it was not measured against, a person decides."""
    try:
        expected = standing.version if standing else None
        promote_version(workspace, registered.model, registered.version, reason, expected)
    except Overtaken as error:
        return "awaiting_approval", f"{reason}, but not against the champion of now: {error}; {_by_hand(registered)}"
    return "promoted", reason


def _by_hand(registered: RegisteredRef) -> str:
    return f"`aigc models approve {registered.model}` makes version {registered.version} champion"


def _standing(store: MlflowClient, registered: RegisteredRef, evaluation: Path) -> Champion | None:
    """The champion that the version was measured beside, or else the one that stands, if it is another version."""
    number = measured_version(evaluation) or champion(store, registered.model)
    if number is None or number == registered.version:
        return None
    there = any(int(version.version) == number for version in versions(store, registered.model))
    return measured(evaluation, number, figures(store, registered.model, number) if there else {})


def _reason(gates: tuple[Gate, ...], verdicts: list[Verdict]) -> str:
    if against := refusals(verdicts):
        return against
    names = {gate.name for gate in gates if gate.reference == "champion"}
    compared = [verdict.reason for verdict in verdicts if verdict.name in names and verdict.limit is not None]
    return "; ".join([passes(verdicts), *compared])


def champion(store: MlflowClient, name: str) -> int | None:
    """The version that is champion of `name`, if any."""
    return aliases_of(store, name).get("champion")


def promote_version(
    workspace: Workspace,
    name: str,
    version: int | str,
    reason: str = "by hand",
    measured_against: int | Literal["any"] | None = "any",
) -> Entry:
    """Make a version champion and the old champion `previous`; nothing moves where it is champion already.

    Raises `Damaged` where its files are not those that were registered.
    `measured_against`: the champion that the decision was taken against (None: there was none); raises `Overtaken`
    where another one is champion by now. By hand it is whichever is champion when the command begins.
    """
    store = client(workspace)
    registered = find_version(store, f"{name}/{version}")
    number, old = int(registered.version), champion(store, name)
    sound_folder(workspace, store, registered)
    if old == number:
        return new_entry(store, name, "promoted", old, number, f"version {number} is the champion already")
    return move(store, name, "promoted", old if measured_against == "any" else measured_against, number, reason)


def rollback(workspace: Workspace, name: str, reason: str = "by hand") -> Entry:
    """Make `previous` champion again; the two change places, so that a second rollback undoes the first.

    Raises `Overtaken` where somebody else moves `champion` meanwhile.
    """
    store = client(workspace)
    aliases = aliases_of(store, existing(store, name))
    old = aliases.get("champion")  # none where its version was deleted: then there is all the more to go back for
    if "previous" not in aliases:
        raise BadInput(f"{name} has no previous champion to go back to; see `aigc models history {name}`")
    version = find_version(store, f"{name}@previous")
    sound_folder(workspace, store, version)
    return move(store, name, "rolled_back", old, int(version.version), reason)
