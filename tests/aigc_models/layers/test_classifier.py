import numpy as np
import torch

from aigc_models.layers import classifier
from aigc_models.layers.classifier import features, fit_classifier, predictions


def test_it_learns_digits_and_leaves_the_random_state_alone(digits):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    model = fit_classifier(digits.train, digits.shape, 10, steps=80, seed=1)
    assert torch.equal(torch.rand(1), expected)
    assert np.mean(predictions(model, digits.test) == digits.test.conditions) > 0.9
    assert features(model, digits.test).shape == (300, 64)


def test_the_same_seed_gives_the_same_classifier(digits):
    first, second = (fit_classifier(digits.train, digits.shape, 10, steps=3, seed=4) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first.state_dict().values(), second.state_dict().values(), strict=True))


def test_what_is_painted_ahead_is_what_is_painted_batch_by_batch(tones, monkeypatch):
    ahead = fit_classifier(tones.train, tones.shape, len(tones.shape.labels), steps=8, seed=4)
    monkeypatch.setattr(classifier, "MOST_PAINTED", 0)
    one_by_one = fit_classifier(tones.train, tones.shape, len(tones.shape.labels), steps=8, seed=4)
    for first, second in zip(ahead.parameters(), one_by_one.parameters(), strict=True):
        assert torch.allclose(first, second, atol=1e-4)


def test_training_takes_one_thread_and_gives_the_others_back(digits, monkeypatch):
    threads, seen = torch.get_num_threads(), []
    monkeypatch.setattr(classifier, "factor", lambda *schedule: seen.append(torch.get_num_threads()) or 1.0)
    fit_classifier(digits.train, digits.shape, 10, steps=2, seed=4)
    assert seen == [1, 1]
    assert torch.get_num_threads() == threads
