"""A workspace that was moved or copied: MLflow's embedded database names its artifacts by absolute paths.

They are set to where the workspace lies now, in one transaction, before anybody asks; another workspace's are never used.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing

from aigc_models.errors import Damaged
from tasks.stage.settings import Workspace

ARTIFACTS = "mlartifacts"
PLACES = (
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def artifacts_uri(workspace: Workspace) -> str:
    """Where the embedded store keeps artifacts."""
    return (workspace.state / ARTIFACTS).resolve().as_uri()


def settle(workspace: Workspace) -> list[str]:
    """Have the embedded database name the artifacts in this workspace; the URIs of the folders that it named before.

    Only one process at a time may call it. A kill leaves all paths as they were. Raises `Damaged` where the database
    cannot be read or written.
    """
    try:
        with closing(sqlite3.connect(workspace.database, timeout=60, isolation_level=None)) as store:
            here = artifacts_uri(workspace)
            before = [place for place in _places(store) if place != here]
            if before:
                _rewrite(store, before, here)
            return before
    except sqlite3.Error as error:
        raise Damaged(f"{workspace.database} cannot be used: {error}; `aigc doctor` looks at it") from error


def _places(store: sqlite3.Connection) -> list[str]:
    """The artifact folders of workspaces that experiments name; what somebody put elsewhere by himself is none."""
    if not store.execute("select 1 from sqlite_master where name = 'experiments'").fetchone():
        return []
    named = store.execute("select distinct artifact_location from experiments").fetchall()
    ending = f"/{Workspace.STATE}/{ARTIFACTS}"
    return [place for (place,) in named if place and place.startswith("file://") and place.endswith(ending)]


def _rewrite(store: sqlite3.Connection, before: list[str], here: str) -> None:
    tables = {name for (name,) in store.execute("select name from sqlite_master where type = 'table'")}
    store.execute("begin immediate")
    try:
        for table, column in PLACES:
            for place in before if table in tables else ():
                store.execute(
                    f"update {table} set {column} = ? || substr({column}, ?) where {column} = ? or substr({column}, 1, ?) = ?",
                    (here, len(place) + 1, place, len(place) + 1, f"{place}/"),
                )
        store.execute("commit")
    except BaseException:
        store.rollback()
        raise
