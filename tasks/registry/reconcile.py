"""The history of a model's champion, those moves too that somebody made past `aigc`: on MLflow's page or by its client.

The ledger says from which champion each move began, and the registry which one there is now. Where these do not meet what the
ledger says before, the champion was moved outside in between. Nothing is written for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.registry.history import Entry, history
from tasks.registry.move import DONE, RUN, last_move
from tasks.registry.register import aliases_of, existing
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client

MOVES = ("promoted", "rolled_back")


class OutsideMove(BaseModel):
    """A move that only its outcome is known of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    when: str = Field(description="at the latest, in UTC")
    after: str = Field(description="at the earliest; empty: before the first line of the ledger")
    action: Literal["moved_outside"] = "moved_outside"
    from_version: int | None
    to_version: int | None = Field(description="none: the alias was removed, or the version deleted")
    reason: str = "by hand in MLflow, or by another program"


Line = Entry | OutsideMove


def reconciled(workspace: Workspace, name: str) -> list[Line]:
    """The ledger of a model, the oldest line first, with the moves that it does not know."""
    store = client(workspace)
    entries, tags = history(workspace, name), store.get_registered_model(existing(store, name)).tags
    last = last_move(store, tags[RUN]) if RUN in tags else None
    settled = last is None or tags.get(DONE) == last.token  # else a move is under way, whose alias is not set yet
    now = datetime.now(UTC).isoformat(timespec="microseconds")
    return list(_joined(entries, aliases_of(store, name).get("champion"), now if settled else ""))


def _joined(entries: Sequence[Entry], champion: int | None, now: str) -> Iterator[Line]:
    """`now`: when `champion` was looked up; empty: it is not to be believed."""
    before, after = None, ""
    for entry in entries:
        if entry.action in MOVES:
            if entry.from_version != before:
                yield OutsideMove(when=entry.when, after=after, from_version=before, to_version=entry.from_version)
            before, after = entry.to_version, entry.when
        yield entry
    if now and champion != before:
        yield OutsideMove(when=now, after=after, from_version=before, to_version=champion)


class ChampionAt(BaseModel):
    """Which version was champion at a time; `line`: the move that made it so; not `certain`: one outside may be after it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at: str
    champion: int | None
    certain: bool
    line: Entry | OutsideMove | None


def champion_at(lines: Sequence[Line], at: str) -> ChampionAt:
    """`at`: an ISO date, which means its end in UTC, or a time; without a zone in UTC. Raises `BadInput`."""
    moment = _moment(at)
    moves = [line for line in lines if line.action in (*MOVES, "moved_outside")]
    before = [line for line in moves if datetime.fromisoformat(line.when) <= moment]
    line = before[-1] if before else None
    following = moves[len(before)] if len(before) < len(moves) else None
    doubtful = isinstance(following, OutsideMove) and (not following.after or datetime.fromisoformat(following.after) <= moment)
    return ChampionAt(at=moment.isoformat(), champion=line.to_version if line else None, certain=not doubtful, line=line)


def _moment(text: str) -> datetime:
    try:
        if len(text) == len("2026-01-31"):
            return datetime.combine(date.fromisoformat(text), time.max, UTC)
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise BadInput(f"--at {text}: no date or time; write 2026-01-31 or 2026-01-31T12:00:00+01:00") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
