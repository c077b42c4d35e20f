import numpy as np
import pytest

from aigc_models.evidence import Evidence
from aigc_models.families.seasonal_naive import SIZES, build
from aigc_models.metrics import interval_coverage_gap


def test_share_inside_is_that_by_hand(waves):
    model = build(SIZES["small"], waves.shape)
    model.fit(waves.train, waves.validation, lambda *args, **figures: None)
    evidence = Evidence(waves.train, waves.validation, waves.test, waves.shape, {"ensemble": model}, {})
    batch = waves.test.batch(np.arange(len(waves.test)))
    away = (batch.values[..., 36:] - model.mean(batch.values[..., :36])).abs() / model.state["spread"]
    assert interval_coverage_gap.covered(model, evidence).mean() == pytest.approx(
        float((away < 1.2816).float().mean()), abs=1e-3
    )
    measurement = interval_coverage_gap.measure(evidence)["ensemble"]
    assert measurement.low <= measurement.value <= measurement.high
