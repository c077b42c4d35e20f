"""What holds for every family that learns pictures, on every modality that can be painted."""

import numpy as np
import pytest
import torch

from aigc_models.canvas import painted
from aigc_models.capabilities import Classifies, Denoises, Encodes, Fits, Generates, Learns, Reconstructs
from aigc_models.corpus import Batch
from aigc_models.families import autoencoder
from aigc_models.find import find, names

FAMILIES = [name for name in names("aigc_models.families") if painted() == find("aigc_models.families", name).MODALITIES]
DATA = {"image": "digits", "audio": "tones"}


@pytest.fixture(scope="module", params=[f"{family}-{modality}" for family in FAMILIES for modality in sorted(painted())])
def case(request):
    """A debug model after two steps, and its data."""
    name, modality = request.param.split("-")
    data, family = request.getfixturevalue(DATA[modality]), find("aigc_models.families", name)
    torch.manual_seed(0)
    model = family.build(family.SIZES["debug"], data.shape)
    if isinstance(model, Fits):
        model.fit(data.train, data.validation, lambda *args, **figures: None)
        return model, data
    assert isinstance(model, Learns)
    for player in model.players():
        optimiser = torch.optim.Adam(player.parameters, lr=1e-3)
        for step in range(2):
            optimiser.zero_grad()
            player.loss(data.train.batch(np.arange(step * 16, step * 16 + 16))).backward()
            optimiser.step()
    return model.eval(), data


def test_every_painted_modality_has_its_data():
    assert set(DATA) == painted()
    assert {"flow_matching", "vae", "autoencoder", "gaussian_mixture"} <= set(FAMILIES)


def test_items_are_in_bounds_and_each_is_its_own_seeds(case):
    model, data = case
    if not isinstance(model, Generates):
        return
    none = len(data.shape.labels)
    values = model.generate(torch.tensor([1, 2, none]), torch.tensor([7, 8, 9]))
    assert values.shape[1:] == data.test.batch(np.arange(1)).values.shape[1:]
    assert float(values.abs().max()) <= 1
    assert torch.isfinite(values).all()
    other = model.generate(torch.tensor([3, 2, 0]), torch.tensor([1, 8, 3]))
    assert torch.allclose(values[1], other[1], atol=1e-4)
    assert not torch.allclose(values[0], other[0], atol=1e-2)


def test_capabilities_keep_the_items_shape(case):
    model, data = case
    batch, labels = data.test.batch(np.arange(5)), len(data.shape.labels)
    with torch.no_grad():
        if isinstance(model, Reconstructs):
            assert model.reconstruct(batch.values).shape == batch.values.shape
        if isinstance(model, Denoises):
            mended = model.denoise(batch.values, torch.full((5,), labels), 0.3)
            assert mended.shape == batch.values.shape
            assert float(mended.abs().max()) <= 1
        if isinstance(model, Encodes):
            assert model.embed(batch).shape[0] == 5
        if isinstance(model, Classifies):
            scores = model.classify(batch)
            assert scores.shape == (5, labels)
            assert torch.isfinite(scores).all()
            hidden = Batch(batch.values, torch.zeros_like(batch.conditions))
            assert torch.equal(model.classify(hidden), scores)  # it does not peek at the label


@pytest.mark.parametrize("family", ["flow_matching", "vae"])
def test_sounds_start_from_the_autoencoder_too(family, tones):
    module = find("aigc_models.families", family)
    state = module.build(module.SIZES["small"], tones.shape).state_dict()
    body = autoencoder.build(autoencoder.SIZES["small"], tones.shape).state_dict()
    shared = {name.split(".")[0] for name, tensor in body.items() if name in state and state[name].shape == tensor.shape}
    assert shared == ({"encoder", "decoder", "time", "inner", "outer"} if family == "flow_matching" else {"encoder", "time"})
    assert module.BODY == "autoencoder"
