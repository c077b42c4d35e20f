"""Texts learnt with their end first come back as they were, and a model that learnt them is given both sides."""

import numpy as np
import pytest

from aigc_models.modalities import text
from aigc_models.modalities.text import filling

TEXTS = [f"def add_{number}(a, b):\n    return a + b + {number}  # é" for number in range(200)]


@pytest.mark.parametrize("tokeniser", ["bytes", "bpe"])
def test_a_share_of_the_train_texts_has_its_end_first(tokeniser) -> None:
    format = text.learned(text.Format(length=64, tokeniser=tokeniser, pieces=300, fill_in=0.4), TEXTS)
    values = text.encode_train(TEXTS, format)
    rearranged = [row[0] == filling.marks(format.learned)[0] for row in values.rows()]
    assert 0.3 < np.mean(rearranged) < 0.5
    assert text.decode(values, format) == TEXTS
    assert text.decode(text.encode(TEXTS, format), format) == TEXTS
    again = text.encode_train(TEXTS[::-1], format)
    assert [row.tolist() for row in again.rows()][::-1] == [row.tolist() for row in values.rows()]


def test_what_is_given_reads_as_the_end_and_then_the_beginning() -> None:
    format = text.Format(length=64, fill_in=0.5)
    given = bytes(text.symbols("ab", format, suffix="yz").tolist())
    assert given == b"\xfeyz\xffab"
    assert text.unwritten(format) == (0xFE, 0xFF)
    assert text.decode(text.Sequences.of([[*given, *b"cd", 256]]), format) == ["abcdyz"]


def test_a_format_without_it_is_as_it_was() -> None:
    format = text.Format(length=64)
    assert "fill_in" not in format.model_dump()
    assert text.unwritten(format) == ()
    values, plain = text.encode_train(TEXTS, format), text.encode(TEXTS, format)
    assert values.symbols.tolist() == plain.symbols.tolist()
