"""The anchor: the champion of long ago that a challenger must not be worse than either.

A champion may be replaced by one that is a little worse, within the margin of its gate; night after night such
allowances would add up. Measured beside a version of a year ago, they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from aigc_models.errors import AigcError
from tasks.judge.champion import ChampionRef, reference, within
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from tasks.registry.history import Entry

ALIAS = "anchor"  # set by hand it names the version; without it the ledger does
AGE = timedelta(days=365)
MOVES = ("promoted", "rolled_back")


def anchor_of(workspace: Workspace, champion: ChampionRef) -> ChampionRef | None:
    """The oldest version that can stand for the state of a year ago beside `champion`; none where that one is the oldest.

    A version that was deleted, whose files are gone, or that has other labels or another format is passed over for the
    champion after it.
    """
    from tasks.registry.bundles import bundle_folder
    from tasks.registry.history import history
    from tasks.registry.register import aliases_of, versions
    from tasks.stage.tracking import client

    store = client(workspace)
    registered = {int(version.version): version for version in versions(store, champion.model)}
    chosen = aliases_of(store, champion.model).get(ALIAS)
    numbers = [chosen] if chosen else reigns(history(workspace, champion.model), datetime.now(UTC))
    for number in [number for number in numbers if number in registered]:
        if number == champion.version:
            return None
        version = registered[number]
        try:
            folder = bundle_folder(workspace, store, version)
            anchor = reference(workspace, within(workspace, folder, version), version)
        except (OSError, AigcError, ValueError):  # gone, damaged, or on a server that does not answer
            continue
        if (anchor.modality, anchor.labels, anchor.format) == (champion.modality, champion.labels, champion.format):
            return anchor
    return None


def reigns(entries: Sequence[Entry], now: datetime) -> list[int]:
    """Versions that were champion, in order of time: from the one of a year before `now` on, or else from the first on."""
    moves = [entry for entry in entries if entry.action in MOVES]
    old = sum(datetime.fromisoformat(entry.when) <= now - AGE for entry in moves)
    return list(dict.fromkeys(entry.to_version for entry in moves[max(old - 1, 0) :]))
