"""Take items out of a data set for good: from the next version on, and from what is kept of the earlier ones."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import AigcError, BadInput
from tasks.dataset.data_lock import writing
from tasks.dataset.forgotten import FILE, Forgotten, note_purged, purged
from tasks.dataset.ledger import put_before
from tasks.dataset.tables import shards
from tasks.dataset.withdrawn import count_current, keep, withdrawn
from tasks.ingest.ingest import file_errors, rewrite
from tasks.stage.addresses import without_secrets
from tasks.stage.references import CorpusRef, RawRef
from tasks.stage.settings import Workspace, scratch_folder
from tasks.stage.stage import StageContext, stage
from tasks.version.cache import object_of
from tasks.version.history import read_history
from tasks.version.holding import Store, holding, remote_path
from tasks.version.storage import storage_of
from tasks.version.version import Dvc


class ForgetSettings(BaseModel):
    """Which items."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name of the data set")
    ids: tuple[str, ...] = Field((), description="ids of items, as the tables of the data set have them")
    groups: tuple[str, ...] = Field((), description="values of the group column: every item of these, also of later ones")
    sources: tuple[str, ...] = Field((), description="files or rows, as the tables of the data set name them (notes/a.txt#3)")


class Purged(BaseModel):
    """What became of the earlier versions."""

    model_config = ConfigDict(frozen=True)

    versions: tuple[str, ...] = Field(description="that held one of the items; they can no longer be restored")
    objects: int = Field(description="files that were removed from the cache")
    encoded: int = Field(description="encoded copies that were removed")
    remotes: tuple[str, ...] = Field(description="remotes that were purged too")
    unreached: tuple[str, ...] = Field(description="remotes that may still hold some, and why")
    unseen: tuple[str, ...] = Field((), description="versions that may hold some: they are nowhere whole")
    models: tuple[str, ...] = Field(description="registered versions that were trained on one of the items")


@stage(cached=False)
def forget(settings: ForgetSettings, context: StageContext) -> RawRef:
    """Rewrite the raw shards that hold one of the items, and note that these never come in again.

    Raises `BadInput` where no item fits, and where none would be left; then nothing was changed.
    """
    workspace = context.workspace
    folder = workspace.data / settings.name / "raw"
    if folder.resolve() != workspace.data.resolve() / settings.name / "raw":
        raise BadInput(f"{folder} is a link to {folder.resolve()}: nothing is forgotten through one; put the folder there")
    if not shards(folder):
        raise BadInput(f"there is no data set {settings.name}; `aigc data list` shows what there is")
    with (
        file_errors(f"the data set {settings.name} in {workspace.data}"),
        writing(workspace),
        scratch_folder(workspace) as scratch,
    ):
        matches = {shard: matching(shard, settings) for shard in shards(folder)}
        ids = {key for keys in matches.values() for key in keys}
        forgotten = Forgotten.of(folder.parent)
        wanted = forgotten.and_also(ids, settings.groups, settings.sources)
        gone = withdrawn(folder)
        _check(settings, ids, forgotten, len(ids - gone), count_current(folder))
        wanted.keep(scratch / FILE)
        os.replace(scratch / FILE, folder.parent / FILE)  # first, so that no kill in between lets them in again
        for shard in (shard for shard, keys in matches.items() if keys):
            rewrite(shard, matches[shard], scratch)
        keep(folder, gone - ids, scratch)
        rows, kind = count_current(folder), _modality(shards(folder)[0])
    context.log(forgotten=len(ids), rows=rows)
    return RawRef.to(workspace, folder, dataset=settings.name, modality=kind, rows=rows)


def matching(shard: Path, settings: ForgetSettings) -> set[str]:
    """The ids of a raw shard's items that are asked for."""
    from tasks.dataset.tables import read

    rows = read([shard], ["id", "group", "source"])
    ids, groups, sources = set(settings.ids), set(settings.groups), set(settings.sources)
    triples = zip(rows["id"], rows["group"], rows["source"], strict=True)
    return {key for key, group, source in triples if key in ids or group in groups or source in sources}


def _check(settings: ForgetSettings, ids: set[str], forgotten: Forgotten, present: int, rows: int) -> None:
    """`present` of the items that are asked for are among the data set's `rows`; others left the source before."""
    asked = {"id": settings.ids, "group": settings.groups, "source": settings.sources}
    if not any(asked.values()):
        raise BadInput("name what to forget: --id, --group or --source")
    if not ids and forgotten.and_also(settings.ids, settings.groups, settings.sources) != forgotten:
        terms = ", ".join(f"{kind} {one!r}" for kind, values in asked.items() for one in values[:3])
        raise BadInput(
            f"no item of {settings.name} has {terms}; the tables in data/{settings.name}/clean have the ids, groups and sources"
        )
    if present == rows:
        raise BadInput(f"these are all {rows} items of {settings.name}; remove the folder data/{settings.name} instead")


