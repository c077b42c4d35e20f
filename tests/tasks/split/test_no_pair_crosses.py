"""No near-duplicate pair crosses train, validation and test, in whatever order pairs are planted and added."""

from __future__ import annotations

import random
from typing import Any

import pytest

from aigc_models.modalities import text
from tasks.dataset.tables import read
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.split.split import SplitSettings, split


def divided(data: Any) -> tuple[dict[str, str], dict[str, str]]:
    """The split of each item, and the reason of each that stands nowhere."""
    duplicates = deduplicate.plain(data.ref, DeduplicateSettings(), data.context("deduplicate"))
    split.plain(data.ref, duplicates, SplitSettings(validation=0.25, test=0.25), data.context("split"))
    placed = read([data.clean.parent / "splits.parquet"], ["id", "split"])
    left = read([data.clean.parent / "quarantine.parquet"], ["id", "reason"])
    return dict(zip(placed["id"], placed["split"], strict=True)), dict(zip(left["id"], left["reason"], strict=True))


def edited(line: str, source: random.Random) -> str:
    """Some characters changed, as near or as far as it comes out."""
    changed = list(line)
    for _ in range(source.randrange(1, 4)):
        changed[source.randrange(len(changed))] = source.choice("abcdefgh .")
    return "".join(changed)


def grown(texts: list[str], count: int, source: random.Random) -> list[str]:
    """`texts` with edits of them, edits of edits, and texts that are half of one and half of another."""
    pool = list(texts)
    for _ in range(count):
        one, other = source.choice(pool), source.choice(pool)
        pool.append(one[: len(one) // 2] + other[len(other) // 2 :] if source.random() < 0.2 else edited(one, source))
    return list(dict.fromkeys(pool))


def crossing(ids: list[str], texts: list[str], placed: dict[str, str]) -> list[tuple[str, str]]:
    """Pairs in two splits that are near-duplicates by their contents, found by comparing all with all."""
    traits = [text.traits(one) for one in texts]
    return [
        (ids[at], ids[to])
        for to in range(len(ids))
        for at in range(to)
        if len({placed.get(ids[at]), placed.get(ids[to]), None}) == 3 and text.alike(traits[at], traits[to])
    ]


def ladder(line: str) -> list[str]:
    """Three texts of which the second is a near-duplicate of both others, and these are none of each other."""
    words = line.split()
    one, two = [*words], [*words]
    one[3] = two[3] = "replaced"
    two[12] = "replaced"
    return [line, " ".join(one), " ".join(two)]


@pytest.mark.parametrize("seed", range(4))
def test_no_planted_pair_crosses_also_after_more_was_added(handmade, sentences, seed: int) -> None:
    data, source = handmade(), random.Random(seed)
    texts = grown(sentences(40, start=1000 * seed), 60, source)
    source.shuffle(texts)
    halves = sentences(20, start=1000 * seed + 500)
    ladders = [ladder(f"{one} {other}") for one, other in zip(halves[::2], halves[1::2], strict=True)]
    texts += [rungs[end] for rungs in ladders for end in (0, 2)]
    ids = data.add(texts)
    before, left = divided(data)
    assert crossing(ids, texts, before) == []
    assert set(before.values()) == {"train", "validation", "test"}

    apart = [before[ids[at]] != before[ids[at + 1]] for at in range(len(ids) - 2 * len(ladders), len(ids), 2)]
    more = [one for one in grown(texts, 60, source) if one not in texts]
    new = data.add([rungs[1] for rungs in ladders] + more)
    after, reasons = divided(data)
    assert crossing(ids + new, texts + [rungs[1] for rungs in ladders] + more, after) == []
    assert {key: after[key] for key in before} == before
    assert {key: reasons[key] for key in left} == left
    assert sum(apart) >= 3
    for bridges, key in zip(apart, new, strict=False):
        assert (key in after) != bridges
        assert not bridges or reasons[key].startswith("its near-duplicates or its group stand in")
