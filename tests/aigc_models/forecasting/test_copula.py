import torch

from aigc_models.forecasting.copula import Copula, at, back, through
from aigc_models.forecasting.quantiles import gaussian, grid


def correlated(items: int) -> torch.Tensor:
    """Two channels, whose steps follow each other at 0.8 and whose channels go together at 0.6."""
    random = torch.Generator().manual_seed(0)
    noise = torch.randn(items, 2, 4, generator=random)
    noise[:, 1] = 0.6 * noise[:, 0] + 0.8 * noise[:, 1]
    steps = [noise[..., 0]]
    for step in range(1, 4):
        steps.append(0.8 * steps[-1] + 0.6 * noise[..., step])
    return torch.stack(steps, dim=-1)


def test_draws_have_the_correlations_that_were_learnt() -> None:
    copula = Copula(2, 4)
    copula.learn(3 * correlated(4000))
    drawn = copula.draw(torch.arange(4000)).flatten(1)
    correlations = torch.corrcoef(drawn.T)
    assert torch.allclose(correlations, torch.corrcoef(correlated(4000).flatten(1).T), atol=0.07)
    assert torch.allclose(drawn.std(0), torch.ones(8), atol=0.05)


def test_a_draw_depends_on_its_seed_alone() -> None:
    copula = Copula(2, 4)
    copula.learn(correlated(100))
    assert torch.equal(copula.draw(torch.tensor([7, 8]))[1], copula.draw(torch.tensor([8]))[0])


def test_through_and_back_are_exact_for_gaussians_in_the_tails_too() -> None:
    mean, spread, levels = torch.randn(5, 1, 3), torch.rand(5, 1, 3) + 0.5, grid()
    quantiles, drawn = gaussian(mean, spread, levels), torch.linspace(-3.5, 3.5, 15).reshape(5, 1, 3)
    values = through(quantiles, levels, drawn)
    assert torch.allclose(values, mean + spread * drawn, atol=1e-4)
    assert torch.allclose(back(quantiles, levels, values), drawn, atol=1e-3)
    asked = torch.tensor([0.001, 0.3, 0.999])
    assert torch.allclose(at(quantiles, levels, asked), gaussian(mean, spread, asked), atol=1e-4)
