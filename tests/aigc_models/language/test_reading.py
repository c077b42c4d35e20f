"""Items of any length are read in stretches, and what a model says does not depend on who stands beside them."""

import numpy as np
import torch
from torch import Tensor

from aigc_models.corpus import Batch
from aigc_models.language import reading
from aigc_models.sequences import PAD, Sequences, Vocabulary

BYTES = Vocabulary(256)
END = BYTES.end


class Counting:
    """Has read so many symbols, and is surer of a symbol the more of them were the same."""

    vocabulary = BYTES

    def begin(self, conditions: Tensor) -> tuple[Tensor]:
        return (torch.zeros(len(conditions), BYTES.outputs),)

    def extend(self, state: tuple[Tensor], tokens: Tensor) -> tuple[Tensor, tuple[Tensor]]:
        seen = torch.nn.functional.one_hot(tokens.clamp(min=0), BYTES.outputs).cumsum(1) + state[0][:, None]
        return (seen + 1).log() - (seen + 1).sum(-1, keepdim=True).log(), (seen[:, -1].float(),)

    def advance(self, state: tuple[Tensor], tokens: Tensor) -> tuple[Tensor, tuple[Tensor]]:
        said, state = self.extend(state, tokens[:, None])
        return said[:, 0], state


def batch(lengths: list[int]) -> Batch:
    random = np.random.default_rng(0)
    values = Sequences.of([*random.integers(97, 103, length), END] for length in lengths)
    return Batch(values.tensor(), torch.zeros(len(lengths), dtype=torch.int64))


def test_shifted_begins_with_an_end() -> None:
    assert reading.shifted(torch.tensor([[1, 2, END]]), END).tolist() == [[END, 1, 2]]


def test_groups_of_like_length_hold_every_item_once() -> None:
    values = batch([9, 1, 0, 3]).values
    groups = list(reading.of_like_length(values, size=2))
    assert sorted(torch.cat([index for index, _ in groups]).tolist()) == [0, 1, 2, 3]
    assert [cut.shape[1] for _, cut in groups] == [2, 10]


def test_long_items_are_read_to_their_end_and_short_ones_beside_them_too() -> None:
    model, data = Counting(), batch([3000, 5, 700, 512, 511, 0])
    scores = reading.log_likelihood(model, data)
    assert (scores[data.values == PAD] == 0).all()
    assert (scores[data.values != PAD] < 0).all()
    for row, values in zip(scores, data.values, strict=True):
        alone = Batch(values[values != PAD][None], torch.zeros(1, dtype=torch.int64))
        whole, _ = model.extend(model.begin(alone.conditions), reading.shifted(alone.values, END))
        expected = reading.of_symbols(whole, alone.values)[0]
        assert torch.allclose(row[: len(expected)], expected, atol=1e-4)


def test_several_models_say_their_own_of_the_same_symbols() -> None:
    data = batch([600, 20])
    for part in reading.read({"one": Counting(), "two": Counting()}, data):
        assert torch.equal(part.said["one"], part.said["two"])
        assert torch.equal(part.symbols, data.values[part.items, part.first : part.first + part.symbols.shape[1]])
