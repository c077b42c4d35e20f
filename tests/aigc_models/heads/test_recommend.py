"""What each split sees of a history, and which data sets are refused."""

import numpy as np
import pytest

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.heads import recommend
from aigc_models.modalities.events import Format
from aigc_models.sequences import Sequences

END = 9


def test_the_last_items_are_left_out_of_what_models_learn() -> None:
    whole = Sequences.of([[1, 2, 3, 4, END], [5, 6, END], [7, 0, 0, 8, END], [1, 0, 2, 3, END], [END]])
    parts = {name: recommend.divided(whole, name) for name in ("train", "validation", "test")}
    rows = {name: [row.tolist() for row in values.rows()] for name, (values, _) in parts.items()}
    assert rows["train"] == [[1, 2, END], [5, 6, END], [7, 0, 0, 8, END], [1, 0, END], [END]]
    assert rows["validation"] == [[1, 2, 3, END], [1, 0, 2, END]]
    assert rows["test"] == [[1, 2, 3, 4, END], [1, 0, 2, 3, END]]
    assert [kept.tolist() for _, kept in parts.values()] == [[0, 1, 2, 3, 4], [0, 3], [0, 3]]
    assert whole.symbols.tolist()[:5] == [1, 2, 3, 4, END]  # the whole is left as it was


def corpus(count: int) -> Corpus:
    return Corpus("events", Sequences.of([[1, 2, 3, END]] * count), np.zeros(count, dtype=np.int64))


@pytest.mark.parametrize(
    ("format", "histories", "message"),
    [
        (Format(kind="notes", length=16), 20, "takes histories of items, and the data set holds tunes"),
        (Format(kind="history", length=16, items=("a", "b")), 20, "takes 10 items that two histories hold, and there are 2"),
        (Format(kind="history", length=16, items=tuple("abcdefghij")), 3, "takes 10 histories, and the data set has 3"),
    ],
)
def test_what_cannot_teach_it_is_refused(format: Format, histories: int, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        recommend.check(Shape("events", (), format, "recommend"), corpus(histories))


def test_enough_histories_are_taken() -> None:
    recommend.check(Shape("events", (), Format(kind="history", length=16, items=tuple("abcdefghij"))), corpus(10))
