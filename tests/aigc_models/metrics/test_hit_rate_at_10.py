"""The tenth is a hit, the eleventh is not; the rest is tested with NDCG."""

import pytest

from aigc_models.metrics import hit_rate_at_10
from tests.aigc_models.metrics.test_ndcg_at_10 import END, evidence, rising


def test_ten_are_recommended() -> None:
    histories = [[30, 10, END], [30, 11, END], [29, 1, END], [29, 0, END]]
    measured = hit_rate_at_10.measure(evidence(histories, {"m": rising(4)}))["m"]
    assert measured.value == pytest.approx(0.5)
    assert measured.unit == "share"
