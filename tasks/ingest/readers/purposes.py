"""What the columns of a table are for, where the user did not say it and their cells make it plain."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

from tasks.ingest.readers import headers
from tasks.ingest.readers.files import SPLITS
from tasks.ingest.readers.notices import say_once
from tasks.ingest.source import SourceSettings

LONGER = 2.0  # times as long as any other that the column of the content is
WORDS = 3  # of its cells, at least
DISTINCT = 0.5  # share of its cells that differ, at least
FEWEST = 10  # rows that tell anything
OFTEN = 5  # times that each label comes, on average
LABELS = {"label", "labels", "class", "category", "target", "sentiment"}  # names of a column of labels


def content(cells: dict[str, list[str]]) -> str | None:
    """The one column of free texts among columns of texts: much longer than the others, and hardly ever alike."""
    lengths = {name: median(map(len, texts)) for name, texts in cells.items() if len(texts) >= FEWEST}
    if len(lengths) < 2:
        return None
    longest, next_one = sorted(lengths, key=lambda name: lengths[name])[:-3:-1]
    texts = cells[longest]
    free = len(set(texts)) >= DISTINCT * len(texts) and median(len(text.split()) for text in texts) >= WORDS
    return longest if free and lengths[longest] >= LONGER * lengths[next_one] else None


def label(cells: dict[str, list[str]]) -> str | None:
    """The only column of few values that come often, and that are no names of splits."""
    few = [name for name, values in cells.items() if _few(values) and not {value.lower() for value in values} <= set(SPLITS)]
    return few[0] if len(few) == 1 else None


def is_called_label(name: str) -> bool:
    """Whether a column has a name that columns of labels have."""
    return name.strip().casefold() in LABELS


def _few(values: Sequence[str]) -> bool:
    return len(values) >= FEWEST and 2 <= len(set(values)) <= len(values) / OFTEN


def say_guess(source: SourceSettings, content: str, label: str | None) -> None:
    """Print what was guessed and how to say otherwise."""
    labels = f", the label {headers.shown(label)} (few values)" if label else ""
    what = f"{source.path.name}: the content is taken to be {headers.shown(content)} (free text){labels}"
    say_once(f"{what}; say otherwise with --content COLUMN and --label column:COLUMN or none")
