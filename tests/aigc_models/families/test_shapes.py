"""What each family gives has the shape that stands in its signature."""

from __future__ import annotations

from typing import Any, get_type_hints

import numpy as np
import pytest
import torch

from aigc_models.capabilities import PROTOCOLS, Fits, Shape, capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.find import find, names
from aigc_models.modalities.text import END
from aigc_models.training.randomness import seeded

METHODS = {
    "scores": "log_likelihood",
    "predicts": "log_probabilities",
    "encodes": "embed",
    "classifies": "classify",
    "reconstructs": "reconstruct",
    "denoises": "denoise",
    "forecasts": "forecast",
    "generates": "generate",
}
PAINTED = [name for name in names("aigc_models.families") if "image" in find("aigc_models.families", name).MODALITIES]
OF_SERIES = [name for name in names("aigc_models.families") if "series" in find("aigc_models.families", name).MODALITIES]
OF_TEXT = [name for name in names("aigc_models.families") if "text" in find("aigc_models.families", name).MODALITIES]


def texts() -> tuple[Corpus, Shape]:
    values = np.random.default_rng(0).integers(97, 101, (40, 12)).astype(np.int16)
    values[:, -1] = END
    return Corpus("text", values, np.arange(40, dtype=np.int64) % 2), Shape("text", ("a", "b"))


def arguments(capability: str, model: Any, batch: Batch, context: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    seeds, series = torch.arange(len(batch)), batch.values.ndim == 3 and context
    past = batch.values[..., :context]
    calls: dict[str, tuple[Any, ...]] = {
        "reconstructs": (batch.values,),
        "denoises": (past if series else batch.values, batch.conditions, 0.1),
        "forecasts": (past, batch.conditions, torch.tensor([0.1, 0.5, 0.9])),
        "generates": (batch.conditions, seeds),
    }
    return calls.get(capability, (batch,)), {"past": past} if series and capability == "generates" else {}


def check(name: str, train: Corpus, shape: Shape) -> None:
    family = find("aigc_models.families", name)
    with seeded(0):
        model = family.build(family.SIZES["debug"], shape)
        if isinstance(model, Fits):
            model.fit(train, train, lambda *args, **figures: None)
        batch, context = train.batch(np.arange(6)), getattr(shape.format, "context", 0)
        methods = {METHODS[each]: each for each in capabilities(model) if each in METHODS}
        assert methods or "streams" in capabilities(model) or name.startswith("masked")
        for method, capability in methods.items():
            expected = get_type_hints(getattr(type(model), method))["return"]
            assert hasattr(expected, "dims"), f"{name}.{method} states no shape"
            given, options = arguments(capability, model, batch, context)
            with torch.no_grad():
                values = getattr(model, method)(*given, **options)
            assert isinstance(values, expected), f"{name}.{method} gives {tuple(values.shape)}, not {expected}"
            stated = get_type_hints(getattr(PROTOCOLS[capability], method))["return"]
            assert isinstance(values, stated), f"{method} of {PROTOCOLS[capability]} is {stated}, {name} gives {values.shape}"


@pytest.mark.parametrize("name", PAINTED)
def test_of_pictures(name: str, digits: Any) -> None:
    check(name, digits.train.take(np.arange(200)), digits.shape)


@pytest.mark.parametrize("name", OF_SERIES)
def test_of_series(name: str, waves: Any) -> None:
    check(name, waves.train.take(np.arange(120)), waves.shape)


@pytest.mark.parametrize("name", OF_TEXT)
def test_of_texts(name: str) -> None:
    check(name, *texts())
