"""Held to the grammar, a body compiles that would be broken."""

from aigc_models.metrics import compiles_share, compiles_share_held
from tests.aigc_models.metrics.test_compiles_share import evidence


def test_what_would_be_broken_compiles() -> None:
    asked = evidence(broken="\n    return +", outside="\n    x break")
    free = {name: one.value for name, one in compiles_share.measure(asked).items()}
    assert free == {"broken": 0, "outside": 0, "real": 1}
    held = {name: one.value for name, one in compiles_share_held.measure(asked).items()}
    assert held["broken"] > 0.5
    assert held["outside"] == 1