def purge(workspace: Workspace, name: str) -> Purged:
    """Remove what the cache, the remotes and the encoded copies hold of a data set's forgotten items, also of versions
    that only a remote knows.

    Files are removed whole: of a version that held one, those with an item in them are gone, and it cannot be restored.
    Can be called again after a kill. Raises nothing for a remote that cannot be reached: it is named.
    """
    ids = Forgotten.of(workspace.data / name).ids
    doomed = purged(workspace, name)
    stores, unasked = _histories(workspace, name)
    holders, unseen = holding(workspace, name, ids, stores, doomed)
    for version, md5s in holders.items():
        doomed[version] = doomed.get(version, set()) | md5s
    note_purged(workspace, name, doomed)
    digests = sorted({md5 for md5s in doomed.values() for md5 in md5s})
    with writing(workspace):
        removed = [object_of(workspace, md5) for md5 in digests if object_of(workspace, md5).is_file()]
        for place in removed:
            place.unlink()
        reached, unreached = _purge_remotes(workspace, digests, unasked)
    return Purged(
        versions=tuple(doomed),
        objects=len(removed),
        encoded=_purge_encoded(workspace, name, set(doomed)),
        remotes=tuple(map(without_secrets, reached)),
        unreached=tuple(map(without_secrets, unreached)),
        unseen=tuple(sorted(unseen - doomed.keys())),
        models=tuple(trained_on(workspace, name, set(doomed))),
    )


def _histories(workspace: Workspace, name: str) -> tuple[list[Store], dict[str, str]]:
    """The remotes that can be asked, their versions put into the ledger; of the others URL and why."""
    stores, unasked = list[Store](), dict[str, str]()
    with writing(workspace):
        for url, options in Dvc(workspace).remotes().items():
            try:
                put_before(workspace, read_history(name, url, options))
                stores.append(storage_of(url, options))
            except AigcError as error:
                unasked[url] = str(error)
    return stores, unasked


def _purge_remotes(workspace: Workspace, digests: list[str], unasked: Mapping[str, str]) -> tuple[list[str], list[str]]:
    reached, unreached = [], list(unasked.values())
    for url, options in Dvc(workspace).remotes().items():
        if url in unasked:
            continue
        if url.startswith(("http://", "https://")):  # one that does not answer looks like one that has nothing
            unreached.append(f"{url}: nothing can be removed over http; remove its files where they lie")
            continue
        try:
            _purge_remote(url, options, digests)
            reached.append(url)
        except Exception as error:  # each kind of storage fails in its own way
            unreached.append(f"{url}: {type(error).__name__}: {error}")
    return reached, unreached


def _purge_remote(url: str, options: dict[str, str], digests: list[str]) -> None:
    storage, root = storage_of(url, options)
    for path in (remote_path(root, md5) for md5 in digests):
        if storage.exists(path):
            storage.rm(path)


def _purge_encoded(workspace: Workspace, name: str, versions: set[str]) -> int:
    """Remove the encoded copies of these versions; their stages run again when they are asked for."""
    from tasks.stage.execution import Execution

    removed = 0
    for folder in workspace.stages.glob("encode-*"):
        if folder.is_symlink():
            continue
        reference = Execution.current().recorded(folder.name)
        if isinstance(reference, CorpusRef) and reference.dataset == name and reference.version in versions:
            shutil.rmtree(folder)
            removed += 1
    return removed


def trained_on(workspace: Workspace, name: str, versions: set[str]) -> list[str]:
    """The registered models whose data was one of these versions, as NAME/NUMBER."""
    from tasks.registry.register import model_names
    from tasks.registry.register import versions as registered
    from tasks.stage.tracking import client

    store = client(workspace)
    candidates = (version for model in model_names(store) for version in registered(store, model))
    return sorted(
        f"{version.name}/{version.version}"
        for version in candidates
        if version.tags.get("aigc.dataset") == name and version.tags.get("aigc.data_version") in versions
    )


def _modality(shard: Path) -> str:
    from pyarrow import parquet

    return (parquet.read_schema(shard).metadata or {})[b"modality"].decode()
