"""The data card: what went in, what was thrown away and why, what is left and how diverse it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.find import find
from tasks.references import CleanRef, DuplicatesRef
from tasks.tables import count_marks, payloads, read, shards

SPLITS = ("train", "validation", "test")
MOST = 10_000  # train items that format and diversity are taken from
MEMORY = 300_000_000  # bytes of them, packed, that are looked at


class CardSettings(BaseModel):
    """What only people know of a data set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    licence: str = Field(default="not stated", description="terms of use of the content (name or SPDX identifier)")
    source: str = Field(default="", description="where the content comes from, without a path of this machine (text)")


def data_card(
    clean: CleanRef,
    duplicates: DuplicatesRef,
    folder: Path,
    labels: Mapping[str, str | None],
    placed: Mapping[str, str],
    settings: CardSettings,
    divided: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The card as JSON values; the same data give the same card.

    `folder` is `data/NAME/clean`, `labels` of all items that are no copies, `placed` their splits. Items whose
    label no train item has stay in their split and are counted as `unseen_labels`: they are encoded without one.
    `divided`: what `tasks.divide` found where items are divided inside, in place of splits of whole items.
    """
    card = _head(clean, duplicates, folder, labels, placed, settings)
    if divided:
        found = _labels_of(divided["splits"]["train"]["labels"], len(placed))
        counts = card["counts"] | {"bridges": 0, "misfits": card["counts"]["bridges"]}
        return {**card, **divided, "counts": counts, "diversity": found | divided["diversity"]}
    splits = {name: tally([labels[key] for key, place in placed.items() if place == name]) for name in SPLITS}
    train = splits["train"]["labels"]
    unseen = {name: {key: count for key, count in part["labels"].items() if key not in train} for name, part in splits.items()}
    return {**card, "splits": splits, "unseen_labels": unseen, **describe(clean.modality, folder, placed, train)}


def _head(
    clean: CleanRef,
    duplicates: DuplicatesRef,
    folder: Path,
    labels: Mapping[str, str | None],
    placed: Mapping[str, str],
    settings: CardSettings,
) -> dict[str, Any]:
    """What a data set is called, where it comes from, and how many items each step left."""
    superseded = {"superseded": duplicates.superseded} if duplicates.superseded else {}
    return {
        "name": clean.dataset,
        "modality": clean.modality,
        "licence": settings.licence,
        "source": settings.source,
        "counts": {
            "raw": clean.rows + clean.rejected,
            "rejected": tally(read(shards(folder, rejected=True), ["rule"])["rule"])["labels"],
            "changed": count_marks(shards(folder), "changed"),
            "noticed": count_marks(shards(folder), "noticed"),
            "clean": clean.rows,
            "exact_duplicates": duplicates.exact,
            "label_conflicts": duplicates.conflicts,
            "near_duplicate_groups": duplicates.groups,
            "near_duplicates": duplicates.grouped,
            "bridges": len(labels) - len(placed),
            "kept": len(placed),
            **superseded,
        },
    }


def _labels_of(labels: Mapping[str, int], items: int) -> dict[str, Any]:
    return {"labels": len(labels), "label_entropy_bits": entropy(labels), "from_items": items}


def tally(labels: Sequence[str | None]) -> dict[str, Any]:
    """How many items, how many of each label, how many without."""
    counts = Counter(label for label in labels if label)
    return {"rows": len(labels), "labels": dict(sorted(counts.items())), "unlabelled": len(labels) - counts.total()}


def describe(modality: str, folder: Path, placed: Mapping[str, str], labels: Mapping[str, int]) -> dict[str, Any]:
    """`format` and `diversity` of the train split; of a large one, from a fixed sample (the lowest ids)."""
    plugin = find("aigc_models.modalities", modality)
    size = sum(shard.stat().st_size for shard in shards(folder)) / max(1, len(placed))
    most = min(MOST, max(100, int(MEMORY / max(1, size))))
    wanted = set(sorted(key for key, place in placed.items() if place == "train")[:most])
    contents = [plugin.unpack(payload) for _, payload in payloads(folder, wanted)]
    diversity = _labels_of(labels, len(contents))
    if contents:
        diversity |= plugin.spread(contents)
    return {"format": plugin.choose_format(contents).model_dump(), "diversity": diversity}


def entropy(counts: Mapping[str, int]) -> float:
    """Shannon entropy in bits.

    >>> entropy({"a": 2, "b": 2})
    1.0
    """
    total = sum(counts.values())
    return round(sum(count / total * math.log2(total / count) for count in counts.values()), 4)
