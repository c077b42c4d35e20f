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
from tasks.tables import payloads, read, shards

SPLITS = ("train", "validation", "test")
MOST = 10_000  # train items that format and diversity are taken from


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
) -> dict[str, Any]:
    """The card as JSON values; the same data give the same card.

    `folder` is `data/NAME/clean`, `labels` of all items that are no copies, `placed` their splits. Items whose
    label no train item has stay in their split and are counted as `unseen_labels`: they are encoded without one.
    """
    splits = {name: tally([labels[key] for key, place in placed.items() if place == name]) for name in SPLITS}
    train = splits["train"]["labels"]
    unseen = {name: {key: count for key, count in part["labels"].items() if key not in train} for name, part in splits.items()}
    return {
        "name": clean.dataset,
        "modality": clean.modality,
        "licence": settings.licence,
        "source": settings.source,
        "counts": {
            "raw": clean.rows + clean.rejected,
            "rejected": tally(read(shards(folder, rejected=True), ["rule"])["rule"])["labels"],
            "clean": clean.rows,
            "exact_duplicates": duplicates.exact,
            "label_conflicts": duplicates.conflicts,
            "near_duplicate_groups": duplicates.groups,
            "near_duplicates": duplicates.grouped,
            "bridges": len(labels) - len(placed),
            "kept": len(placed),
        },
        "splits": splits,
        "unseen_labels": unseen,
        **describe(clean.modality, folder, placed, train),
    }


def tally(labels: Sequence[str | None]) -> dict[str, Any]:
    """How many items, how many of each label, how many without."""
    counts = Counter(label for label in labels if label)
    return {"rows": len(labels), "labels": dict(sorted(counts.items())), "unlabelled": len(labels) - counts.total()}


def describe(modality: str, folder: Path, placed: Mapping[str, str], labels: Mapping[str, int]) -> dict[str, Any]:
    """`format` and `diversity` of the train split; of a large one, from a fixed sample (the lowest ids)."""
    plugin = find("aigc_models.modalities", modality)
    wanted = set(sorted(key for key, place in placed.items() if place == "train")[:MOST])
    contents = [plugin.unpack(payload) for _, payload in payloads(folder, wanted)]
    diversity = {"labels": len(labels), "label_entropy_bits": entropy(labels), "from_items": len(contents)}
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
