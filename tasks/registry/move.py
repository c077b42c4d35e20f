"""`champion` moves from one version to another: compare and swap, across machines.

MLflow sets an alias or a tag whatever stood there before, but writes a parameter of a run once: its database refuses
another value under the same key. So move number N of a model is the parameter `aigc.move.N` of one run, and who writes
it has won; only then the alias and the ledger follow it.

What holds, on any number of machines with one database: a move that begins from another champion than the one there is
changes nothing and raises `Overtaken`; of several that begin from the same one, one wins. Who has written an alias looks
again for a newer move and writes that one's, so the last alias written is that of the last move. A move whose
process was killed after its parameter is finished by the next one. It holds for moves by `aigc` alone: an alias that was set
by hand in MLflow counts as the champion, unless it is set in the very moment of a move. MLflow's store in files, which
has no database, refuses only what it happens to see.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from aigc_models.errors import AigcError, BadInput
from tasks.registry.history import Action, Entry, append, new_entry, put
from tasks.registry.register import aliases_of, versions

if TYPE_CHECKING:
    from mlflow import MlflowClient

MOVE, RUN, DONE = "aigc.move.", "aigc.moves", "aigc.moved"


class Overtaken(AigcError):
    """Somebody else moved `champion` first."""


class Move(BaseModel):
    """A move that has won; `token` tells it from one that says the same."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    number: int
    token: str
    entry: Entry


def move(store: MlflowClient, name: str, action: Action, expected: int | None, version: int, reason: str) -> Entry:
    """Make `version` champion if `expected` still is (None: there is none); raises `Overtaken`, with who won, if not."""
    from mlflow.exceptions import MlflowException

    run_id = _run_of_moves(store, name)
    before = settle(store, name, run_id)
    champion = aliases_of(store, name).get("champion")
    if champion != expected:
        raise _overtaken(name, expected, champion, before)
    entry = new_entry(store, name, action, expected, version, reason, before.entry.when if before else "")
    claim = Move(number=before.number + 1 if before else 1, token=uuid.uuid4().hex[:6], entry=entry)
    try:
        store.log_param(run_id, f"{MOVE}{claim.number:06}", claim.model_dump_json())
    except MlflowException:
        winner = last_move(store, run_id)
        if winner is None or winner.number < claim.number:
            raise
        raise _overtaken(name, expected, winner.entry.to_version, winner) from None
    settle(store, name, run_id)
    return entry


def settle(store: MlflowClient, name: str, run_id: str) -> Move | None:
    """Let alias and ledger follow the last move, and look again for a newer one after they did; that move, if any."""
    applied = ""
    while (last := last_move(store, run_id)) and last.token != applied:
        if not applied and store.get_registered_model(name).tags.get(DONE) == last.token:
            return last
        _apply(store, name, last)
        applied = last.token
    return last


def last_move(store: MlflowClient, run_id: str) -> Move | None:
    """The move with the highest number."""
    params = store.get_run(run_id).data.params
    newest = max((key for key in params if key.startswith(MOVE)), default="")
    return Move.model_validate_json(params[newest]) if newest else None


def _apply(store: MlflowClient, name: str, move: Move) -> None:
    """The ledger first, then the aliases; a version that was deleted since gets none."""
    entry, there = move.entry, {int(version.version) for version in versions(store, name)}
    append(store, name, entry, move.token)
    if entry.from_version in there:
        put(store.set_registered_model_alias, name, "previous", str(entry.from_version))
    elif aliases_of(store, name).get("previous") == entry.to_version:
        store.delete_registered_model_alias(name, "previous")
    if entry.to_version in there:
        put(store.set_registered_model_alias, name, "champion", str(entry.to_version))
    if aliases_of(store, name).get("challenger") == entry.to_version:
        store.delete_registered_model_alias(name, "challenger")
    put(store.set_registered_model_tag, name, DONE, move.token)


def _run_of_moves(store: MlflowClient, name: str) -> str:
    """The run whose parameters the moves are: that of the oldest version, and always the same from the first move on."""
    tagged = store.get_registered_model(name).tags.get(RUN, "")
    for run_id in [tagged, *(version.run_id or "" for version in reversed(versions(store, name)))]:
        if run_id and _is_there(store, run_id):
            if run_id != tagged:
                put(store.set_registered_model_tag, name, RUN, run_id)
            return run_id
    raise BadInput(f"{name}: the MLflow runs of all its versions were deleted; restore one of them, or register a new version")


def _is_there(store: MlflowClient, run_id: str) -> bool:
    from mlflow.exceptions import MlflowException

    try:
        return str(store.get_run(run_id).info.lifecycle_stage) == "active"
    except MlflowException as error:
        if error.error_code == "RESOURCE_DOES_NOT_EXIST":
            return False
        raise


def _overtaken(name: str, expected: int | None, champion: int | None, last: Move | None) -> Overtaken:
    """Who won, as far as the moves tell."""
    began = f"version {expected} was champion of {name}" if expected else f"{name} had no champion"
    by_hand = f"version {champion} is, by hand in MLflow" if champion else "there is none any more"
    now = by_hand
    if last and last.entry.to_version == champion:
        entry = last.entry
        now = f"{entry.who} made version {champion} champion at {entry.when[:19]} ({entry.action}: {entry.reason})"
    return Overtaken(
        f"{began} when this began, now {now}; nothing was changed here: `aigc models history {name}` shows what happened, "
        "and the same command begins from what is champion now"
    )
