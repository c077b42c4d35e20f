import numpy as np
import pytest
import torch
from scipy.stats import multivariate_normal

from aigc_models.capabilities import Classifies, Fits, Generates, Shape, Stateful
from aigc_models.corpus import Corpus
from aigc_models.families.gaussian_mixture import SIZES, Config, build, log_density
from aigc_models.modalities.image import Format


def quiet(*args, **figures):
    return None


@pytest.fixture(scope="module")
def fitted(digits):
    model = build(Config(components=(1, 3), directions=(10, 25)), digits.shape)
    model.fit(digits.train, digits.validation, quiet)
    return model


def test_pictures_look_like_their_label(digits, fitted):
    conditions = torch.arange(10).repeat(20)
    values = fitted.generate(conditions, torch.arange(200)).numpy()
    train = np.asarray(digits.train.values) / 127.5 - 1
    means = np.stack([train[digits.train.conditions == label].mean(0) for label in range(10)])
    nearest = ((values[:, None] - means[None]) ** 2).sum((2, 3, 4)).argmin(1)
    assert np.mean(nearest == conditions.numpy()) > 0.8


def test_capabilities_and_a_round_trip_through_tensors(digits, fitted):
    assert isinstance(fitted, Fits)
    assert isinstance(fitted, Generates)
    assert isinstance(fitted, Stateful)
    other = build(SIZES["debug"], digits.shape)
    other.load_state_dict(fitted.state_dict())
    asked = (torch.tensor([4, 10]), torch.tensor([1, 2]))
    assert torch.equal(fitted.generate(*asked), other.generate(*asked))


def test_an_item_depends_on_its_seed_and_condition_alone(fitted):
    values = fitted.generate(torch.tensor([1, 2, 10]), torch.tensor([7, 8, 9]))
    other = fitted.generate(torch.tensor([2, 10]), torch.tensor([8, 9]))
    assert torch.allclose(values[1:], other, atol=1e-6)


def test_density_against_scipy():
    random = np.random.default_rng(0)
    factors = np.tril(random.normal(size=(2, 3, 3)))
    factors[:, range(3), range(3)] = 1 + np.abs(factors[:, range(3), range(3)])
    means, values = random.normal(size=(2, 3)), random.normal(size=(5, 3))
    expected = np.log(
        0.3 * multivariate_normal(means[0], factors[0] @ factors[0].T).pdf(values)
        + 0.7 * multivariate_normal(means[1], factors[1] @ factors[1].T).pdf(values)
    )
    assert np.allclose(log_density((np.log([0.3, 0.7]), means, factors), values), expected)


def test_without_labels_and_with_hardly_any_items():
    random = np.random.default_rng(0)
    values = random.integers(0, 255, size=(6, 3, 4, 4)).astype(np.uint8)
    corpus = Corpus("image", values, np.zeros(6, dtype=np.int64))
    model = build(SIZES["debug"], Shape("image", (), Format(height=4, width=4, channels=3)))
    model.fit(corpus, corpus, quiet)
    assert model.generate(torch.tensor([0, 0]), torch.tensor([1, 2])).shape == (2, 3, 4, 4)


def test_an_unlabelled_item_draws_its_label_by_frequency(digits, fitted):
    values = fitted.generate(torch.full((50,), 10), torch.arange(50))
    assert float(values.std(0).mean()) > 0.3
    assert torch.isfinite(values).all()


def test_labels_by_bayes_rule_against_the_reference_density(digits, fitted):
    batch = digits.test.batch(np.arange(100))
    assert isinstance(fitted, Classifies)
    scores = fitted.classify(batch)
    assert float((scores.argmax(1) == batch.conditions).float().mean()) > 0.9
    state = {name: tensor.double().numpy() for name, tensor in fitted.state_dict().items()}
    values = (batch.values.flatten(1).double().numpy() - state["centre"]) @ state["basis"].T
    kept = state["weights"][3] > 0
    parts = (np.log(state["weights"][3][kept]), state["means"][3][kept], state["factors"][3][kept])
    assert np.allclose(scores[:, 3], log_density(parts, values) + np.log(state["shares"][3]), rtol=1e-4)


def test_a_label_without_items_is_never_the_answer(digits):
    others = digits.train.take(np.flatnonzero(digits.train.conditions != 4))
    model = build(SIZES["debug"], digits.shape)
    model.fit(others, digits.validation, quiet)
    scores = model.classify(digits.test.batch(np.arange(50)))
    assert torch.isneginf(scores[:, 4]).all()
    assert torch.isfinite(scores[:, :4]).all()
