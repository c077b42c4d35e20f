import math

import numpy as np
import pytest

from aigc_models.evidence import Difference
from aigc_models.metrics._bootstrap import averages
from tasks.judge.margin import POWER, advice, hold, loss


def test_what_is_worse_lies_above_zero_whichever_way_the_metric_goes() -> None:
    gain = Difference(value=0.02, low=-0.01, high=0.05)
    assert loss(gain, "lower") == gain
    assert loss(gain, "higher") == Difference(value=-0.02, low=-0.05, high=0.01)


def test_the_items_that_are_asked_for_tell_two_equal_models_in_four_of_five_cases() -> None:
    few, margin, spread, rng = 100, 0.05, 0.3, np.random.default_rng(0)
    half = 1.96 * spread / math.sqrt(few)
    held = hold(Difference(value=0.0, low=-half, high=half), margin, few)
    assert held.items == math.ceil(few * (POWER * half / margin) ** 2) == 283
    passed = 0
    for seed in range(300):
        figures = {"challenger": rng.normal(0, spread, held.items), "champion": np.zeros(held.items)}
        difference = averages(figures, "nats", "lower", seed)["challenger"].versus["champion"]
        passed += hold(difference, margin, held.items).standing in ("better", "not worse")
    assert passed / 300 == pytest.approx(0.8, abs=0.07)


@pytest.mark.parametrize(
    ("items", "words"),
    [(283, "about 290 test"), (1_001, "about 1,100 test"), (9, "about 9 test"), (20_000_000, "more than ten million test")],
)
def test_the_advice_is_rounded_up(items: int, words: str) -> None:
    held = hold(Difference(value=0.0, low=-2.0, high=2.0), 1.0, 1)._replace(items=items)
    assert f"not told apart: {words} items would tell a difference of 1 nats" == advice(held, "nats")


def test_without_a_margin_and_without_a_gain_no_number_of_items_tells() -> None:
    held = hold(Difference(value=0.01, low=-0.1, high=0.12), 0.0, 50)
    assert (held.standing, held.items, advice(held, "")) == ("not told apart", None, "not told apart")
