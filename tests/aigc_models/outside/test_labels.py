import math

import numpy as np
import pytest

from aigc_models.outside.labels import from_tokens, label_in

MOODS = ("bad", "good", "not good")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("good", 1),
        (" **Bad**.", 0),
        ("\n\nThe label is good.\nbad", 1),
        ("not good", 2),
        ("It is not good", 2),
        ("good or bad", None),
        ("goodness me", None),
        ("I cannot say.", None),
        ("", None),
    ],
)
def test_the_only_label_that_an_answer_names(text, label):
    assert label_in(text, MOODS) == label


def test_tokens_count_for_the_label_that_they_begin():
    logs = from_tokens({" Neg": math.log(0.6), "neu": math.log(0.2), "the": math.log(0.2)}, ("negative", "neutral", "positive"))
    assert np.allclose(np.exp(logs[:2]), [0.75, 0.25], atol=1e-3)
    assert 0 < np.exp(logs[2]) < 1e-3
    assert from_tokens({"ne": 0.0}, ("negative", "neutral")) is None  # either of them
    assert from_tokens({"lorem": -0.01, "neg": -8.0}, ("negative", "neutral")) is None  # it says something else
    assert from_tokens({}, ("negative", "neutral")) is None
