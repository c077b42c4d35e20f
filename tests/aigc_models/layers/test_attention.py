"""Rotary positions are relative, packing loses nothing, groups of like length change nothing."""

import torch
from torch import Tensor

from aigc_models.corpus import Batch
from aigc_models.layers.attention import (
    Block,
    GramEmbedding,
    band,
    drop_condition,
    of_like_length,
    pack,
    predict,
    rotate,
    score,
    shifted,
)
from aigc_models.modalities.text import END, OUTPUTS, PAD, START


def padded(texts: list[bytes]) -> Tensor:
    values = torch.full((len(texts), max(map(len, texts)) + 1), PAD)
    for row, text in zip(values, texts, strict=True):
        row[: len(text) + 1] = torch.tensor([*text, END])
    return values


def test_rotary_products_depend_on_the_distance_alone() -> None:
    query, key = torch.randn(1, 1, 1, 8), torch.randn(1, 1, 1, 8)
    near = (rotate(query, 7) * rotate(key, 3)).sum()
    far = (rotate(query, 107) * rotate(key, 103)).sum()
    other = (rotate(query, 8) * rotate(key, 3)).sum()
    assert torch.isclose(near, far, atol=1e-4)
    assert not torch.isclose(near, other, atol=1e-4)


def test_band_sees_its_own_position_and_the_window_before_it() -> None:
    assert band(4, 2, torch.device("cpu")).int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 1, 0], [0, 0, 1, 1]]


def test_steps_of_a_block_are_its_forward_pass() -> None:
    torch.manual_seed(0)
    block, x = Block(16, 2, 0.0).eval(), torch.randn(2, 5, 16)
    cache, outputs = None, []
    for time in range(5):
        step, cache = block.step(x[:, time : time + 1], cache, window=8)
        outputs.append(step)
    assert torch.allclose(block(x, None, causal=True), torch.cat(outputs, dim=1), atol=1e-5)


def test_shifted_begins_with_start() -> None:
    assert shifted(torch.tensor([[1, 2, END]])).tolist() == [[START, 1, 2]]


def test_pack_keeps_every_symbol_with_its_input_and_condition() -> None:
    values = padded([b"abc", b"", b"defgh"])
    rows = pack(values, torch.tensor([5, 6, 7]), window=4, rows=10)
    there = rows.targets != PAD
    assert rows.targets[there].tolist() == [*b"abc", END, END, *b"defgh", END]
    assert rows.inputs[there].tolist() == [START, *b"abc", START, START, *b"defgh"]
    assert rows.conditions[there].tolist() == [5] * 4 + [6] + [7] * 6
    seen = rows.apart(causal=True)[1, 0]  # the row of items 1, 2, 2, 2
    assert seen.int().tolist() == [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 1, 0], [0, 1, 1, 1]]


def test_pack_takes_no_more_rows_than_asked() -> None:
    assert pack(padded([b"x" * 100]), torch.tensor([0]), window=8, rows=3).inputs.shape == (3, 8)


def test_groups_of_like_length_hold_every_item_once() -> None:
    values = padded([b"long text", b"a", b"", b"mid"])
    groups = list(of_like_length(values, size=2))
    assert sorted(torch.cat([index for index, _ in groups]).tolist()) == [0, 1, 2, 3]
    assert [cut.shape[1] for _, cut in groups] == [2, 10]


def test_score_is_zero_at_padding_and_in_order() -> None:
    table = torch.randn(OUTPUTS + 2, OUTPUTS)
    values = padded([b"abcdef", b"x", b"yz"] * 20)
    scores = score(lambda inputs, conditions: table[inputs], Batch(values, torch.zeros(60, dtype=torch.int64)))
    expected = table[shifted(values)].log_softmax(-1).gather(2, values.clamp(max=END)[..., None])[..., 0]
    assert torch.allclose(scores, expected.masked_fill(values == PAD, 0.0), atol=1e-5)


def test_predict_gives_the_whole_distributions_in_order() -> None:
    table = torch.randn(OUTPUTS + 2, OUTPUTS)
    values = padded([b"abcdef", b"x", b"yz"] * 20)
    distributions = predict(lambda inputs, conditions: table[inputs], Batch(values, torch.zeros(60, dtype=torch.int64)))
    expected = table[shifted(values)].log_softmax(-1)
    assert torch.allclose(distributions[values != PAD], expected[values != PAD], atol=1e-5)


def test_drop_condition_hides_the_share() -> None:
    torch.manual_seed(0)
    dropped = drop_condition(torch.zeros(4000, dtype=torch.int64), none=3, share=0.1)
    assert set(dropped.tolist()) == {0, 3}
    assert 0.07 < float((dropped == 3).float().mean()) < 0.13


def test_gram_embedding_of_the_last_symbols_is_that_of_the_whole_text() -> None:
    embedding = GramEmbedding(8, longest=4, buckets=64)
    tokens = torch.tensor([[START, *b"abcab", START, *b"abc"]])
    whole, recent = embedding(tokens), embedding.none_yet(1)
    for time in range(tokens.shape[1]):
        recent = torch.cat([recent[:, 1:], tokens[:, time : time + 1]], dim=1)
        assert torch.allclose(whole[:, time], embedding.last(recent), atol=1e-6)


def test_gram_embedding_does_not_reach_past_a_start() -> None:
    embedding = GramEmbedding(8, longest=4, buckets=64)
    one, two = embedding(torch.tensor([[*b"xy", START, *b"ab"], [*b"pq", START, *b"ab"]]))
    assert torch.equal(one[2:], two[2:])
    assert not torch.equal(one[:2], two[:2])
