"""How near items lie to the nearest training items, as pictures: a sound as its spectrogram."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from aigc_models.canvas import canvas_of
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.metrics._judge import pixels
from aigc_models.metrics._neighbours import Neighbours, neighbours, without_largest

ROWS = 2048  # training items at a time, so that memory stays bounded
FEWEST = 4  # places, of which one may be left out


def nearest(train: Corpus, groups: Mapping[str, Corpus], shape: Shape) -> dict[str, Neighbours]:
    """For each group its items' nearest in `train`, Euclidean in pixels; `most` is but for one pixel, or one sample.

    The groups are compared together, since painting the training items takes longest.
    """

    def parts() -> Iterator[np.ndarray]:
        for start in range(0, len(train), ROWS):
            yield pixels(train.take(np.arange(start, min(start + ROWS, len(train)))), shape)

    def apart(differences: np.ndarray) -> np.ndarray:
        pictures = torch.from_numpy(differences**2).unflatten(1, canvas.item)
        places = canvas.places(pictures).numpy()
        return without_largest(places, min(canvas.touched, places.shape[1] // FEWEST))

    canvas = canvas_of(shape)
    everything = neighbours(parts, np.concatenate([pixels(corpus, shape) for corpus in groups.values()]), apart)
    ends = np.cumsum([len(corpus) for corpus in groups.values()])
    return {name: everything.of(slice(end - len(groups[name]), end)) for name, end in zip(groups, ends, strict=True)}
