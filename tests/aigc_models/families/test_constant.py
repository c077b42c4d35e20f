import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.families import constant
from aigc_models.find import find
from aigc_models.heads import headed

text = find("aigc_models.modalities", "text")
FORMAT = text.Format(length=16)


def corpus(targets):
    return Corpus("text", text.encode(["a"] * len(targets), FORMAT), np.zeros(len(targets), int), np.array(targets, np.float32))


def fitted(task, labels, train, held):
    model = constant.build(constant.SIZES["small"], Shape("text", labels, FORMAT, task))
    return model, model.fit(corpus(train), corpus(held), lambda *args, **figures: None)


def test_the_share_of_each_label_and_the_mean_of_numbers_are_said_of_every_item():
    model, loss = fitted("multilabel", ("a", "b"), [[1, 0], [1, 1], [0, 0], [np.nan, np.nan]], [[1, 0]])
    shares = model.assign(corpus([[0, 0]] * 2).batch(np.arange(2))).sigmoid()
    assert shares.tolist() == [pytest.approx([2.5 / 4, 1.5 / 4])] * 2
    assert loss == pytest.approx(-np.log([2.5 / 4, 2.5 / 4]).mean())
    model, loss = fitted("regress", (), [[1.0], [3.0], [np.nan]], [[4.0]])
    assert model.regress(corpus([[0]]).batch(np.arange(1))).tolist() == [2.0]
    assert loss == 4.0
    again = constant.build(constant.SIZES["small"], Shape("text", (), FORMAT, "regress"))
    again.load_state_dict(model.state_dict())
    assert torch.equal(again.answer, model.answer)
    assert capabilities(again) == ("regresses",)


def test_of_another_task_there_is_none():
    shape = Shape("text", ("a", "b"), FORMAT, "classify")
    with pytest.raises(BadInput, match="Constant cannot classify: it has no capability; choose another family"):
        headed(constant.build(constant.SIZES["small"], shape), shape)
