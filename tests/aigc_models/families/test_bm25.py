import math
from collections import Counter

import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from aigc_models.capabilities import Fits, Shape, Stateful, capabilities
from aigc_models.corpus import Corpus
from aigc_models.families import bm25
from aigc_models.language.pairs import batch_of
from aigc_models.modalities import text

FORMAT = text.Format(length=128)
SHAPE = Shape("text", (), FORMAT, "match")
TRAIN = [
    "How do I cancel my order?\nOpen the order and press stop.",
    "please cancel the purchase\nOpen the order and press stop.",
    "Where is my parcel?\nThe parcel is on its way, the way is long.",
    "When do you open?\nAt nine.",
]
HELD = ["please, a purchase\nOpen the order and press stop.", "parcel?\nThe parcel is on its way, the way is long."]


def corpus(written):
    return Corpus("text", text.encode(written, FORMAT), np.zeros(len(written), dtype=np.int64))


def fitted(train=TRAIN, held=HELD, **config):
    model = bm25.build(bm25.Config(**config), SHAPE)
    return model, model.fit(corpus(train), corpus(held), lambda *args, **figures: None)


def batch(*written):
    return batch_of(list(written), FORMAT, 0)


def plain(question, document, documents, mean, k1, b):
    """The formula, term by term."""
    words, total = document.lower().split(), 0.0
    for term in question.lower().split():
        holding = sum(term in other.lower().split() for other in documents)
        rare = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
        often = Counter(words)[term]
        total += rare * often * (k1 + 1) / (often + k1 * (1 - b + b * len(words) / mean))
    return total


def test_is_the_formula_of_robertson_and_zaragoza_on_both_sides():
    train = ["red apple tree\nit is red red", "green pear\nit is a green pear", "pear tree\nit is red red"]
    questions, answers = ["a red red pear", "green tree"], ["it is red red", "it is a green pear", "never seen green"]
    asked, said = ["red apple tree", "green pear", "pear tree"], ["it is red red", "it is a green pear"]
    for past in (0.0, 0.25, 1.0):
        model, _ = fitted(train, [], k1=(1.2,), b=(0.75,), past=(past,))
        scores = model.match(batch(*questions), batch(*answers))
        for row, question in enumerate(questions):
            for column, answer in enumerate(answers):
                left = plain(question, answer, asked + said, 4.5, 1.2, 0.75)
                cases = [one for one, other in zip(asked, [0, 1, 0], strict=True) if other == column]
                right = max((plain(question, one, asked + said, 7 / 3, 1.2, 0.75) for one in cases), default=0.0)
                assert float(scores[row, column]) == pytest.approx((1 - past) * left + past * right, abs=1e-5)


def test_a_question_like_a_past_one_gets_its_answer_and_the_weight_of_past_ones_is_chosen_on_validation():
    model, loss = fitted()
    assert model.past > 0, "the held question shares its words with train questions alone"
    assert loss == 0
    assert fitted(past=(0.0,))[1] > loss
    scores = model.match(batch("cancel the purchase"), batch("At nine.", "Open the order and press stop.", "At nine."))
    assert scores.argmax() == 1
    assert scores[0, 0] == scores[0, 2], "the same answer twice has the same score"


def test_what_shares_no_word_scores_zero_and_signs_without_blanks_are_words():
    model, _ = fitted()
    assert model.match(batch("???", "zebra"), batch("At nine.", "Stop.")).tolist() == [[0, 0], [0, 0]]
    chinese, _ = fitted(["你好吗\n我很好", "几点了\n九点了"], [])
    assert chinese.match(batch("现在几点"), batch("我很好", "九点了")).argmax() == 1


def test_capabilities_and_a_round_trip_through_safetensors():
    model, _ = fitted()
    assert isinstance(model, Fits)
    assert isinstance(model, Stateful)
    assert capabilities(model) == ("matches",)
    other = bm25.build(bm25.Config(), SHAPE)
    other.load_state_dict(load(save(dict(model.state_dict()))))
    asked, pool = batch("cancel my parcel?", "open"), batch(*(one.partition("\n")[2] for one in TRAIN))
    assert torch.equal(model.match(asked, pool), other.match(asked, other.index(pool)))
    assert torch.equal(model.match(asked.part(slice(1, 2)), pool), model.match(asked, pool)[1:])
    with pytest.raises(ValueError, match="k1, b and the weight"):
        other.load_state_dict({**model.state_dict(), "chosen": torch.tensor([1.0, 2.0, 0.0])})
    empty = bm25.build(bm25.Config(), SHAPE)
    empty.load_state_dict(load(save(dict(empty.state_dict()))))
    assert empty.match(asked, pool).shape == (2, 4)
