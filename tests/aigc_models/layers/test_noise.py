import numpy as np
import torch

from aigc_models.generator import item_seeds
from aigc_models.layers.noise import STEPS, SYMBOLS, choose, normal, uniform


def test_a_row_depends_on_its_own_seed_alone():
    together = normal(torch.tensor([5, 6, 7]), (2, 3))
    alone = normal(torch.tensor([6]), (2, 3))
    assert torch.equal(together[1], alone[0])
    assert not torch.equal(together[0], together[1])


def test_streams_of_a_seed_differ():
    seeds = torch.arange(3)
    assert not torch.equal(normal(seeds, (4,)), normal(seeds, (4,), stream=1))
    assert torch.equal(normal(seeds, (4,), stream=1), normal(seeds, (4,), stream=1))


def test_uniform_is_seeded_and_in_range():
    draws = uniform(torch.arange(200), 2)
    assert draws.shape == (200, 2)
    assert 0 <= float(draws.min()) < float(draws.max()) < 1
    assert abs(float(draws.mean()) - 0.5) < 0.05


def test_choose_follows_the_shares_and_never_picks_an_empty_one():
    draws = torch.linspace(0, 0.9999, 1000)
    picked = choose(torch.tensor([[0.25, 0.0, 0.75, 0.0]]).expand(1000, -1), draws)
    counts = torch.bincount(picked, minlength=4)
    assert counts[1] == counts[3] == 0
    assert abs(int(counts[0]) - 250) <= 1


def test_all_64_bits_of_a_seed_count():
    items = torch.cat([item_seeds(0, 1, 101_174), item_seeds(0, 1, 112_877)])  # alike in their low 32 bits
    assert int(items[0]) % 2**32 == int(items[1]) % 2**32
    first, second = normal(items, (1, 28, 28))
    assert not torch.equal(first, second)
    first, second = uniform(items, 8, SYMBOLS, torch.float64)
    assert not torch.equal(first, second)
    assert len(normal(torch.tensor([0, 2**32, 2**62, -(2**63), -1]), (6,)).unique(dim=0)) == 5


def test_noise_is_normal_and_streams_are_independent():
    seeds = torch.arange(400)
    noise, other = normal(seeds, (1, 15, 17)).flatten(), normal(seeds, (1, 15, 17), stream=STEPS).flatten()
    assert noise.dtype == torch.float32
    assert abs(float(noise.mean())) < 0.01
    assert abs(float(noise.std()) - 1) < 0.01
    assert abs(float((noise**4).mean()) - 3) < 0.1
    assert abs(float((noise[1:] * noise[:-1]).mean())) < 0.01
    assert abs(float((noise * other).mean())) < 0.01


def test_numbers_are_those_of_a_generator_keyed_by_seed_and_stream():
    seed = 2**63 - 5
    philox = np.random.Generator(np.random.Philox(key=np.array([seed, 3], dtype=np.uint64)))
    assert uniform(torch.tensor([9, seed]), 5, 3)[1].tolist() == philox.random(5, dtype=np.float32).tolist()
