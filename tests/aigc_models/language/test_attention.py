"""Rotary positions are relative, and what is read in parts is what is read at once."""

import torch

from aigc_models.language.attention import Block, GramEmbedding, Rotation, band
from aigc_models.sequences import Vocabulary

BYTES = Vocabulary(256)
END = BYTES.end


def test_rotary_products_depend_on_the_distance_alone() -> None:
    query, key = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)

    def product(one: int, other: int) -> torch.Tensor:
        return (Rotation.of(one, 1, 8, query)(query) * Rotation.of(other, 1, 8, key)(key)).sum()

    assert torch.isclose(product(7, 3), product(1_000_007, 1_000_003), atol=1e-4)
    assert not torch.isclose(product(7, 3), product(8, 3), atol=1e-4)


def test_band_sees_its_own_position_and_the_window_before_it() -> None:
    assert band(4, 0, 2, torch.device("cpu")).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]
    assert band(2, 2, 3, torch.device("cpu")).int().tolist() == [[1, 1, 1, 0], [0, 1, 1, 1]]


def test_a_block_gives_in_parts_what_it_gives_at_once() -> None:
    torch.manual_seed(0)
    block, x = Block(16, 2, 0.0).eval(), torch.randn(2, 5, 16)
    cache, outputs = block.attention.nothing(2), []
    for first, last in ((0, 1), (1, 4), (4, 5)):
        mask = band(last - first, first, 8, x.device)
        part, cache = block.after(x[:, first:last], cache, Rotation.of(first, last - first, 8, x), mask)
        outputs.append(part)
    assert torch.allclose(block(x, Rotation.of(0, 5, 8, x), None, causal=True), torch.cat(outputs, dim=1), atol=1e-5)


def test_gram_embedding_in_parts_is_that_of_the_whole_text() -> None:
    embedding = GramEmbedding(BYTES, 8, longest=4, buckets=64)
    tokens = torch.tensor([[END, *b"abcab", END, *b"abc"]])
    whole, recent = embedding(tokens), embedding.none_yet(1)
    for first, last in ((0, 1), (1, 2), (2, 7), (7, 10)):
        part, recent = embedding.after(recent, tokens[:, first:last])
        assert torch.allclose(whole[:, first:last], part, atol=1e-6)


def test_gram_embedding_does_not_reach_past_the_end_of_an_item() -> None:
    embedding = GramEmbedding(BYTES, 8, longest=4, buckets=64)
    one, two = embedding(torch.tensor([[*b"xy", END, *b"ab"], [*b"pq", END, *b"ab"]]))
    assert torch.equal(one[2:], two[2:])
    assert not torch.equal(one[:2], two[:2])
