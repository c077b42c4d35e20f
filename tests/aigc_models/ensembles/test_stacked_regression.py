"""On a truth that is simulated: weights that find who knows, and an interval that holds what it promises."""

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles import stacked_regression
from aigc_models.ensembles.stacked_regression import Settings, half_width
from aigc_models.modalities import image

ITEMS = 3000
SHAPE = Shape("image", (), image.Format(height=1, width=2, channels=1), "regress")


class Says:
    """Gives each item the number in its row; an item is a picture of two pixels, which are its number."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = torch.from_numpy(table).float()

    def regress(self, batch: Batch) -> torch.Tensor:
        low, high = ((batch.values[:, 0, 0, at] + 1) * 127.5 for at in (0, 1))
        return self.table[(low + 256 * high).round().long()]


@pytest.fixture(scope="module")
def world() -> tuple[dict[str, object], Corpus, Corpus]:
    """Prices in thousands; two members with errors of their own, and one that is far off; validation and test."""
    random = np.random.default_rng(0)
    truth = 50_000 + 9_000 * random.normal(size=ITEMS)
    numbers = np.arange(ITEMS)
    pictures = np.stack([numbers % 256, numbers // 256], axis=1).astype(np.uint8).reshape(ITEMS, 1, 1, 2)
    whole = Corpus("image", pictures, np.zeros(ITEMS, dtype=np.int64), truth[:, None].astype(np.float32))
    whole.targets[::50] = np.nan
    errors = {"first": 3_000 * random.normal(size=ITEMS), "second": 4_000 * random.normal(size=ITEMS)}
    members = {name: Says(truth + each) for name, each in errors.items()} | {"far": Says(np.zeros(ITEMS))}
    return members, whole.take(np.arange(400)), whole.take(np.arange(400, ITEMS)).answered()


def test_the_average_is_better_than_each_member_and_its_interval_holds(world):
    members, held, test = world
    stack = stacked_regression.fit(members, held, held, SHAPE, Settings(), 0, lambda *args: None)
    assert stack.weights["far"] < 0.01
    assert stack.weights["first"] == pytest.approx(16 / 25, abs=0.1), "by the inverse of variances"
    assert sum(stack.weights.values()) == pytest.approx(1)
    truth = test.targets[:, 0]
    rmse = {
        name: float(np.sqrt(np.square(stacked_regression.predictions(one, test) - truth).mean()))
        for name, one in {**members, "stack": stack}.items()
    }
    assert rmse["stack"] < 0.9 * rmse["first"]
    inside = np.abs(stacked_regression.predictions(stack, test) - truth) <= stack.half_width
    assert inside.mean() == pytest.approx(0.9, abs=0.03)
    assert capabilities(stack) == ("regresses",)


def test_half_a_width_is_a_quantile_of_errors_or_none_where_they_are_too_few():
    assert half_width(np.array([3.0, -1.0, 2.0, -9.0, 4.0, 5.0, 6.0, 7.0, 8.0]), 0.9) == 9.0
    assert half_width(np.arange(-100.0, 0.0), 0.9) == 91.0
    assert half_width(np.ones(8), 0.9) is None


def test_too_few_items_leave_all_as_it_is(world):
    members, held, _ = world
    stack = stacked_regression.fit(members, held, held.take(np.arange(1, 4)), SHAPE, Settings(), 0, lambda *args: None)
    assert list(stack.weights.values()) == [pytest.approx(1 / 3)] * 3
    assert stack.half_width is None
