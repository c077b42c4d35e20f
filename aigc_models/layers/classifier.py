"""A small convolutional classifier of what can be painted: the judge of the metrics, and the critic of the mixture."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.canvas import Canvas, Items, Pictures, canvas_of
from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Batch, Corpus, Shuffled
from aigc_models.layers.convolutions import convolution, norm, patch_size
from aigc_models.layers.threads import one_thread
from aigc_models.training.optimisers import Optimiser, factor

BATCH = 64
MOST_PAINTED = 1 << 26  # numbers of pictures that are kept, 256 MB
WARMUP = 0.3  # the share of the steps in which the rate rises


class Classifier(nn.Module):
    """Three convolutions, then two layers over a coarse grid of places.

    The features are the last convolution's, averaged over places, as the usual Frechet
    distance takes them from Inception: they tell a Gaussian mixture's blur from real pictures more surely than
    the features behind one more layer, which keep little but the class.
    """

    def __init__(self, shape: Shape, classes: int, width: int = 32) -> None:
        super().__init__()
        self.canvas = canvas_of(shape)
        channels, height, wide = self.canvas.item
        patch = patch_size(height, wide)
        self.layers = nn.Sequential(
            nn.PixelUnshuffle(patch),
            convolution(channels * patch**2, width),
            norm(width),
            nn.ReLU(),
            convolution(width, 2 * width, stride=2),
            norm(2 * width),
            nn.ReLU(),
            convolution(2 * width, 2 * width),
            norm(2 * width),
            nn.ReLU(),
        )
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(2),
            nn.Flatten(),
            nn.Linear(8 * width, 2 * width),
            nn.ReLU(),
            nn.Dropout(0.2),
            nn.Linear(2 * width, classes),
        )

    def features(self, values: Items) -> Float[Tensor, "item feature"]:
        return self.layers(self.canvas.paint(values)).mean(dim=(2, 3))

    def forward(self, values: Items) -> Float[Tensor, "item class"]:
        """Scores of items in [-1, 1]."""
        return self.scores(self.canvas.paint(values))

    def scores(self, pictures: Pictures) -> Float[Tensor, "item class"]:
        return self.head(self.layers(pictures))

    def loss(self, batch: Batch) -> Float[Tensor, ""]:
        """Of a batch whose values are painted already."""
        return F.cross_entropy(self.scores(batch.values), batch.conditions, label_smoothing=0.05)


def painted(corpus: Corpus, canvas: Canvas, steps: int, seed: int) -> Iterator[Batch]:
    """The batches of `steps`, as pictures: each item is painted once, where it comes more than once and there is room.

    The spectrogram of a sound takes as long as a step of training with it.
    """
    batches, items = Shuffled(corpus, BATCH, seed), len(corpus)
    if steps * BATCH < items or items * math.prod(canvas.item) > MOST_PAINTED:
        for step in range(steps):
            batch = batches(step)
            yield Batch(canvas.paint(batch.values), batch.conditions)
        return
    everything = list(corpus.batches(256))
    pictures = torch.cat([canvas.paint(batch.values) for batch in everything])
    conditions = torch.cat([batch.conditions for batch in everything])
    for step in range(steps):
        rows = torch.from_numpy(batches.index(step))
        yield Batch(pictures[rows], conditions[rows])


def fit_classifier(
    corpus: Corpus, shape: Shape, classes: int, steps: int, seed: int, learning_rate: float = 3e-3
) -> Classifier:
    """Train on the corpus' conditions for `steps` batches of 64; the caller's random state is left as it was.

    On one thread: so small a network gains little from more, and loses many times that where others want the cores too.
    """
    with torch.random.fork_rng(devices=[]), one_thread():
        torch.manual_seed(seed)
        model = Classifier(shape, classes).train()
        player = Player("classifier", list(model.parameters()), model.loss)
        optimiser, batches = Optimiser(player, weight_decay=0.05), painted(corpus, model.canvas, steps, seed)
        for step, batch in enumerate(batches):
            optimiser.clear()
            model.loss(batch).backward()
            optimiser.step(learning_rate * factor("cosine", step, steps, WARMUP), 0.0)
    return model.eval()


@torch.no_grad()
def features(model: Classifier, corpus: Corpus) -> Float[np.ndarray, "item feature"]:
    """The classifier's features, float64."""
    return torch.cat([model.features(batch.values) for batch in corpus.batches(256)]).double().numpy()


@torch.no_grad()
def predictions(model: Classifier, corpus: Corpus) -> Int[np.ndarray, " item"]:
    """The most probable class of each item."""
    return torch.cat([model(batch.values).argmax(1) for batch in corpus.batches(256)]).numpy()
