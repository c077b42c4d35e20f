"""What changed from one version of a data set to another: items, labels, lengths."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from tasks.dataset.tables import is_clean_shard, read
from tasks.stage.settings import Workspace
from tasks.version.cache import find_version, present
from tasks.version.statistics import CHI, KOLMOGOROV, UNLABELLED, chi_squared, kolmogorov_smirnov, quantiles

LISTED = 20  # items named of each kind; all of them are counted


class Shift(BaseModel):
    """How a distribution moved, and how likely a move of this size is by chance alone."""

    model_config = ConfigDict(frozen=True)

    what: str
    before: dict[str, float]
    after: dict[str, float]
    test: str = Field(description="name of the test; empty where there is too little to test")
    p: float | None = Field(None, description="p-value; no correction for the number of tests")


class Items(BaseModel):
    """How many items, and the first of them."""

    model_config = ConfigDict(frozen=True)

    count: int
    first: tuple[str, ...] = Field(description="where they come from, with the reason where there is one")


class Difference(BaseModel):
    """What changed from version `before` to version `after` of a data set."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    before: str
    after: str
    unchanged: int = Field(description="items that both hold, in the same split")
    added: Items
    removed: Items = Field(description="items that the later version neither holds nor quarantined")
    changed: Items = Field(
        description="new content of a source (a file, a row) of the earlier version, a corrected label, or a new place"
    )
    quarantined: Items = Field(description="usable before, in quarantine after")
    released: Items = Field(description="in quarantine before, usable after")
    moved: Items = Field(description="items that stand in another split")
    counts: dict[str, tuple[int, int]] = Field(description="of the data card, where they differ")
    shifts: tuple[Shift, ...]


@dataclass(frozen=True)
class State:
    """A version as its tables tell it, each by item id."""

    splits: Mapping[str, str]
    reasons: Mapping[str, str]
    sources: Mapping[str, str]
    labels: Mapping[str, str | None]
    bytes: Mapping[str, int]
    counts: Mapping[str, Any]
    contents: Mapping[str, str] = field(default_factory=dict)  # digests of them


def diff(workspace: Workspace, name: str, before: str, after: str = "") -> Difference:
    """What the version `after` (the newest, if it is empty) has that `before` has not, and the other way round.

    Both are read from the cache; `data/` is not touched. Raises `BadInput` where one is unknown or not whole.
    """
    versions = [find_version(workspace, name, wanted) for wanted in (before, after)]
    old, new = (state(present(workspace, version)) for version in versions)
    return Difference(dataset=name, before=versions[0].version, after=versions[1].version, **compare(old, new))


def state(files: Mapping[str, Path]) -> State:
    """From the files of a version; contents are not kept, only their sizes."""
    splits = read([files["splits.parquet"]], ["id", "split"])
    quarantine = read([files["quarantine.parquet"]], ["id", "source", "rule", "reason"])
    clean = [place for name, place in sorted(files.items()) if is_clean_shard(name)]
    rows = read(clean, ["id", "source", "label", "exact"])
    standing, places = {*splits["id"], *quarantine["id"]}, zip(rows["id"], rows["source"], strict=True)
    rejections = zip(quarantine["rule"], quarantine["reason"], strict=True)
    return State(
        splits=dict(zip(splits["id"], splits["split"], strict=True)),
        reasons=dict(zip(quarantine["id"], (f"{rule}: {reason}" for rule, reason in rejections), strict=True)),
        sources=dict(zip(quarantine["id"], quarantine["source"], strict=True))
        | {key: source for key, source in places if key in standing},  # not of what had left by then
        labels=dict(zip(rows["id"], rows["label"], strict=True)),
        bytes=dict(zip(rows["id"], _sizes(clean), strict=True)),
        counts=json.loads(files["card.json"].read_text(encoding="utf-8"))["counts"],
        contents=dict(zip(rows["id"], rows["exact"], strict=True)),
    )


def _sizes(paths: Sequence[Path]) -> list[int]:
    """Bytes of each packed content, a part of a shard in memory at a time."""
    import pyarrow.compute as compute
    import pyarrow.parquet as parquet

    batches = (batch for path in paths for batch in parquet.ParquetFile(path).iter_batches(1000, columns=["content"]))
    return [size for batch in batches for size in compute.binary_length(batch["content"]).to_pylist()]


