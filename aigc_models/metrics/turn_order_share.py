"""Share of turns that follow the order that is asked for: behind another's turn the speaker of the label speaks, and alone.

A candidate is given the turn before and the label, and writes the name and the words itself. Only for scripts
(`--option items=turns`).
"""

from __future__ import annotations

import numpy as np

from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics._shares import shares
from aigc_models.metrics._turns import applies, asked, said
from aigc_models.reading import script

__all__ = ["MODALITIES", "applies", "measure"]

MODALITIES = frozenset({"text"})


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For the candidates that write text (`_writers`), paired by turn."""
    wanted = [turn.speaker for turn in asked(evidence)]
    figures = {}
    for name, texts in said(evidence, headed=False).items():
        speakers = [[turn.speaker for turn in script.turns(text)] for text in texts]
        figures[name] = np.array([one == [speaker] for one, speaker in zip(speakers, wanted, strict=True)], dtype=np.float64)
    return shares(figures, "higher")
