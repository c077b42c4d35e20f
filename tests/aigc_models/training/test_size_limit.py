from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from aigc_models.errors import BadInput
from aigc_models.training.size_limit import SizeLimit

HUGE = 10**12


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.nn.Linear(HUGE, 2),
        lambda: torch.zeros((HUGE, 2)),
        lambda: torch.full((HUGE,), 1.0),
        lambda: torch.eye(HUGE),
        lambda: torch.arange(HUGE),
        lambda: torch.linspace(0, 1, HUGE),
        lambda: torch.ones(1).repeat(HUGE, 1),
        lambda: [torch.nn.Linear(10, 10) for _ in range(HUGE)],
    ],
    ids=["linear", "zeros", "full", "eye", "arange", "linspace", "repeat", "many"],
)
def test_what_is_too_much_is_refused_before_it_is_made(make: Callable[[], object]) -> None:
    with pytest.raises(BadInput, match="asks for more than 10,000 numbers"), SizeLimit(10_000):
        make()


def test_what_fits_is_made_as_ever() -> None:
    with SizeLimit(100):
        made = torch.zeros(5, 10), torch.arange(2, 8, 2), torch.ones(2).repeat(2, 3)
    assert [tuple(each.shape) for each in made] == [(5, 10), (3,), (2, 6)]
