import torch

from aigc_models.layers.noise import choose, normal, uniform


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
