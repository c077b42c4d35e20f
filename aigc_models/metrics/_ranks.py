"""At which rank each candidate recommends the item that came next, among all items."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch

from aigc_models.capabilities import Recommends
from aigc_models.corpus import Batch
from aigc_models.evidence import Evidence
from aigc_models.recommending.histories import UNKNOWN, asked, repeats, seen
from aigc_models.training.devices import place_of

AT_ONCE = 64
NONE = np.iinfo(np.int64).max  # the rank of an item that the vocabulary lacks: it cannot be recommended


def recommenders(evidence: Evidence) -> dict[str, Recommends]:
    """The candidates that say what comes next."""
    return {name: model for name, model in evidence.models.items() if isinstance(model, Recommends)}


def ranks(evidence: Evidence) -> Mapping[str, np.ndarray]:
    """Of the last item of each test history, int64 (item,), 0 the first, by candidate; made once.

    What a history holds is left out, as whoever recommends leaves it out; where the train histories repeat items, nothing is.
    A target that its history holds all the same is never left out itself. Ties are broken at random: the draws depend
    on the history's place and the symbol alone, and are the same for every candidate.
    """
    if "ranks" not in evidence.shared:
        with torch.no_grad():
            evidence.shared["ranks"] = _ranks(evidence)
    result: Mapping[str, np.ndarray] = evidence.shared["ranks"]
    return result


def _ranks(evidence: Evidence) -> dict[str, np.ndarray]:
    models, again = recommenders(evidence), repeats(evidence.train.sequences)
    result = {name: np.zeros(len(evidence.test), dtype=np.int64) for name in models}
    random = np.random.default_rng(evidence.seed)
    for number, batch in enumerate(evidence.test.batches(AT_ONCE)):
        rows = slice(number * AT_ONCE, number * AT_ONCE + len(batch))
        evidence.progress(rows.start, len(evidence.test))
        before, target = asked(batch)
        ties: torch.Tensor | None = None
        for name, model in models.items():
            said = model.recommend(before.to(place_of(model))).cpu()
            if ties is None:
                ties = torch.from_numpy(random.random(said.shape))
            result[name][rows] = _rank(said, before, target, ties, again).numpy()
    return result


def _rank(said: torch.Tensor, before: Batch, target: torch.Tensor, ties: torch.Tensor, again: bool) -> torch.Tensor:
    hidden = torch.zeros_like(said, dtype=torch.bool) if again else seen(before, said.shape[1])
    hidden[:, UNKNOWN] = True
    asked_for = target.clamp(min=UNKNOWN)[:, None]
    own, tie = said.gather(1, asked_for), ties.gather(1, asked_for)
    better = ((said > own) | ((said == own) & (ties > tie))) & ~hidden
    return better.sum(1).masked_fill(target <= UNKNOWN, NONE)
