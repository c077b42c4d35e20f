"""The settings for a GPU (`device: auto`, `precision: bf16`, `compile: true`) run here too, for every family that learns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Learns, Shape
from aigc_models.corpus import Corpus
from aigc_models.find import find, names
from aigc_models.modalities import audio, image, series, text
from aigc_models.outside import FAMILIES as OUTSIDE
from aigc_models.sequences import Sequences
from aigc_models.training.fit import fit
from aigc_models.training.plan import Plan
from aigc_models.training.randomness import seeded

ITEMS, LABELS = 12, ("a", "b")
FORMATS = {
    "image": image.Format(height=8, width=8, channels=1),
    "audio": audio.Format(rate=8000, samples=1024, channels=1),
    "text": text.Format(length=24),
    "series": series.Format(
        context=24, horizon=6, stride=1, season=6, channels=1, names=("a",), step="7D", centre=(0.0,), scale=(1.0,)
    ),
}


def corpus(modality: str) -> Corpus:
    noise = np.random.default_rng(0)
    values: dict[str, Any] = {
        "image": noise.integers(0, 256, (ITEMS, 1, 8, 8)).astype(np.uint8),
        "audio": noise.integers(-9000, 9000, (ITEMS, 1, 1024)).astype(np.int16),
        "text": Sequences.of(np.append(noise.integers(32, 127, (ITEMS, 24)), np.full((ITEMS, 1), 256), axis=1)),
        "series": noise.standard_normal((ITEMS, 1, 30)).astype(np.float32),
    }
    return Corpus(modality, values[modality], np.arange(ITEMS) % 2)


def learners() -> list[tuple[str, str]]:
    """Every family that is trained by steps, on every modality that it has."""
    pairs = []
    for name in names("aigc_models.families"):
        family = find("aigc_models.families", name)
        for modality in sorted(family.MODALITIES & set(FORMATS)) if name not in OUTSIDE else ():
            shape = Shape(modality, LABELS, FORMATS[modality])
            if isinstance(family.build(family.SIZES["debug"], shape), Learns):
                pairs.append((name, modality))
    return pairs


@pytest.mark.parametrize(("name", "modality"), learners())
def test_the_same_settings_train_on_this_machine(name: str, modality: str, tmp_path) -> None:
    family, data = find("aigc_models.families", name), corpus(modality)
    with seeded(0):
        model = family.build(family.SIZES["debug"], Shape(modality, LABELS, FORMATS[modality]))

    class Context:
        folder = tmp_path

        def progress(self, step: int, total: int, **figures: float) -> None:
            assert all(np.isfinite(value) for value in figures.values())

        def stop(self) -> bool:
            return False

    plan = Plan(steps=2, batch_size=6, device="auto", precision="bf16", compile=True)
    fitted = fit(model, data, data.take(np.arange(6)), plan, Context())
    assert fitted.steps == 2
    weights = [value for value in model.state_dict().values() if value.is_floating_point()]
    assert {value.dtype for value in weights} == {torch.float32}
    assert all(bool(torch.isfinite(value).all()) for value in weights)
    assert {value.device.type for value in weights} == {"cpu"}
