"""Divide one group inside: its first items are train, then come validation and test, with a gap before each border."""

from __future__ import annotations

from collections.abc import Mapping

GAP = 0.01  # of a group's items, and at least one: what lies side by side in a document or a clip is alike
FEWEST_TRAIN = 2


def borders(items: int, shares: Mapping[str, float]) -> dict[str, tuple[int, int]]:
    """Where each split begins and ends among `items` in their order; `shares` are those of validation and test.

    >>> borders(150, {"validation": 0.1, "test": 0.1})
    {'train': (0, 116), 'validation': (118, 133), 'test': (135, 150)}
    """
    end, gap = items, width(items)
    ranges: dict[str, tuple[int, int]] = {}
    for name, share in reversed(list(shares.items())):
        begin = end - max(1, round(items * share))
        ranges[name] = begin, end
        end = begin - gap
    ranges["train"] = 0, end
    return dict(reversed(list(ranges.items())))


def width(items: int) -> int:
    """How many of so many items a gap takes."""
    return max(1, round(items * GAP))


def divisible(items: int, shares: Mapping[str, float]) -> bool:
    """Whether so many items are enough for every split."""
    return borders(items, shares)["train"][1] >= FEWEST_TRAIN


def part(at: int, items: int, shares: Mapping[str, float], grown: bool) -> str | None:
    """The split of the item at a place, None in a gap. Where the group has `grown` by these items, another gap keeps
    them from those that were there. Too few items are train in a new group, else they go on with its last split."""
    if not divisible(items, shares):
        return list(shares)[-1] if grown else "train"
    if grown and at < width(items):
        return None
    return next((name for name, (begin, end) in borders(items, shares).items() if begin <= at < end), None)
