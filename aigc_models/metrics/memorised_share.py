"""Share of generated items that lie nearer to a training item than the closest 1 % of real test items do: copies.

A median hides a fifth of copies; this counts them one by one. The test items say what chance does, as in the test for
data-copying of Meehan, Chaudhuri and Dasgupta 2020. Near is relative, as in Carlini et al. 2023 (Extracting training data
from diffusion models, section 5.1): the distance to the nearest training item over that to the ten next ones, so that
what is smooth or common is not taken for a copy. One pixel, one click in a sound or one step of a series is left out of
the distance: such a near copy is a copy. Items that say nothing (`empty_share`) are none.

Of few test items the closest 1 % is chance. The limit is therefore a lower tolerance limit (Wilks 1941): with a confidence of
99 % at most 1 % of new items lie below it. From 459 test items on it is the distance of one of them. Below that it is
the least distance, times a factor (0.40 for 180 items, 0.18 for 80) that holds wherever distances get no denser
towards zero. Windows of a series that overlap count as the fewer ones that do not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.stats import binom

from aigc_models.canvas import painted
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence, Measurement
from aigc_models.metrics import _training_distance
from aigc_models.metrics._shares import shares
from aigc_models.metrics._training_distance import TEST
from aigc_models.metrics._windows import spans
from aigc_models.metrics.empty_share import empty

MODALITIES = painted() | {"text", "series"}
CLOSEST = 0.01  # share of new items that may lie nearer than the limit
DOUBT = 0.01  # that more of them do
REPEATED = 1e-3  # relative distance of a test item that is itself a copy, but for rounding
SHORTEST = 4  # steps of a future that can be told from chance


def applies(evidence: Evidence) -> bool:
    """Where items are generated, and real test items do not repeat the training items themselves."""
    short = evidence.shape.modality == "series" and evidence.shape.format.horizon < SHORTEST
    if short or not len(evidence.test) or len(evidence.train) < 2 or not _training_distance.made(evidence):
        return False
    return limit(evidence) is not None


def measure(evidence: Evidence) -> dict[str, Measurement]:
    """For every candidate's generated items; the interval is Wilson's."""
    least = limit(evidence)
    if least is None:
        raise ValueError("more than 1 % of the test items repeat training items, so copies cannot be told from chance")
    corpora, near = _training_distance.made(evidence), _training_distance.neighbours(evidence)
    figures = {name: copied(corpus, near[name].relative() < least, evidence) for name, corpus in corpora.items()}
    fewest = min(map(len, figures.values()))
    return shares({name: figure[:fewest] for name, figure in figures.items()}, "lower")


def copied(corpus: Corpus, near: NDArray[np.bool_], evidence: Evidence) -> NDArray[np.float64]:
    """Float64 (item,): 1.0 where an item is near and says something."""
    figures, rows = np.zeros(len(corpus)), np.flatnonzero(near)
    if len(rows):
        figures[rows] = 1 - empty(corpus.take(rows), evidence.shape)
    return figures


def limit(evidence: Evidence) -> float | None:
    """The relative distance below which an item is a copy, from the test items; None where these are copies themselves."""
    distances = _training_distance.neighbours(evidence)[TEST].relative()
    independent = apart(spans(evidence)) if evidence.shape.modality == "series" else len(distances)
    return tolerance_limit(distances, independent)


def apart(times: NDArray[np.float64]) -> int:
    """How many windows, of begins and ends (window, 2), follow one another without overlapping."""
    count, last = 0, -np.inf
    for begin, end in times[np.argsort(times[:, 1])].tolist():
        if begin > last:
            count, last = count + 1, end
    return count


def tolerance_limit(distances: NDArray[np.float64], independent: float) -> float | None:
    """Below it lies at most `CLOSEST` of what `distances` (item,) are drawn from, with a confidence of 1 - `DOUBT`.

    `independent`: how many of them are. Copies among them, 1 % at most or a single one, are left out; None if there are more.
    """
    new = np.sort(distances[distances > REPEATED])
    if not len(new) or len(distances) - len(new) > max(1.0, CLOSEST * len(distances)):
        return None
    rank = int(binom.ppf(DOUBT, int(independent), CLOSEST))  # fewer than so many lie below the 1 % quantile: that is the doubt
    if rank:
        return float(new[min(round(rank * len(new) / independent), len(new)) - 1])
    return float(new[0]) * min(1.0, CLOSEST / (1 - DOUBT ** (1 / max(1.0, independent))))
