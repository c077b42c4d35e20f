"""It learns the ring, sees its last items wherever a history stands in a batch, and its estimated softmax is the true one."""

import numpy as np
import pytest
import torch

from aigc_models.corpus import Batch
from aigc_models.families import item_attention
from aigc_models.training.fit import Plan, fit, seeded


class Silent:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, step, total, **figures):
        """Nobody looks."""

    def stop(self):
        return False


def built(shape, **settings):
    with seeded(0):
        config = item_attention.SIZES["debug"].model_copy(update=settings)
        return item_attention.build(config, shape).eval()


def batch(*histories):
    length = max(map(len, histories))
    padded = [[*history, *[-1] * (length - len(history))] for history in histories]
    return Batch(torch.tensor(padded), torch.zeros(len(histories), dtype=torch.int64))


def test_it_learns_what_comes_next(strolls, tmp_path) -> None:
    model = built(strolls.shape, negatives=0, onward=0.0)
    plan = Plan(**{**item_attention.PLAN, "steps": 200, "device": "cpu"})
    fitted = fit(model, strolls.train, strolls.validation, plan, Silent(tmp_path))
    assert fitted.validation_loss < 1.9  # of 3.7 for 40 items that are all alike
    said = model.recommend(batch([5, 6, 7], [20]))
    assert said.argmax(1).tolist() == [8, 21]


@torch.no_grad()
def test_the_last_items_are_seen_and_padding_is_not(strolls) -> None:
    model = built(strolls.shape)
    long = (np.arange(60) % 40 + 1).tolist()
    alone, together = model.recommend(batch(long)), model.recommend(batch(long, [3]))
    assert torch.allclose(alone[0], together[0], atol=1e-5)
    assert torch.allclose(model.recommend(batch([3]))[0], together[1], atol=1e-5)
    window = item_attention.SIZES["debug"].window
    assert torch.allclose(model.recommend(batch([*long[1:30], *long[-window + 1 :]])), alone, atol=1e-5)
    assert not torch.allclose(model.recommend(batch([*long[:-1], 9])), alone)
    assert model.recommend(Batch(torch.full((1, 1), -1), torch.zeros(1).long())).isfinite().all()


@torch.no_grad()
def test_few_drawn_items_estimate_the_sum_of_all(strolls) -> None:
    model = built(strolls.shape, negatives=20_000)
    features, targets = (
        2 * torch.randn(6, 16, generator=torch.Generator().manual_seed(0)),
        torch.tensor([[1, 2]] * 3 + [[30, 31]] * 3),
    )
    torch.manual_seed(1)
    total, own = model.normaliser(features, targets)
    assert total.tolist() == pytest.approx(model.logits(features).logsumexp(-1).tolist(), abs=0.03)
    assert torch.allclose(own, model.logits(features).gather(1, targets), atol=1e-5)


def test_batches_are_stretches_of_histories(strolls) -> None:
    model = built(strolls.shape)
    one, again = (model.batches(strolls.train, 4, 3)(5) for _ in range(2))
    assert torch.equal(one.values, again.values)
    assert one.values.shape == (8, 17)
    follows = (one.values[:, 2:] - one.values[:, 1:-1]) % 40
    assert set(follows[one.values[:, 2:] > 0].tolist()) <= {1, 2}
