"""A workspace that was moved or copied: MLflow's embedded database names its artifacts by absolute paths.

They are set to where the workspace lies now, in one transaction, before anybody asks; another workspace's are never used.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from urllib.parse import unquote, urlsplit

from aigc_models.errors import Damaged
from tasks.stage.settings import Workspace

ARTIFACTS = "mlartifacts"
HOMES = "homes"  # a line for each folder in which the workspace lay before
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
                _note(workspace, before)
                _rewrite(store, before, here)
            return before
    except sqlite3.Error as error:
        raise Damaged(f"{workspace.database} cannot be used: {error}; `aigc doctor` looks at it") from error


def homes(workspace: Workspace) -> list[str]:
    """The folders in which the workspace lay before, as far as its embedded database said so."""
    path = workspace.state / HOMES
    lines = path.read_text().splitlines() if path.is_file() else []
    return [line for line in dict.fromkeys(lines) if line != str(workspace.root)]


def left_behind(workspace: Workspace) -> list[str]:
    """What still names a folder in which the workspace lay before, a sentence each; nothing is changed."""
    before = homes(workspace)
    with closing(sqlite3.connect(f"file:{workspace.database}?mode=ro", uri=True)) as store:
        places = [place for place in _places(store) if place != artifacts_uri(workspace)]
    sentences = [f"MLflow's database names {place}; `aigc models list` sets it to where the workspace lies" for place in places]
    for name in ("config", "config.local"):
        path = workspace.root / ".dvc" / name
        lines = path.read_text().splitlines() if path.is_file() else []
        sentences += [
            f"{path} says {line.strip()!r}; set it with `dvc remote modify` or `dvc config`"
            for line in lines
            if _names(line, before)
        ]
    return sentences + [
        f"the deployment {name} runs in a folder where the workspace lay before; `aigc deploy` again"
        for name, *where in _deployments(workspace)
        if any(_names(str(part), before) for part in where)
    ]


def _names(text: str, folders: list[str]) -> bool:
    return any(re.search(rf"{re.escape(folder)}(?![\w.-])", text) for folder in folders)


def _deployments(workspace: Workspace) -> list[tuple[str, ...]]:
    """Name, path and steps of those in Prefect's embedded database."""
    database = workspace.state / "prefect" / "prefect.db"
    if not database.exists():
        return []
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as store:
        if not store.execute("select 1 from sqlite_master where name = 'deployment'").fetchone():
            return []
        return store.execute("select name, path, pull_steps from deployment").fetchall()


def _note(workspace: Workspace, places: list[str]) -> None:
    """Before the paths are set: a kill in between leaves a line too many."""
    with (workspace.state / HOMES).open("a") as file:
        file.writelines(f"{_home(place)}\n" for place in places)


def _home(place: str) -> str:
    return unquote(urlsplit(place).path).removesuffix(f"/{Workspace.STATE}/{ARTIFACTS}")


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