def compare(old: State, new: State) -> dict[str, Any]:
    """The fields of `Difference` that two states give."""
    both = old.splits.keys() & new.splits.keys()
    came, went = new.splits.keys() - old.splits.keys(), old.splits.keys() - new.splits.keys()
    places, fresh = set(old.sources.values()), came - old.reasons.keys()
    before = {key: key for key in both if old.labels.get(key) != new.labels.get(key)} | _moved(old, new, fresh, went)
    changed = {key for key in fresh if new.sources[key] in places} | before.keys()
    replaced = {new.sources[key] for key in changed & fresh}
    moved = {key for key in both - changed if old.splits[key] != new.splits[key]}
    removed = {key for key in went - new.reasons.keys() - set(before.values()) if old.sources[key] not in replaced}
    return {
        "unchanged": len(both) - len(moved | (both & changed)),
        "added": items(fresh - changed, new.sources),
        "removed": items(removed, old.sources),
        "changed": items(changed, new.sources, {key: _change(old, new, key, before.get(key)) for key in changed}),
        "quarantined": items(went & new.reasons.keys(), old.sources, new.reasons),
        "released": items(came & old.reasons.keys(), new.sources, old.reasons),
        "moved": items(moved, new.sources, {key: f"{old.splits[key]} to {new.splits[key]}" for key in moved}),
        "counts": counted(old.counts, new.counts),
        "shifts": tuple(filter(None, (labels(old, new), lengths(old, new)))),
    }


def _moved(old: State, new: State, fresh: set[str], went: set[str]) -> dict[str, str]:
    """Items whose content stood at another source before, and is gone from there: the id that it had."""
    places = {old.contents[key]: key for key in went - new.reasons.keys() - new.sources.keys() if key in old.contents}
    return {key: places[new.contents[key]] for key in fresh if new.contents.get(key) in places}


def _change(old: State, new: State, key: str, before: str | None) -> str:
    """What changed of an item, in words; empty where it is its content."""
    if before is None:
        return ""
    place = f"{old.sources[before]} before" if old.sources[before] != new.sources[key] else ""
    pair = [old.labels.get(before) or UNLABELLED, new.labels.get(key) or UNLABELLED]
    label = f"label {pair[0]} to {pair[1]}" if pair[0] != pair[1] else ""
    split = f"{old.splits[before]} to {new.splits[key]}" if old.splits[before] != new.splits[key] else ""
    return ", ".join(filter(None, (place, label, split)))


def items(keys: set[str], sources: Mapping[str, str], why: Mapping[str, str] | None = None) -> Items:
    """Counted, and the first by their source."""
    ordered = sorted(keys, key=lambda key: (sources[key], key))[:LISTED]
    lines = (f"{sources[key]} ({why[key]})" if why and why[key] else sources[key] for key in ordered)
    return Items(count=len(keys), first=tuple(lines))


def counted(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[int, int]]:
    """Counts of the data card that differ, with the rejections rule by rule.

    >>> counted({"raw": 3, "rejected": {"empty": 1}}, {"raw": 4, "rejected": {}})
    {'raw': (3, 4), 'rejected: empty': (1, 0)}
    """
    flat = [{**{key: value for key, value in side.items() if isinstance(value, int)}, **_rejected(side)} for side in (old, new)]
    pairs = {key: (flat[0].get(key, 0), flat[1].get(key, 0)) for key in dict.fromkeys([*flat[0], *flat[1]])}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def _rejected(counts: Mapping[str, Any]) -> dict[str, int]:
    return {f"rejected: {rule}": count for rule, count in counts.get("rejected", {}).items()}


def labels(old: State, new: State) -> Shift | None:
    """Shares of the labels; Pearson's chi-squared test over those that are frequent enough."""
    sides = [Counter(side.labels[key] or UNLABELLED for key in side.splits if key in side.labels) for side in (old, new)]
    categories = sorted(sides[0] | sides[1])
    if len(categories) < 2 or not all(sides):
        return None
    tested = chi_squared(*sides)
    shares = [{one: round(side[one] / sum(side.values()), 4) for one in categories} for side in sides]
    distributions = {"before": shares[0], "after": shares[1]}
    return Shift(what="labels", test=CHI if tested else "", p=tested.p if tested else None, **distributions)


def lengths(old: State, new: State) -> Shift | None:
    """Bytes of the contents as they are kept; the two-sample Kolmogorov-Smirnov test."""
    import numpy as np

    sides = [np.array([side.bytes[key] for key in side.splits if key in side.bytes]) for side in (old, new)]
    if not all(map(len, sides)):
        return None
    before, after = map(quantiles, sides)
    return Shift(what="bytes of an item", before=before, after=after, test=KOLMOGOROV, p=kolmogorov_smirnov(*sides).p)
