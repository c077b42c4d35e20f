"""Frechet distance between real train items and real test items: what a perfect generator would score.

Train items are dealt out to match the test items label by label, several times over, as generated ones are.
"""

from __future__ import annotations

from aigc_models.canvas import painted
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._bootstrap import POSITIVE
from aigc_models.metrics._halves import halved
from aigc_models.metrics._judge import judge
from aigc_models.metrics.frechet_distance import UNIT, measured

MODALITIES = painted()


def measure(evidence: Evidence) -> dict[str, Measurement]:
    jury = judge(evidence)
    dealt = jury.features(evidence.train)[jury.hands(evidence.train)]
    return halved({"real": measured(jury, dealt)}, UNIT, "lower", POSITIVE)
