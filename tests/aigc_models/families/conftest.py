"""What the tests of families share: of pictures, and of labelled texts."""

from functools import cache

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.modalities import text


@pytest.fixture(scope="session")
def trained(digits):
    """`trained(vae, 80)`: a family's debug model with one player, after some steps of Adam on digits; trained once."""

    @cache
    def train(family, steps):
        torch.manual_seed(0)
        model = family.build(family.SIZES["debug"], digits.shape)
        (player,) = model.players()
        optimiser = torch.optim.Adam(player.parameters, lr=5e-3)
        for step in range(steps):
            optimiser.zero_grad()
            player.loss(digits.train.batch(np.arange(step * 64, step * 64 + 64) % len(digits.train))).backward()
            optimiser.step()
        return model.eval()

    return train


class Moods:
    """Short texts that are good, bad or neither, by words that stand for it and by figures: 'rose to 7 from 5' is good.

    `corpus(count, seed)` draws some; every tenth has no label.
    """

    format = text.Format(length=128)
    shape = Shape("text", ("bad", "good", "neither"), format, "classify")
    words = (("awful", "broken", "fails"), ("lovely", "splendid", "works"), ("table", "green", "tuesday"))

    def written(self, count, seed):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 3, count)
        texts = []
        for label in labels:
            word, thing = random.choice(self.words[label]), random.choice(["the tap", "a door", "our shop", "it"])
            texts.append(f"{thing} is {random.choice(['', 'so ', 'quite '])}{word} {random.choice(['today', 'again', 'now'])}")
            if random.random() < 0.3 and label < 2:
                low, high = sorted(random.choice(1000, 2, replace=False) / 10)
                first, second = (high, low) if label else (low, high)
                texts[-1] = f"{thing} came to {first} mn from {second} mn"
        return texts, labels

    def corpus(self, count, seed, labelled=0.9):
        texts, labels = self.written(count, seed)
        hidden = np.where(np.random.default_rng(seed).random(count) < labelled, labels, 3)
        return Corpus("text", text.encode(texts, self.format), hidden)


@pytest.fixture(scope="session")
def moods():
    return Moods()


@pytest.fixture
def fitted(strolls):
    """`fitted(ease)`: a plain family's debug model, or one of `settings`, fitted to the strolls."""

    def fit(family, **settings):
        model = family.build(family.SIZES["debug"].model_copy(update=settings), strolls.shape)
        model.fit(strolls.train, strolls.validation, lambda *args, **figures: None)
        return model

    return fit
