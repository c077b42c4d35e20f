from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from aigc_models.metrics import _numbers, interval_coverage, mae, r2, rmse

PEERS = {rmse: root_mean_squared_error, mae: mean_absolute_error, r2: r2_score}


@pytest.mark.parametrize("metric", PEERS, ids=lambda metric: metric.__name__.rpartition(".")[2])
def test_figures_are_those_of_scikit_learn_with_intervals_that_tell_good_from_weak(number_evidence, metric):
    measured, given = metric.measure(number_evidence), _numbers.answers(number_evidence)
    assert set(measured) == {"ensemble", "baseline", "good", "weak"}
    for name, figure in measured.items():
        assert figure.value == pytest.approx(PEERS[metric](given.truth, given.said[name]), rel=1e-6)
        assert figure.low < figure.value < figure.high
    apart = measured["good"].versus["weak"]
    assert apart.high < 0 if measured["good"].better == "lower" else apart.low > 0


def test_intervals_of_validation_hold_nine_in_ten_and_a_model_states_its_own(number_evidence):
    measured = interval_coverage.measure(number_evidence)
    assert measured["good"].value == pytest.approx(0.9, abs=0.05)
    assert measured["weak"].value == pytest.approx(0.9, abs=0.05)
    assert measured["ensemble"].value < 0.7, "its own interval is too narrow"
    few = replace(number_evidence, validation=number_evidence.validation.take(np.arange(4)))
    assert set(interval_coverage.measure(few)) == {"ensemble"}


def test_where_nothing_can_be_said_nothing_applies(number_evidence):
    same = replace(number_evidence.test, targets=np.ones((600, 1), np.float32))
    assert not r2.applies(replace(number_evidence, test=same))
    assert rmse.applies(replace(number_evidence, test=same))
    for metric in (rmse, mae, r2, interval_coverage):
        assert metric.applies(number_evidence)
        assert not metric.applies(replace(number_evidence, models={"dumb": object()}))
