import numpy as np
import pytest

from aigc_models.language.pairs import Pair, distinct_answers, hits, pair, pairs_of, ranks, right_answers
from aigc_models.modalities import text

PAIRS = [Pair("hi", "hello"), Pair("who are you?", "a machine"), Pair("hi", "good day"), Pair("what are you?", "a machine")]


def test_the_first_line_asks_and_the_others_answer():
    assert pair("What is AI?\nA science.\nOf machines.") == ("What is AI?", "A science.\nOf machines.")
    assert pair("What is AI?") == ("What is AI?", "")
    written = ["hi?\nhi there", "why?\nno\nreason", "hi?\nhi there, hi there"] * 20
    form = text.choose_format(written)
    pieces = text.learned(form.model_copy(update={"tokeniser": "bpe", "pieces": 300}), written)
    for format in (form, pieces):
        assert pairs_of(text.encode(written, format), format) == [pair(one) for one in written]


def test_every_answer_that_the_data_give_to_a_question_is_right():
    pool = distinct_answers(PAIRS)
    assert pool == ["hello", "a machine", "good day"]
    expected = [[True, False, True], [False, True, False]]
    assert right_answers(PAIRS[:2], PAIRS, pool).tolist() == expected


@pytest.mark.parametrize("first", [1, 2, 5])
def test_answers_of_the_same_score_are_in_random_order(first):
    random = np.random.default_rng(0)
    scores, right = random.integers(0, 3, (6, 8)).astype(float), random.random((6, 8)) < 0.3
    right[:, 0] = True
    drawn = np.zeros(6)
    for _ in range(4000):
        order = np.lexsort((random.random(scores.shape), -scores))[:, :first]
        drawn += np.take_along_axis(right, order, axis=1).any(1)
    assert np.allclose(hits(scores, right, first), drawn / 4000, atol=0.04)


def test_what_is_no_number_is_below_all_others():
    right = np.array([[False, True, False]])
    assert hits(np.array([[0.0, np.nan, -5.0]]), right, 1)[0] == 0
    assert ranks(np.array([[0.0, np.nan, -5.0]]), right)[0] == 3
    assert ranks(np.array([[0.0, 0.0, 1.0]]), right)[0] == 2.5
