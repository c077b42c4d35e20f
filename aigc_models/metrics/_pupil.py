"""A classifier that learns the same from the same items, in a fraction of a second: random patches and ridge regression.

Whitened patches of real training items are the filters of one layer, its answers averaged over quarters of the picture
(Coates and Ng 2011, "The importance of encoding versus training"); on top lies a linear layer in closed form. The filters
are drawn once for all candidates. So nothing but the items learnt from makes a difference, as no start and no order does.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from aigc_models.canvas import Pictures, canvas_of
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus

FILTERS, QUARTERS = 128, 2  # 512 features: on digits 64 filters are worth two hundredths less, 256 nothing more
PATCHES = 4_000  # that the whitening is learnt from
LEAST_SIDE, MOST_SIDE, OF_PICTURE = 3, 6, 5  # of a patch: a fifth of the picture, 6 pixels of 32 as in the paper
FLOOR = 0.1  # of the mean variance, added to each before whitening
THRESHOLD = 0.5  # of a filter's answer, which is the projection of a whitened patch
PENALTIES = np.logspace(-4, 1, 11)  # tried, in units of the items' number
BATCH = 256


class Bank(NamedTuple):
    """Filters float32 (filter, plane, side, side), their offsets (filter,), and the step between places."""

    filters: Tensor
    offsets: Tensor
    stride: int


def painted_batches(corpus: Corpus, shape: Shape) -> list[Pictures]:
    canvas = canvas_of(shape)
    return [canvas.paint(batch.values) for batch in corpus.batches(BATCH)]


def bank(corpus: Corpus, shape: Shape, seed: int) -> Bank:
    """Filters from random patches of `corpus`."""
    pictures, random = torch.cat(painted_batches(corpus, shape)).numpy(), np.random.default_rng(seed)
    items, _, height, width = pictures.shape
    shortest = min(height, width)
    side = min(shortest, int(np.clip(round(shortest / OF_PICTURE), LEAST_SIDE, MOST_SIDE)))
    item, top, left = (random.integers(0, most, PATCHES) for most in (items, height - side + 1, width - side + 1))
    windows = np.lib.stride_tricks.sliding_window_view(pictures, (side, side), axis=(2, 3))
    patches = windows[item, :, top, left].reshape(PATCHES, -1).astype(np.float64)
    mean = patches.mean(0)
    values, vectors = np.linalg.eigh(np.cov(patches, rowvar=False))
    whitening = (vectors / np.sqrt(values.clip(0) + max(FLOOR * float(values.mean()), 1e-12))) @ vectors.T
    whitened = (patches[random.permutation(PATCHES)[:FILTERS]] - mean) @ whitening
    filters = whitened / np.maximum(np.linalg.norm(whitened, axis=1, keepdims=True), 1e-6) @ whitening
    kernels = torch.from_numpy(filters.reshape(FILTERS, -1, side, side)).float()
    return Bank(kernels, torch.from_numpy(-filters @ mean - THRESHOLD).float(), max(1, side // LEAST_SIDE))


def described(bank: Bank, corpus: Corpus, shape: Shape) -> np.ndarray:
    """Float64 (item, feature): how strongly each filter answers in each quarter."""
    rows = []
    for pictures in painted_batches(corpus, shape):
        answers = F.conv2d(pictures, bank.filters, bank.offsets, bank.stride, padding=bank.filters.shape[-1] // 2)
        rows.append(F.adaptive_avg_pool2d(F.relu(answers), QUARTERS).flatten(1))
    return torch.cat(rows).double().numpy()


def answers(lesson: np.ndarray, labels: np.ndarray, test: np.ndarray, draws: int, seed: int) -> np.ndarray:
    """The label, int64 (draw, item), that ridge regressions give each row of `test` (item, feature).

    Each learns from as many rows of `lesson` with their `labels` as there are, drawn with replacement: the answers then
    differ between draws as they would between lessons. The penalty is the one with the least squared error of rows left
    out one by one (PRESS, Allen 1974) from the whole lesson.
    """
    classes, number = np.unique(labels, return_inverse=True)
    scale = np.maximum(lesson.std(0), 1e-9)
    mean = lesson.mean(0)
    rows, asked, targets = (lesson - mean) / scale, (test - mean) / scale, np.eye(len(classes))[number]
    penalty, random, answered = press(rows, targets), np.random.default_rng(seed), []
    for _ in range(draws):
        drawn = random.integers(0, len(rows), len(rows))
        centre, level = rows[drawn].mean(0), targets[drawn].mean(0)
        centred = rows[drawn] - centre
        weights = np.linalg.solve(centred.T @ centred + penalty * np.eye(rows.shape[1]), centred.T @ (targets[drawn] - level))
        answered.append(((asked - centre) @ weights + level).argmax(1))
    return classes[np.stack(answered)]


def press(rows: np.ndarray, targets: np.ndarray) -> float:
    """The best penalty for centred `rows` (item, feature) and `targets` (item, class)."""
    values, vectors = np.linalg.eigh(rows.T @ rows)
    turned, level = rows @ vectors, targets.mean(0)
    pull = turned.T @ (targets - level)

    def error(penalty: float) -> float:
        shrunk = 1 / (values.clip(0) + penalty)
        left = targets - level - turned @ (shrunk[:, None] * pull)
        leverage = np.square(turned) @ shrunk + 1 / len(rows)
        return float(np.square(left / np.maximum(1 - leverage, 1e-9)[:, None]).mean())

    return float(min(PENALTIES * len(rows), key=error))
