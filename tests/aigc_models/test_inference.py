from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from aigc_models.bundle import Card
from aigc_models.capabilities import Classifies, Encodes, Forecasts
from aigc_models.corpus import Batch
from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.inference import Inference, Latest
from aigc_models.modalities import series


class Eye(nn.Module):
    """Deep enough for a batch's size to show in the last bits, if it were not always the same."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: list[int] = []
        self.net = nn.Linear(64, 64)

    def embed(self, batch: Batch) -> Tensor:
        self.sizes.append(len(batch))
        return self.net(batch.values.flatten(1))

    def classify(self, batch: Batch) -> Tensor:
        return batch.values.mean((1, 2, 3))[:, None] * torch.tensor([-5.0, 5.0])

    def reconstruct(self, values: Tensor) -> Tensor:
        return values / 2

    def denoise(self, values: Tensor, conditions: Tensor, noise: float) -> Tensor:
        return values * (1 - noise) + conditions[:, None, None, None]


class Prophet(nn.Module):
    def forecast(self, past: Tensor, conditions: Tensor, levels: Tensor) -> Tensor:
        return past[..., -1:, None] + torch.ones(1, 1, 4, 1) * (levels - 0.5) + conditions[:, None, None, None]


def inference(model: Any, modality: str, formats: dict[str, Any], **more: Any) -> Inference:
    fields = {"name": "tiny", "family": "tiny", "modality": modality, "format": formats, "labels": ("dark", "light")}
    card = Card(micro_batch=4, **fields)
    return Inference(card, model, find("aigc_models.modalities", modality), card.shape.format, **more)


@pytest.fixture
def eye() -> Inference:
    torch.manual_seed(0)
    return inference(Eye().eval(), "image", {"height": 8, "width": 8, "channels": 1})


SIZES = {"context": 3, "horizon": 4, "channels": 1, "names": ("level",), "step": "1D", "centre": (10.0,), "scale": (2.0,)}


@pytest.fixture
def prophet() -> Inference:
    return inference(Prophet(), "series", SIZES, latest=Latest((wave(3), wave(5)), (1, 0)))


def wave(steps: int) -> Any:
    return series.Series(10 + np.arange(steps, dtype=np.float64)[None], ("level",), 0.0, "1D")


def pictures(*levels: int) -> list[np.ndarray]:
    return [np.full((8, 8, 1), level, np.uint8) for level in levels]


def test_an_answer_depends_on_its_item_alone(eye: Inference) -> None:
    rows = np.random.default_rng(0).integers(0, 256, (6, 8, 8, 1)).astype(np.uint8)
    together = eye.embed(list(rows))
    assert together.shape == (6, 64)
    assert torch.equal(eye.embed([rows[5]])[0], together[5])
    assert set(eye.model.sizes) == {4}
    assert len(eye.embed([])) == 0


def test_probabilities_of_labels(eye: Inference) -> None:
    shares = eye.classify(pictures(0, 255, 128))
    assert shares.argmax(1).tolist()[:2] == [0, 1]
    assert torch.allclose(shares.sum(1), torch.ones(3))
    assert shares[2].max() < 0.6


def test_items_through_the_model(eye: Inference) -> None:
    (half,) = eye.reconstruct(pictures(255))
    assert half[0, 0, 0] == 191
    (mended,) = eye.denoise(pictures(0), 0.25, label="dark")
    assert mended[0, 0, 0] == 32
    with pytest.raises(BadInput, match="out of bounds"):
        eye.denoise(pictures(0), 11)


def test_forecasts_follow_their_past_in_the_unit_of_the_data(prophet: Inference) -> None:
    (forecast,) = prophet.forecast([wave(6)], (0.25, 0.5))
    assert forecast.levels == (0.25, 0.5)
    assert [one.stamps()[0] for one in forecast.quantiles] == ["1970-01-07"] * 2
    assert np.allclose(
        [one.values[0, 0] for one in forecast.quantiles], [15 + 2 * (2 - 0.25), 15 + 2 * 2]
    )  # condition 2: no label
    newest = prophet.forecast(levels=(0.5,))
    assert [one.quantiles[0].values[0, 0] for one in newest] == [12 + 2, 14]  # each under its own condition
    assert [one.quantiles[0].values[0, 0] for one in prophet.forecast(levels=(0.5,), label="dark")] == [12, 14]


def test_members_answer_for_their_ensemble() -> None:
    ensemble = SimpleNamespace(members={"eye": Eye(), "other": object()}, weights={"eye": 0.1, "other": 0.9})
    model = inference(ensemble, "image", {"height": 8, "width": 8, "channels": 1})
    assert (model.answers(Encodes), model.answers(Classifies)) == ("eye", "eye")
    assert model.capabilities == ("encodes", "reconstructs", "denoises", "classifies")
    assert model.embed(pictures(3)).shape == (1, 64)
    with pytest.raises(BadInput, match="cannot forecast; what it does: encodes, reconstructs, denoises, classifies"):
        model.answers(Forecasts)


class Speller(nn.Module):
    """Condition 0 writes small letters, condition 1 capitals; both write others too."""

    def log_likelihood(self, batch: Batch) -> Tensor:
        capitals = batch.values < 96
        return torch.where(capitals == (batch.conditions == 1)[:, None], -1.0, -3.0) * (batch.values < 257)


def test_likelihoods_become_labels_by_bayes_rule() -> None:
    speller = inference(Speller(), "text", {"length": 16})
    assert speller.capabilities == ("scores", "classifies")
    assert speller.answers(Classifies) == ""
    shares = speller.classify(["abc", "ABC"])
    assert shares.argmax(1).tolist() == [0, 1]
    scores = torch.stack([speller.log_likelihood(["abc"], label) for label in ("dark", "light")])
    assert torch.allclose(scores.softmax(0)[:, 0], shares[0])
    single = inference(Speller(), "text", {"length": 16})
    lonely = Inference(single.card.model_copy(update={"labels": ("one",)}), single.model, single.modality, single.format)
    assert lonely.capabilities == ("scores",)


class Lengths(nn.Module):
    """Says of a text how long it is, and keeps how wide the batches were."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: list[int] = []

    def embed(self, batch: Batch) -> Tensor:
        self.widths.append(batch.values.shape[1])
        return (batch.values >= 0).sum(1, keepdim=True).float()


def test_texts_of_like_length_are_asked_together_and_answered_in_the_order_in_which_they_came() -> None:
    model = Lengths()
    texts = ["a" * size for size in (50, 1, 40, 2, 30, 3, 20, 4, 10)]
    said = inference(model, "text", {"length": 64}).embed(texts)
    ends = int(said[1, 0]) - 1  # symbols beside the characters
    assert said[:, 0].tolist() == [len(text) + ends for text in texts]
    assert model.widths[0] == 4 + ends, "the four shortest first"
    assert model.widths == sorted(model.widths)
