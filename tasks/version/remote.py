"""Versions of data sets to and from a remote, and with them the ledger: a clone knows what was pushed."""

from __future__ import annotations

from aigc_models.errors import BadInput
from tasks.dataset.data_lock import writing
from tasks.dataset.ledger import Version, ledger, put_before
from tasks.stage.settings import Workspace
from tasks.version.cache import check_not_purged, find_version, present
from tasks.version.history import read_history, send_history
from tasks.version.verify import drop_damaged
from tasks.version.version import Dvc


def push(workspace: Workspace, name: str, wanted: str = "", url: str = "") -> tuple[Version, str]:
    """Send a version (the newest, if none is named) and the data set's history to the remote; says which remote that is.

    Raises `BadInput` where there is no such version or the cache lacks some of it.
    """
    version = find_version(workspace, name, wanted)
    present(workspace, version)
    with writing(workspace):
        dvc = Dvc(workspace)
        remote = dvc.remote(url)
        dvc.send(version.tree)
        send_history(workspace, name, remote, dvc.remotes().get(remote, {}))
    return version, remote


def pull(workspace: Workspace, name: str, wanted: str = "", url: str = "") -> tuple[Version, int]:
    """Fetch what the cache lacks of a version, in place of what is damaged in it too; gives how many files were damaged.

    The remote's history is merged into the ledger first; without `wanted` it is the newest version of the remote.
    `data/` stays as it is. Raises `BadInput` where there is no such version, `AigcError` where the remote lacks it.
    """
    workspace.create()
    with writing(workspace):
        dvc = Dvc(workspace)
        remote = dvc.remote(url)
        history = read_history(name, remote, dvc.remotes().get(remote, {}))
        put_before(workspace, history)
        if not ledger(workspace, name):
            raise BadInput(f"neither this workspace nor {remote} has a version of {name}; `aigc data push {name}` sends them")
        version = find_version(workspace, name, wanted or (history[-1].version if history else ""))
        check_not_purged(workspace, version)
        dropped = drop_damaged(workspace, version)
        dvc.fetch(version.tree)
        if not dropped:
            return version, 0
        more = drop_damaged(workspace, version)  # where the listing was damaged, it named none until now
        if more:
            dvc.fetch(version.tree)
    return version, dropped + more
