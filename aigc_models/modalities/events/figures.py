"""Figures of the diversity of tunes and histories, for the data card."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from aigc_models.modalities.events import near
from aigc_models.modalities.events.events import Events


def spread(contents: Sequence[Events]) -> dict[str, Any]:
    """Of tunes and of histories, each where there are some.

    `distinct_4`: different runs of four intervals and durations over all of them, as `distinct_2` counts words
    (Li et al. 2016, section 5). `item_entropy_bits` is of how often each item comes: 2 to that power items would come
    equally often.
    """
    tunes, histories = ([one for one in contents if one.tune is wanted] for wanted in (True, False))
    return {**(_of_tunes(tunes) if tunes else {}), **(_of_histories(histories) if histories else {})}


def _of_tunes(contents: Sequence[Events]) -> dict[str, Any]:
    runs = Counter(piece for content in contents for piece in near.pieces(content))
    pitches = Counter(pitch for content in contents for pitch in content.values.tolist())
    voices = Counter(len(set(content.voices.tolist())) for content in contents if content.voices is not None)
    return {
        "notes": pitches.total(),
        "mean_notes": round(pitches.total() / len(contents), 1),
        "mean_quarters": round(sum(content.length for content in contents) / len(contents), 1),
        "voices": {str(count): items for count, items in sorted(voices.items())},
        "pitches": len(pitches),
        "pitch_entropy_bits": _entropy(pitches.values()),
        "distinct_4": round(len(runs) / max(1, runs.total()), 4),
    }


def _of_histories(contents: Sequence[Events]) -> dict[str, Any]:
    items = Counter(item for content in contents for item in content.values.tolist())
    return {
        "events": items.total(),
        "mean_events": round(items.total() / len(contents), 1),
        "items": len(items),
        "item_entropy_bits": _entropy(items.values()),
        "most_frequent_share": round(max(items.values(), default=0) / max(1, items.total()), 4),
    }


def _entropy(counts: Iterable[int]) -> float:
    """Shannon entropy in bits."""
    values = sorted(counts)  # summed in one order on every machine
    total = sum(values)
    return round(sum(count / total * math.log2(total / count) for count in values), 4)
