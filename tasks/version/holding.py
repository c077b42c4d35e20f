"""Which versions hold items that are to be forgotten: read where the tables are, in the cache or at a remote."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Sequence
from contextlib import closing
from typing import Any

from tasks.dataset.forgotten import FILE
from tasks.dataset.ledger import Version, ledger
from tasks.stage.settings import Workspace
from tasks.version.cache import object_of

Store = tuple[Any, str]  # a file system of fsspec, and the path of the remote in it


def holding(
    workspace: Workspace, name: str, ids: Iterable[str], stores: Sequence[Store] = (), gone: Collection[str] = ()
) -> tuple[dict[str, set[str]], set[str]]:
    """Version -> md5 of its tables that hold one of these items, for the versions that have such a table; and the
    versions that could not be looked at, since some of their tables are nowhere. `gone` are those that were purged."""
    import pyarrow

    wanted = pyarrow.array(sorted(set(ids)), pyarrow.string())
    looked: dict[str, bool | None] = {}
    holders, unseen = dict[str, set[str]](), set[str]()
    for version in ledger(workspace, name):
        tables = _tables(workspace, version, stores)
        for md5 in tables or ():
            if md5 not in looked:
                looked[md5] = _holds(workspace, md5, wanted, stores)
            if looked[md5]:
                holders.setdefault(version.version, set()).add(md5)
        if version.version not in gone and (tables is None or None in {looked[md5] for md5 in tables}):
            unseen.add(version.version)
    return holders, unseen


def remote_path(root: str, md5: str) -> str:
    """Where a remote keeps what has this md5."""
    return f"{root.rstrip('/')}/files/md5/{md5[:2]}/{md5[2:]}"


def _tables(workspace: Workspace, version: Version, stores: Sequence[Store]) -> list[str] | None:
    """The md5s of a version's tables; None where its listing is nowhere, or damaged."""
    file = _opened(workspace, version.tree, stores)
    if file is None:
        return None
    with closing(file):
        try:
            listing = json.loads(file.read())
        except ValueError:
            return None
    folder = f"{version.dataset}/"
    paths = {each["relpath"]: each["md5"] for each in listing if each["relpath"].startswith(folder)}
    return [md5 for path, md5 in paths.items() if path.endswith(".parquet") and path != folder + FILE]


def _holds(workspace: Workspace, md5: str, ids: Any, stores: Sequence[Store]) -> bool | None:
    """Whether a table has one of the ids; None where it is nowhere."""
    import pyarrow.compute as compute
    from pyarrow import parquet

    file = _opened(workspace, md5, stores)
    if file is None:
        return None
    with closing(file), parquet.ParquetFile(file) as table:
        if "id" not in table.schema_arrow.names:
            return False
        return any(
            compute.any(compute.is_in(batch["id"], value_set=ids)).as_py() for batch in table.iter_batches(columns=["id"])
        )


def _opened(workspace: Workspace, md5: str, stores: Sequence[Store]) -> Any:
    """A file to read from, of the cache or else of the first remote that has it."""
    place = object_of(workspace, md5)
    if place.is_file():
        return place.open("rb")
    paths = ((storage, remote_path(root, md5)) for storage, root in stores)
    return next((storage.open(path, "rb") for storage, path in paths if storage.exists(path)), None)
