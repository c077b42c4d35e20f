"""On a truth that is simulated: calibrated, no worse than the best member, and thresholds that serve F1."""

import numpy as np
import pytest
import torch
from scipy.special import expit, logit
from sklearn.metrics import f1_score

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles import logit_pool
from aigc_models.ensembles.logit_pool import Settings, best_thresholds
from aigc_models.modalities import image

ITEMS, LABELS = 3000, 3
SHAPE = Shape("image", ("a", "b", "c"), image.Format(height=1, width=2, channels=1), "multilabel")


class Says:
    """Gives each item the logits in its row; an item is a picture of two pixels, which are its number."""

    def __init__(self, table: np.ndarray) -> None:
        self.table = torch.from_numpy(table).float()

    def assign(self, batch: Batch) -> torch.Tensor:
        low, high = ((batch.values[:, 0, 0, at] + 1) * 127.5 for at in (0, 1))
        return self.table[(low + 256 * high).round().long()]


@pytest.fixture(scope="module")
def world() -> tuple[dict[str, object], Corpus, Corpus]:
    """Two members that each see a part of what decides, one three times too sure; validation and test."""
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, ITEMS, LABELS))
    truth = random.random((ITEMS, LABELS)) < expit(1.5 * first + 1.5 * second + logit([0.5, 0.2, 0.05]))
    numbers = np.arange(ITEMS)
    pictures = np.stack([numbers % 256, numbers // 256], axis=1).astype(np.uint8).reshape(ITEMS, 1, 1, 2)
    whole = Corpus("image", pictures, np.full(ITEMS, 3), truth.astype(np.float32))
    whole.targets[::50] = np.nan
    members = {"first": Says(3 * first), "second": Says(second), "noise": Says(random.normal(size=(ITEMS, LABELS)))}
    return members, whole.take(np.arange(600)), whole.take(np.arange(600, ITEMS)).answered()


def fitted(members, held):
    return logit_pool.fit(members, held, held, SHAPE, Settings(), 0, lambda *args: None)


def test_the_pool_is_better_than_each_member_and_leaves_noise_out(world):
    members, held, test = world
    pool = fitted(members, held)
    assert pool.weights["noise"] < 0.1
    truth = np.asarray(test.targets, dtype=np.float64)
    losses = {}
    for name, model in {**members, "pool": pool}.items():
        said = logit_pool.logits(model, test)
        losses[name] = float((np.logaddexp(0, said) - truth * said).mean())
    assert losses["pool"] < min(losses[name] for name in members) - 0.02
    assert capabilities(pool) == ("assigns",)
    assert len(pool.asked) == sum(weight > 0 for weight in pool.weights.values())


def test_thresholds_serve_rare_labels_better_than_a_half(world):
    members, held, test = world
    pool = fitted(members, held)
    shares, truth = expit(logit_pool.logits(pool, test)), test.targets > 0.5
    learnt = f1_score(truth, shares >= np.array(pool.thresholds), average="macro")
    assert learnt > f1_score(truth, shares >= 0.5, average="macro") + 0.02


def test_a_threshold_is_the_best_there_is_and_a_half_where_it_cannot_be_told():
    shares = np.array([0.9, 0.8, 0.7, 0.6, 0.4, 0.3, 0.2, 0.2, 0.1, 0.1, 0.05])[:, None]
    has = np.array([1, 1, 0, 1, 1, 1, 0, 0, 0, 0, 0], dtype=float)[:, None]
    (threshold,) = best_thresholds(shares, has)
    scores = [f1_score(has[:, 0], shares[:, 0] >= one) for one in np.linspace(0.01, 0.99, 99)]
    assert f1_score(has[:, 0], shares[:, 0] >= threshold) == max(scores)
    assert threshold == pytest.approx(0.25)
    assert best_thresholds(shares[:6], has[:6]) == (0.5,), "one item without it"


def test_too_few_items_leave_all_as_it_is(world):
    members, held, _ = world
    pool = fitted(members, held.take(np.arange(1, 4)))
    assert list(pool.weights.values()) == [pytest.approx(1 / 3)] * 3
    assert pool.thresholds == ()
