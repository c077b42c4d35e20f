"""Every row is full, goes on from step to step, and each symbol comes with what stands before it."""

import numpy as np

from aigc_models.corpus import Corpus
from aigc_models.language.rows import Rows
from aigc_models.sequences import Sequences, Vocabulary

BYTES = Vocabulary(256)
END = BYTES.end


def corpus(texts: list[bytes]) -> Corpus:
    return Corpus("text", Sequences.of([*text, END] for text in texts), np.arange(len(texts)) % 3)


def read(data: Corpus, rows: int, window: int, steps: int, unlabelled: float = 0.0) -> np.ndarray:
    """(4, row, time) of some steps one after the other."""
    batches = Rows(data, BYTES, rows, window, seed=3, none=9, unlabelled=unlabelled)
    return np.concatenate([np.stack([part.numpy() for part in batches(step)[:4]]) for step in range(steps)], axis=2)


def test_a_row_goes_on_where_it_was_and_every_symbol_comes_once_an_epoch() -> None:
    texts = [b"abc", b"", b"defgh", b"ij", b"a longer text that takes several rows"]
    data = corpus(texts)
    inputs, targets, conditions, item = read(data, 1, 4, 13)  # one epoch has 52 symbols
    first = targets[0, :52]
    assert sorted(first.tolist()) == sorted([symbol for text in texts for symbol in (*text, END)])
    starts = np.flatnonzero(np.r_[True, np.diff(item[0, :52]) != 0])
    assert (inputs[0, starts] == END).all()
    rest = np.setdiff1d(np.arange(1, 52), starts)
    assert (inputs[0, rest] == targets[0, rest - 1]).all()
    assert (conditions[0, :52] == item[0, :52] % 3).all()
    for at, last in zip(starts, [*starts[1:], 52], strict=True):
        assert targets[0, at:last].tolist() == [*texts[item[0, at]], END]


def test_rows_side_by_side_share_the_items_and_epochs_have_orders_of_their_own() -> None:
    data = corpus([bytes([97 + at]) * 9 for at in range(8)])  # 80 symbols
    _, targets, _, item = read(data, 4, 5, 8)  # 20 symbols a row and epoch
    assert sorted(targets[:, :20].ravel().tolist()) == sorted(data.values.symbols.tolist())
    assert len(set((item % 8)[0, :20].tolist())) == 2
    assert item[0, 0] < 8 <= item[3, 20]
    orders = [item[:, :20].ravel(), item[:, 20:].ravel() % 8]
    assert orders[0].tolist() != orders[1].tolist()


def test_small_data_fill_rows_too_and_steps_do_not_depend_on_those_before() -> None:
    data = corpus([b"ab"])
    whole = read(data, 3, 8, 4)
    assert set(np.unique(whole[1])) == {97, 98, END}
    batches = Rows(data, BYTES, 3, 8, seed=3, none=9)
    assert np.array_equal(whole[1, :, 24:], batches(3).targets.numpy())


def test_the_condition_of_a_share_of_items_is_hidden_whole() -> None:
    data = corpus([b"abc"] * 400)
    _, _, conditions, item = read(data, 2, 100, 8, unlabelled=0.2)
    hidden = {int(one) for one in item[conditions == 9]}
    assert 0.14 < len(hidden) / 400 < 0.26
    assert not hidden & {int(one) for one in item[conditions != 9]}
