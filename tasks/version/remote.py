"""Versions of data sets to and from a remote."""

from __future__ import annotations

from tasks.dataset.data_lock import writing
from tasks.dataset.ledger import Version
from tasks.stage.settings import Workspace
from tasks.version.cache import check_not_purged, find_version, present
from tasks.version.verify import drop_damaged
from tasks.version.version import Dvc


def push(workspace: Workspace, name: str, wanted: str = "", url: str = "") -> tuple[Version, str]:
    """Send a version (the newest, if none is named) to the remote, and say which remote that is.

    Raises `BadInput` where there is no such version or the cache lacks some of it.
    """
    version = find_version(workspace, name, wanted)
    present(workspace, version)
    with writing(workspace):
        dvc = Dvc(workspace)
        remote = dvc.remote(url)
        dvc.send(version.tree)
    return version, remote


def pull(workspace: Workspace, name: str, wanted: str = "", url: str = "") -> tuple[Version, int]:
    """Fetch what the cache lacks of a version, in place of what is damaged in it too; gives how many files were damaged.

    `data/` stays as it is. Raises `BadInput` where there is no such version, `AigcError` where the remote lacks it.
    """
    version = find_version(workspace, name, wanted)
    check_not_purged(workspace, version)
    with writing(workspace):
        dvc = Dvc(workspace)
        dvc.remote(url)
        dropped = drop_damaged(workspace, version)
        dvc.fetch(version.tree)
        if not dropped:
            return version, 0
        more = drop_damaged(workspace, version)  # where the listing was damaged, it named none until now
        if more:
            dvc.fetch(version.tree)
    return version, dropped + more
