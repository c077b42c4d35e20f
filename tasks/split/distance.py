"""How far labels stand from their share in each split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

FARTHEST = 20  # labels that are named


def distance(splits: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """For each label the split in which its share is farthest from the share that the split has `of` all items.

    `splits` are the card's (`rows`, and `labels` with their counts). `chance` is the standard deviation of that share if
    the label's items had been drawn one by one without replacement (hypergeometric); groups and near-duplicates, which
    stay together, make it larger. Of more labels than 20 those that are the most times their `chance` away.
    """
    total = sum(part["rows"] for part in splits.values())
    counts: dict[str, dict[str, int]] = {}
    for name, part in splits.items():
        for label, count in part["labels"].items():
            counts.setdefault(label, dict.fromkeys(splits, 0))[name] = count
    shares = {name: part["rows"] / total for name, part in splits.items() if part["rows"]}
    farthest = {label: _farthest(label_counts, shares, total) for label, label_counts in counts.items()}
    chosen = sorted(farthest, key=lambda label: (-_times(farthest[label]), label))[:FARTHEST]
    return {label: farthest[label] for label in chosen}


def _farthest(counts: Mapping[str, int], shares: Mapping[str, float], total: int) -> dict[str, Any]:
    items = sum(counts.values())
    name = max(shares, key=lambda split: abs(counts[split] / items - shares[split]))
    share = shares[name]
    chance = math.sqrt(share * (1 - share) / items * (total - items) / max(1, total - 1))
    return {"split": name, "share": round(counts[name] / items, 4), "of": round(share, 4), "chance": round(chance, 4)}


def _times(one: Mapping[str, Any]) -> float:
    return float(abs(one["share"] - one["of"]) / max(one["chance"], 1e-4))
