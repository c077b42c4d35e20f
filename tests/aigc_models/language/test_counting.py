"""The tables against counting by hand."""

from collections import Counter, defaultdict

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_models.language.counting import Counted, count, levels, stream
from aigc_models.sequences import Sequences

END, RADIX, LONGEST = 3, 8, 5
ITEMS = st.lists(st.tuples(st.lists(st.integers(0, 2), max_size=12), st.integers(0, 2)), min_size=1, max_size=8)

Context = tuple[int, ...]  # the nearest symbol first


def by_hand(items: list[tuple[list[int], int]], length: int) -> tuple[Counter, dict]:
    """How often (trie, context, symbol) occurs, and what stands before each."""
    raw, before = Counter[tuple[int, Context, int]](), defaultdict[tuple[int, Context, int], set[int]](set)
    for content, root in items:
        whole = [END, *content, END]
        for at in range(max(1, length), len(whole)):
            key = root, tuple(reversed(whole[at - length : at])), whole[at]
            raw[key] += 1
            if at > length:
                before[key].add(whole[at - length - 1])
    return raw, before


def contexts(counted: list[Counted]) -> list[list[tuple[int, Context]]]:
    """Of each length the tries and contexts of its nodes."""
    all_: list[list[tuple[int, Context]]] = [[(root, ()) for root in counted[0].contexts.tolist()]]
    for each in counted[1:]:
        shorter, back = np.divmod(each.contexts, RADIX)
        nodes = zip(shorter.tolist(), back.tolist(), strict=True)
        all_.append([(all_[-1][node][0], (*all_[-1][node][1], symbol)) for node, symbol in nodes])
    return all_


def counted_of(items: list[tuple[list[int], int]]) -> list[Counted]:
    text = stream(Sequences.of([*content, END] for content, _ in items), END)
    root = np.array([root for _, root in items])[text.item][text.targets]
    return list(count(text, root, 3, LONGEST, RADIX))


@settings(max_examples=150, deadline=None)
@given(ITEMS)
def test_counts_are_those_by_hand(items: list[tuple[list[int], int]]) -> None:
    counted = counted_of(items)
    deepest = max(len(content) + 1 for content, _ in items)  # contexts of this length have an n-gram
    assert len(counted) == min(LONGEST, deepest)
    for length, (each, nodes) in enumerate(zip(counted, contexts(counted) if counted else [], strict=True)):
        raw, before = by_hand(items, length)
        keys = [(*nodes[node], symbol) for node, symbol in zip(each.node.tolist(), each.symbols.tolist(), strict=True)]
        assert dict(zip(keys, each.raw.tolist(), strict=True)) == raw
        assert each.continued.tolist() == [len(before[key]) or raw[key] for key in keys]
        assert each.pooled == sum(root == 0 for root, _, _ in keys)
        numbers = each.node * RADIX + each.symbols
        assert (np.diff(numbers) > 0).all()
        assert (np.diff(each.contexts) > 0).all()


def test_tables_answer_for_what_is_there_and_for_what_is_not() -> None:
    items = [([0, 1, 2, 0, 1, 1], 0), ([2, 2, 0], 1), ([0, 1, 0], 2)]
    text = stream(Sequences.of([*content, END] for content, _ in items), END)
    root = np.array([0, 1, 2])[text.item][text.targets]
    tables = [alone for alone, _ in levels(text, root, 3, 3, RADIX)]
    nodes = contexts(counted_of(items))
    for length, (table, at) in enumerate(zip(tables, nodes, strict=False)):
        raw, _ = by_hand(items, length)
        every = np.array([(node, symbol) for node in range(len(at)) for symbol in range(RADIX)])
        index, there = table.gram(every[:, 0], every[:, 1])
        assert there.tolist() == [(*at[node], symbol) in raw for node, symbol in every.tolist()]
        assert (table.symbols[index[there]] == every[there, 1]).all()
        if length:
            shorter = np.array([(node, back) for node in range(len(nodes[length - 1])) for back in range(RADIX)])
            index, there = table.node(shorter[:, 0], shorter[:, 1])
            pairs = [(nodes[length - 1][node][0], (*nodes[length - 1][node][1], back)) for node, back in shorter.tolist()]
            assert there.tolist() == [pair in at for pair in pairs]
            assert [at[node] for node in index[there].tolist()] == [pair for pair in pairs if pair in at]


@pytest.mark.parametrize("mass", [1, 3])
def test_what_is_taken_from_a_context_goes_to_the_shorter_one(mass: int) -> None:
    items = [([0, 1, 2, 0, 1, 1] * mass, 0), ([2, 2, 0], 0)]
    text = stream(Sequences.of([*content, END] for content, _ in items), END)
    for pair in levels(text, np.zeros(len(text.targets), dtype=int), 1, 3, RADIX):
        for table in pair:
            together = np.add.reduceat(table.mass, table.first[:-1]) + table.rest
            assert together == pytest.approx(np.ones(len(together)), abs=1e-6)
