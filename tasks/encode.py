"""Turn a version of the data into the arrays that training reads."""

from __future__ import annotations

import json
from collections.abc import Collection
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.find import find
from tasks.card import SPLITS
from tasks.references import CorpusRef, VersionRef
from tasks.stage import StageContext, stage
from tasks.tables import payloads, read, shards
from tasks.validation import validated


class EncodeSettings(BaseModel):
    """How items become numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: dict[str, int] | None = Field(
        None, description="fields of the modality's format (length in symbols, height in pixels) in place of the card's"
    )


@stage
def encode(split: VersionRef, settings: EncodeSettings, context: StageContext) -> CorpusRef:
    """Write a folder for each split: `values.npy`, `conditions.npy` and `ids.npy`, items in shard order.

    A condition is the index of the item's label in `labels`, or `len(labels)` where it has none or one that
    no train item has. `ids.npy` leads from an array's row back to the item.
    """
    import numpy as np

    from aigc_models.corpus import Corpus

    folder = split.path(context.workspace)
    modality = find("aigc_models.modalities", split.modality)
    format = chosen_format(modality, folder, settings)
    places = read([folder / "splits.parquet"], ["id", "split"])
    clean = read(shards(folder / "clean"), ["id", "label"])
    index = {label: at for at, label in enumerate(split.labels)}
    conditions = {key: index.get(label, len(index)) for key, label in zip(clean["id"], clean["label"], strict=True)}
    for step, name in enumerate(SPLITS):
        context.progress(step, len(SPLITS))
        wanted = {key for key, place in zip(places["id"], places["split"], strict=True) if place == name}
        ids, contents = unpacked(modality, folder / "clean", wanted)
        found = np.array([conditions[key] for key in ids], dtype=np.int64)
        Corpus(split.modality, modality.encode(contents, format), found).save(context.folder / name)
        np.save(context.folder / name / "ids.npy", np.array(ids, dtype=np.str_))
    return CorpusRef.to(
        context.workspace,
        *(context.folder / name for name in SPLITS),
        dataset=split.dataset,
        modality=split.modality,
        version=split.version,
        labels=split.labels,
        format=format.model_dump(),
        splits=split.splits,
        licence=read_card(folder)["licence"],
    )


def read_card(folder: Path) -> dict[str, Any]:
    """`data/NAME/card.json`."""
    card: dict[str, Any] = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    return card


def chosen_format(modality: ModuleType, folder: Path, settings: EncodeSettings) -> Any:
    """The format that the data card names, with the settings' fields on top; `BadInput` for a field it has not."""
    return validated(modality.Format, {**read_card(folder)["format"], **(settings.format or {})}, "format of the encoding")


def unpacked(modality: ModuleType, folder: Path, wanted: Collection[str]) -> tuple[list[str], list[Any]]:
    """Ids and contents of the `wanted` items of `data/NAME/clean`, in shard order."""
    pairs = [(key, modality.unpack(payload)) for key, payload in payloads(folder, wanted)]
    return [key for key, _ in pairs], [content for _, content in pairs]
