import numpy as np
import pytest

from aigc_models.errors import BadInput, Unreachable
from aigc_models.outside import openers
from aigc_models.outside.classifier import cooled, counted


def test_the_table_is_counted_with_one_more_in_each_cell_and_without_who_is_silent():
    said = [0, 0, 0, np.log([0.1, 0.9]), Unreachable("asleep")]
    table = np.exp(counted(said, np.array([0, 0, 1, 1, 0]), 2))
    assert np.allclose(table, [[3 / 5, 2 / 5], [1 / 3, 2 / 3]])


def test_one_temperature_makes_an_overconfident_model_as_sure_as_it_is_right():
    random = np.random.default_rng(0)
    logits = random.normal(size=(4000, 3))
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    truth = (shares.cumsum(1) < random.random((4000, 1))).sum(1)
    assert cooled(list(4 * np.log(shares)), truth) == pytest.approx(4, rel=0.1)
    assert cooled([0, Unreachable("asleep")], np.array([0, 1])) == 1.0


def test_who_opens_a_kind_of_model_has_to_be_there():
    import tasks  # enters the one of MLflow

    assert tasks.open_model
    assert callable(openers.opener("mlflow"))
    with pytest.raises(BadInput, match="a model of kind floppy is opened by the package `tasks`"):
        openers.opener("floppy")
