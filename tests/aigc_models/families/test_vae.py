import numpy as np
import torch

from aigc_models.capabilities import Classifies, Encodes, Generates, Reconstructs
from aigc_models.families import autoencoder, vae
from aigc_models.families.vae import SIZES, Prior, build


def test_training_lowers_the_bound_and_the_reconstruction_error(digits, trained):
    batch = digits.validation.batch(np.arange(100))
    untrained, model = trained(vae, 0), trained(vae, 80)
    with torch.no_grad():
        assert float(model.validation_loss(batch)) < float(untrained.validation_loss(batch)) - 0.3
    lost = [float((each.reconstruct(batch.values) - batch.values).square().mean()) for each in (untrained, model)]
    assert lost[1] < 0.6 * lost[0]


def test_capabilities_and_shapes(digits, trained):
    model, batch = trained(vae, 0), digits.test.batch(np.arange(6))
    assert isinstance(model, Encodes)
    assert isinstance(model, Reconstructs)
    assert isinstance(model, Generates)
    with torch.no_grad():
        assert model.embed(batch).shape == (6, 8)
    assert model.reconstruct(batch.values).shape == batch.values.shape


def test_an_item_depends_on_its_seed_and_condition_alone(trained):
    model = trained(vae, 5)
    values = model.generate(torch.tensor([1, 2]), torch.tensor([7, 8]))
    other = model.generate(torch.tensor([5, 2]), torch.tensor([1, 8]))
    assert torch.equal(values[1], other[1])
    assert not torch.equal(values[0], other[0])
    assert float(values.abs().max()) <= 1


def test_the_prior_is_a_density():
    """The mean of 1 / density under its own draws, inside a box, is the box's volume."""
    torch.manual_seed(0)
    prior = Prior(1, 3, 1)
    conditions = torch.zeros(20_000, dtype=torch.int64)
    with torch.no_grad():
        codes = prior.draw(conditions, torch.arange(20_000), 1.0)
        inside = (codes.abs() < 1)[:, 0]
        volume = ((-prior.log_density(codes, conditions)).exp() * inside).mean()
    assert abs(float(volume) - 2) < 0.1


def test_encoder_and_time_come_from_the_autoencoder(digits):
    state = build(SIZES["small"], digits.shape).state_dict()
    body = autoencoder.build(autoencoder.SIZES["small"], digits.shape).state_dict()
    shared = [name for name, tensor in body.items() if name in state and state[name].shape == tensor.shape]
    assert {name.split(".")[0] for name in shared} == {"encoder", "time"}
    assert {name for name in state if name.startswith("encoder.")} <= set(shared)


def test_the_bound_tells_the_label(digits, trained):
    model, batch = trained(vae, 80), digits.test.batch(np.arange(100))
    assert isinstance(model, Classifies)
    scores = model.classify(batch)
    assert scores.shape == (100, 10)
    assert float((scores.argmax(1) == batch.conditions).float().mean()) > 0.7
