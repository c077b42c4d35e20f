"""A folder of tables as Hugging Face lays it out: a repository of the hub, or what `Dataset.save_to_disk` wrote.

Its splits are kept, its licence comes from its card, and the numbers of classes come as their names. Rows are known by their
place in their split, so that other shards of the same rows change nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.ingest.readers import batches, files, hub_layout, linked, notices, rows, tables
from tasks.ingest.readers.hub_layout import Part
from tasks.ingest.source import UNSTATED, RawItem, SourceSettings, options

MEDIA = ("Image", "Audio")  # features whose column is the content, if there is but one
PARTS = ("config", "splits")


class Options(BaseModel):
    """Which part of the data set. Further options are those of its tables."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    config: str = Field("", description="name of the subset")
    splits: str = Field("", description="names of the splits, with commas; all of train, validation and test if left out")


def accepts(location: str) -> bool:
    return hub_layout.is_dataset(Path(location).expanduser())


def licence(source: SourceSettings) -> str:
    """As the card of the data set says it."""
    return hub_layout.licence(source.path) or UNSTATED


def content_files(source: SourceSettings) -> list[Path]:
    return [*linked.kept(hub_layout.marks(source.path), source), *(file for part in _parts(source) for file in part.files)]


def fingerprint(source: SourceSettings) -> str:
    """Of the tables, and of which split each is."""
    whole = hashlib.sha256()
    for part in _parts(source):
        for file in part.files:
            whole.update(f"{part.config}\0{part.split}\0{file.name}\0{rows.digest(file)}\n".encode("utf-8", "surrogateescape"))
    return whole.hexdigest()


def through(source: SourceSettings) -> SourceSettings:
    """The first of its tables."""
    return tables.without(source, Options).model_copy(update={"location": str(_parts(source)[0].files[0])})


def modality(source: SourceSettings) -> str:
    part = _parts(source)[0]
    return rows.modality(*_table(part, source), _settings(part, source))


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    """The rows of each split in its order."""
    for part in _parts(source):
        split = part.split if part.split.lower() in files.SPLITS else None
        for item in rows.items(*_table(part, source), _settings(part, source), modality):
            name = f"{part.config}/{item.source}" if part.config else item.source
            yield replace(item, source=name, split=item.split or split)


def _parts(source: SourceSettings) -> list[Part]:
    """Those that the user named, or all whose split is one of ours; a message names what is left out."""
    wanted_options = options(source, Options)
    laid_out = hub_layout.parts(source.path, wanted_options.config)
    parts = [replace(part, files=tuple(linked.kept(part.files, source))) for part in laid_out]
    parts = [part for part in parts if part.files]
    wanted = {name.strip() for name in wanted_options.splits.split(",") if name.strip()}
    chosen = [part for part in parts if (part.split in wanted if wanted else _usual(part, parts))]
    there = ", ".join(part.split or "(no name)" for part in parts) or "none"
    if not chosen or wanted - {part.split for part in chosen}:
        raise BadInput(f"{source.path.name}: which splits are to be read? It has: {there} (option splits)")
    left = [part.split for part in parts if part not in chosen]
    if left and not wanted:
        notices.say(f"{source.path.name}: left out the splits {', '.join(left)}; --option splits=NAME takes them")
    return chosen


def _usual(part: Part, parts: list[Part]) -> bool:
    named_splits = any(each.split.lower() in files.SPLITS for each in parts)
    return part.split.lower() in files.SPLITS or not named_splits


def _table(part: Part, source: SourceSettings) -> tuple[Iterator[rows.Row], list[str]]:
    """The rows of all its files, one after the other."""
    settings = tables.without(source, Options)
    each = [tables.table(settings, file) for file in part.files]
    columns = list(dict.fromkeys(name for _, names in each for name in names))
    return (row for table, _ in each for row in table), columns


def _settings(part: Part, source: SourceSettings) -> SourceSettings:
    """Under the name of the split; with the columns that the table itself tells, where the user named none."""
    features = _features(part.files[0])
    classes = [name for name, kind in features.items() if kind.get("_type") == "ClassLabel"]
    media = [name for name, kind in features.items() if kind.get("_type") in MEDIA]
    label = source.label or (f"column:{classes[0]}" if len(classes) == 1 else None)
    content = source.content or (media[0] if len(media) == 1 else None)
    place = part.files[0].with_name(part.split or "data")  # files that cells name lie beside the table
    return source.model_copy(update={"location": str(place), "label": label, "content": content, "options": {}})


def _features(file: Path) -> dict[str, Any]:
    reader = tables.reader(file.name)
    return batches.features(reader.schema(file)) if hasattr(reader, "schema") else {}
