"""Against closed forms."""

import math

import torch
from scipy.stats import norm

from aigc_models.forecasting.quantiles import crps, gaussian, gaussian_crps, grid, scores


def test_score_of_a_gaussian_is_its_closed_form() -> None:
    """Gneiting and Raftery 2007, equation 21; the difference is that of a finite number of levels."""
    target = torch.tensor([-1.5, 0.0, 0.7, 2.0])[:, None, None]
    mean, spread, levels = torch.full_like(target, 0.2), torch.tensor(0.8), grid(2000)
    losses = crps(gaussian(mean, spread, levels), target, levels)[:, 0, 0]
    z = ((target - mean) / spread)[:, 0, 0].double().numpy()
    expected = 0.8 * (z * (2 * norm.cdf(z) - 1) + 2 * norm.pdf(z) - 1 / math.sqrt(math.pi))
    assert torch.allclose(losses.double(), torch.from_numpy(expected), atol=2e-3)
    exact = gaussian_crps((target - mean).double(), spread.double())
    assert torch.allclose(exact[:, 0, 0], torch.from_numpy(expected), atol=1e-6)


def test_the_truth_scores_best_and_a_point_scores_its_distance() -> None:
    levels, target = grid(), torch.randn(4000, 1, 1, generator=torch.Generator().manual_seed(0))
    right, wide, narrow = (
        float(crps(gaussian(torch.zeros_like(target), torch.tensor(width), levels), target, levels).mean())
        for width in (1.0, 2.0, 0.5)
    )
    assert right < min(wide, narrow)
    point = gaussian(torch.zeros_like(target), torch.tensor(0.0), levels)
    assert torch.allclose(crps(point, target, levels), target.abs(), atol=1e-5)


def test_scores_are_those_of_scipy() -> None:
    assert torch.allclose(scores(grid()).double(), torch.from_numpy(norm.ppf(grid().double().numpy())), atol=1e-5)
