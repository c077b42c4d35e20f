"""The data card: what went in, what was thrown away and why, what is left and how diverse it is."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.find import find
from tasks.dataset.diversity import distributions, diverse
from tasks.dataset.numeric_labels import are_numbers, summary
from tasks.dataset.placed import ROWS, placed
from tasks.dataset.tables import batches, payloads, shards
from tasks.dataset.withdrawn import count_marks, current
from tasks.stage.references import CleanRef, DuplicatesRef

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
    splits: Path,
    kept: int,
    settings: CardSettings,
    divided: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The card as JSON values; the same data give the same card.

    `folder` is `data/NAME/clean`, `splits` the table of places, in shard order, `kept` how many items are no copies.
    Items whose label no train item has stay in their split and are counted as `unseen_labels`: they are encoded
    without one. Labels that are numbers of many values are summed up as `values` of each split.
    `divided`: the card of `tasks.split.inside` where items are divided inside, in place of splits of whole items.
    """
    counts = counted(folder, splits)
    near = {"share_of_near_duplicates": round(duplicates.grouped / max(1, kept), 4)}
    rows = sum(part.total() for part in counts.values())
    card = _head(clean, duplicates, folder, rows, kept, settings)
    if divided:
        labels = _labels_of(divided["splits"]["train"]["labels"], rows)
        steps = card["counts"] | {"bridges": 0, "misfits": card["counts"]["bridges"]}
        return {**card, **divided, "counts": steps, "diversity": labels | near | divided["diversity"]}
    numeric = are_numbers({label for part in counts.values() for label in part if label})
    parts = {name: (tally_numbers if numeric else tally)(counts[name]) for name in SPLITS}
    train = parts["train"]["labels"]
    unseen = {name: {key: count for key, count in part["labels"].items() if key not in train} for name, part in parts.items()}
    description = describe(clean.modality, folder, splits, rows, train)
    return {**card, "splits": parts, "unseen_labels": unseen, **description, "diversity": description["diversity"] | near}


def counted(folder: Path, splits: Path) -> dict[str, Counter[str | None]]:
    """How many items of each label each split has; `None` is the label of those that have none."""
    counts: dict[str, Counter[str | None]] = {name: Counter() for name in SPLITS}
    for part in placed(folder, splits, ["label"]):
        for name, label in zip(part["split"], part["label"], strict=True):
            counts[name][label or None] += 1
    return counts


def _head(
    clean: CleanRef, duplicates: DuplicatesRef, folder: Path, rows: int, kept: int, settings: CardSettings
) -> dict[str, Any]:
    """What a data set is called, where it comes from, and how many items each step left."""
    superseded = {"superseded": duplicates.superseded} if duplicates.superseded else {}
    rejected = (rule for part in current(folder, ["rule"], rejected=True) for rule in part["rule"])
    return {
        "name": clean.dataset,
        "modality": clean.modality,
        "licence": settings.licence,
        "source": settings.source,
        "counts": {
            "raw": clean.rows + clean.rejected,
            "rejected": tally(rejected)["labels"],
            "changed": count_marks(folder, "changed"),
            "noticed": count_marks(folder, "noticed"),
            "clean": clean.rows,
            "exact_duplicates": duplicates.exact,
            "label_conflicts": duplicates.conflicts,
            "near_duplicate_groups": duplicates.groups,
            "near_duplicates": duplicates.grouped,
            "bridges": kept - rows,
            "kept": rows,
            **superseded,
        },
    }


def _labels_of(labels: Mapping[str, int], items: int) -> dict[str, Any]:
    return {"labels": len(labels), "label_entropy_bits": entropy(labels), "from_items": items}


def tally(labels: Iterable[str | None]) -> dict[str, Any]:
    """How many items, how many of each label, how many without; from labels one by one or counted."""
    counts = Counter(labels)
    labelled = {label: count for label, count in counts.items() if label}
    return {
        "rows": counts.total(),
        "labels": dict(sorted(labelled.items())),
        "unlabelled": counts.total() - sum(labelled.values()),
    }


def tally_numbers(counts: Counter[str | None]) -> dict[str, Any]:
    """The same where labels are numbers of many values: a summary of them stands in the place of a list."""
    labelled = {label: count for label, count in counts.items() if label}
    unlabelled = counts.total() - sum(labelled.values())
    return {"rows": counts.total(), "labels": {}, "values": summary(labelled), "unlabelled": unlabelled}


def describe(modality: str, folder: Path, splits: Path, rows: int, labels: Mapping[str, int]) -> dict[str, Any]:
    """`format`, `diversity` and `distributions` of the train split; of a large one, of a fixed sample (the lowest ids)."""
    plugin = find("aigc_models.modalities", modality)
    size = sum(shard.stat().st_size for shard in shards(folder)) / max(1, rows)
    most = min(MOST, max(100, int(MEMORY / max(1, size))))
    train = (
        key
        for part in batches([splits], ["id", "split"], ROWS)
        for key, name in zip(*part.values(), strict=True)
        if name == "train"
    )
    wanted = set(nsmallest(most, train))
    contents = [plugin.unpack(payload) for _, payload in payloads(folder, wanted)]
    return {
        "format": plugin.choose_format(contents).model_dump(),
        "diversity": _labels_of(labels, len(contents)) | diverse(plugin, contents),
        "distributions": distributions(plugin, contents),
    }


def entropy(counts: Mapping[str, int]) -> float:
    """Shannon entropy in bits.

    >>> entropy({"a": 2, "b": 2})
    1.0
    """
    total = sum(counts.values())
    return round(sum(count / total * math.log2(total / count) for count in counts.values()), 4)
