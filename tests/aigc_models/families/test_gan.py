import numpy as np
import torch

from aigc_models.capabilities import Generates, Learns
from aigc_models.families.gan import SIZES, build, shifted


def fresh(digits, **changes):
    torch.manual_seed(0)
    return build(SIZES["debug"].model_copy(update=changes), digits.shape)


def test_each_player_owns_its_network(digits):
    model = fresh(digits)
    assert isinstance(model, Learns)
    critic, generator = model.players()
    assert {id(p) for p in critic.parameters}.isdisjoint(id(p) for p in generator.parameters)
    assert len(critic.parameters) + len(generator.parameters) == len(list(model.parameters()))


def test_the_critic_learns_to_tell_real_from_generated(digits):
    model = fresh(digits, penalty_share=0.0, penalty=0.0)
    critic = model.players()[0]
    optimiser = torch.optim.Adam(critic.parameters, lr=2e-3)
    for step in range(25):
        optimiser.zero_grad()
        critic.loss(digits.train.batch(np.arange(step * 32, step * 32 + 32))).backward()
        optimiser.step()
    batch = digits.test.batch(np.arange(64))
    with torch.no_grad():
        real, false = model.critic(batch.values, batch.conditions), model.critic(model.draw(batch.conditions), batch.conditions)
    assert float(real.mean()) > float(false.mean()) + 1


def test_the_penalty_is_the_squared_gradient(digits):
    model, batch = fresh(digits), digits.test.batch(np.arange(1))
    step = 1e-3
    base = batch.values.double()
    model.double()
    slopes = []
    for pixel in range(64):
        nudge = torch.zeros(64, dtype=torch.float64)
        nudge[pixel] = step
        nudge = nudge.reshape(1, 1, 8, 8)
        with torch.no_grad():
            slopes.append(float(model.critic(base + nudge, batch.conditions) - model.critic(base - nudge, batch.conditions)))
    expected = sum((slope / (2 * step)) ** 2 for slope in slopes)
    assert np.isclose(model.steepness(type(batch)(base, batch.conditions)).item(), expected, rtol=1e-2)


def test_the_generator_moves_towards_what_the_critic_likes(digits):
    model = fresh(digits)
    generator = model.players()[1]
    optimiser = torch.optim.Adam(generator.parameters, lr=2e-3)
    batch, losses = digits.train.batch(np.arange(64)), []
    for _ in range(20):
        optimiser.zero_grad()
        losses.append(generator.loss(batch))
        losses[-1].backward()
        optimiser.step()
    assert losses[-1].item() < losses[0].item()


def test_shifting_moves_pictures_and_keeps_the_gradient():
    torch.manual_seed(0)
    values = torch.arange(16.0).reshape(1, 1, 4, 4).repeat(50, 1, 1, 1).requires_grad_(True)
    moved = shifted(values, 1)
    assert moved.shape == values.shape
    assert any(torch.equal(row, values[0]) for row in moved)
    assert any(torch.equal(row[0, :3, :3], values[0, 0, 1:, 1:]) for row in moved)
    moved.sum().backward()
    assert values.grad is not None
    assert torch.equal(shifted(values, 0), values)


def test_an_item_depends_on_its_seed_and_condition_alone(digits):
    model = fresh(digits).eval()
    assert isinstance(model, Generates)
    values = model.generate(torch.tensor([1, 2]), torch.tensor([7, 8]))
    other = model.generate(torch.tensor([5, 2]), torch.tensor([1, 8]))
    assert torch.equal(values[1], other[1])
    assert not torch.equal(values[0], other[0])
