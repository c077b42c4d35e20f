"""A data card in words: the way from the source to the splits, what the figures of diversity mean, what rules do."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from aigc_models.find import find, names
from tasks.report import words
from tasks.report.card import Step

RULES = {
    "unreadable": "Files and rows that are damaged, or are something else than their name says.",
    "invalid": "Content that can be read and cannot be used.",
    "exact": "The same content as an item that was kept.",
    "conflict": "The same content as an item that was kept, with another label: one of the two labels is wrong.",
    "superseded": "An earlier state of a file that has grown since.",
    "bridge": "Near-duplicates of items in two different splits: kept, they would let a model see its test.",
    "embargo": "What lies so shortly before the next split of time that a model would nearly see what it is tested on.",
    "gap": "What lies between two parts of a document, clip or other group that was divided inside.",
    "misfit": "Series that cannot be learnt together with most of the others.",
}
MEASURES = {
    "level_db": "level (dB)",
    "peak_db": "peak (dB)",
    "centre_hz": "centre of the spectrum (Hz)",
    "rate": "rate (Hz)",
    "zero_crossings": "zero crossings a second",
    "kinship": "correlation of neighbouring steps",
    "word_length": "mean length of words",
    "beyond_ascii_share": "share beyond ASCII",
}
RUNS = {1: "words", 2: "pairs of neighbouring words", 3: "runs of three words"}
LOST = ("superseded", "bridges", "misfits", "embargo", "gap")


@dataclass(frozen=True)
class Figure:
    """A figure of diversity: `value` as it is written, and what it says."""

    title: str
    value: str
    meaning: str


def rule(name: str) -> str:
    """What a rule throws away: for a cleaning rule the first sentence of its own description."""
    if name in RULES:
        return RULES[name]
    if name not in names("tasks.clean.rules"):
        return ""
    return (find("tasks.clean.rules", name).__doc__ or "").strip().split("\n")[0]


def measure(name: str) -> str:
    """What is measured, with its unit where it has one."""
    return MEASURES.get(name, words.plain(name))


def steps(card: Mapping[str, Any]) -> int:
    """How many steps all splits have, where those are counted."""
    return sum(part["rows"] for part in card["splits"].values()) if card.get("unit") == "steps" else 0


def way(card: Mapping[str, Any]) -> list[Step]:
    """From what came in, over what each step threw away, to the splits: its losses add up."""
    counts, unit = card["counts"], str(card.get("unit", "items"))
    came = counts["raw"]
    copies = {
        "exact copies": counts["exact_duplicates"] - counts["label_conflicts"],
        "copies with another label": counts["label_conflicts"],
    }
    lost = {**counts["rejected"], **copies, **{name: counts.get(name, 0) for name in LOST}}
    things = "series" if card["modality"] == "series" else "items"
    splits = {name: part["rows"] for name, part in card["splits"].items()}
    whole = sum(splits.values())
    return [
        Step("came in", came, f"{things} read from the source", "total", came),
        *(Step(name, -count, "", "lost", came) for name, count in lost.items() if count),
        Step("kept", counts["kept"], f"{share(counts['kept'], came)} of what came in", "total", came),
        *(Step(name, splits[name], f"{share(splits[name], whole)} of the {unit}", "split", whole) for name in order(splits)),
    ]


def order(splits: Mapping[str, Any]) -> list[str]:
    """Train, validation, test."""
    usual = ("train", "validation", "test")
    return [name for name in usual if name in splits] + [name for name in splits if name not in usual]


def share(part: float, whole: float) -> str:
    """
    >>> share(1, 8), share(0, 3), share(1, 100_000), share(0, 0)
    ('12.5 %', '0 %', '0.001 %', '–')
    """
    if not whole:
        return "–"
    percent = 100 * part / whole
    return f"{percent:.{1 if percent >= 0.1 else 3}f}".rstrip("0").rstrip(".") + " %"


def diversity(card: Mapping[str, Any]) -> list[Figure]:
    """The figures that every kind of content has, each with a sentence."""
    figures = card["diversity"]
    shown = []
    if "vendi_score" in figures:
        looked = words.count(figures["vendi_items"])
        meaning = f"Vendi score: the {looked} items that were looked at are as diverse as so many that have nothing in common. "
        meaning += "To be compared between versions: what is common depends on the features."
        shown.append(Figure("Effective number of items", words.number(figures["vendi_score"]), meaning))
    if figures.get("labels", 0) > 1:
        bits, count = figures["label_entropy_bits"], words.count(figures["labels"])
        meaning = f"{share(bits, math.log2(figures['labels']))} of what {count} labels have where all are equally frequent."
        shown.append(Figure("Entropy of the labels", f"{words.number(bits)} bits", meaning))
    if "share_of_near_duplicates" in figures:
        meaning = f"Items that nearly repeat another one, in {words.count(card['counts']['near_duplicate_groups'])} groups."
        shown.append(Figure("Near-duplicates", share(figures["share_of_near_duplicates"], 1), meaning))
    for length, what in RUNS.items():
        if (value := figures.get(f"distinct_{length}")) is not None:
            meaning = f"Of all {what}, so many are different ones: few where texts repeat each other."
            shown.append(Figure(f"Distinct {what}", share(value, 1), meaning))
    return shown


def balance(card: Mapping[str, Any]) -> dict[str, float]:
    """How far the labels of each split are from those of the whole: total variation, from 0 (the same) to 1."""
    splits = {name: _shares(part) for name, part in card["splits"].items()}
    rows = {name: part["rows"] for name, part in card["splits"].items()}
    whole = sum(rows.values())
    if not whole or len({label for part in splits.values() for label in part}) < 2:
        return {}
    labels = {label for part in splits.values() for label in part}
    overall = {label: sum(splits[name].get(label, 0) * rows[name] for name in splits) / whole for label in labels}
    return {
        name: sum(abs(part.get(label, 0) - overall[label]) for label in labels) / 2
        for name, part in splits.items()
        if rows[name]
    }


def _shares(part: Mapping[str, Any]) -> dict[str, float]:
    counts = {**part["labels"], **({"": part["unlabelled"]} if part["unlabelled"] else {})}
    return {label: count / part["rows"] for label, count in counts.items() if part["rows"]}


def away(card: Mapping[str, Any], label: str) -> str:
    """Where a label is farthest from its share, and how that compares with what chance does; empty where the card lacks it."""
    distance = card.get("distance", {}).get(label)
    if not distance:
        return ""
    times = abs(distance["share"] - distance["of"]) / max(distance["chance"], 1e-4)
    shares = f"{share(distance['share'], 1)}, not {share(distance['of'], 1)}"
    return f"{distance['split']} has {shares}: {times:.1f} times what chance does"


def totals(labels: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    """How often each label comes in all splits, the most frequent first."""
    counts = {label: sum(row.values()) for label, row in labels.items()}
    return dict(sorted(counts.items(), key=lambda pair: (-pair[1], pair[0])))


def folded(counts: Mapping[str, int], most: int = 20) -> list[list[str]]:
    """The names to show at once, and where there are more, those to show when asked for."""
    ordered = list(counts)
    return [part for part in (ordered[:most], ordered[most:]) if part]


def unseen(card: Mapping[str, Any]) -> list[str]:
    """Labels that no train item has."""
    return sorted({label for part in card.get("unseen_labels", {}).values() for label in part})
