import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from aigc_models.capabilities import Fits, Stateful, capabilities
from aigc_models.corpus import Corpus
from aigc_models.families import ridge, tfidf
from aigc_models.modalities import text


def quiet(*args, **figures):
    return None


@pytest.fixture(scope="module")
def fitted(moods):
    model = ridge.build(ridge.SIZES["debug"], moods.shape)
    return model, model.fit(moods.corpus(300, 0), moods.corpus(100, 1), quiet)


def test_figures_that_compare_tell_labels_apart_where_words_do_not(moods, fitted):
    model, loss = fitted
    plain = tfidf.build(tfidf.SIZES["debug"], moods.shape)
    test = moods.corpus(300, 2, labelled=1.0)
    batch = test.batch(np.arange(300))
    right = float((model.classify(batch).argmax(1).numpy() == test.conditions).mean())
    assert plain.fit(moods.corpus(300, 0), moods.corpus(100, 1), quiet) > loss + 0.05
    assert right > 0.95
    assert right > float((plain.classify(batch).argmax(1).numpy() == test.conditions).mean()) + 0.03


def test_what_an_item_is_given_when_left_out_is_what_training_without_it_gives(moods, monkeypatch):
    train, seen = moods.corpus(40, 0, labelled=1.0), {}
    monkeypatch.setattr(ridge.Ridge, "settle", lambda self, inputs, duals, left_out, truth: seen.update(locals()))
    ridge.build(ridge.SIZES["debug"], moods.shape).fit(train, moods.corpus(0, 1), quiet)
    inputs, rest = seen["inputs"].toarray(), np.arange(1, 40)
    kinds = len(seen["self"].features.filled)
    wanted = np.eye(3)[seen["truth"]]
    wanted = wanted - wanted.mean(0)
    duals = np.linalg.solve(inputs[rest] @ inputs[rest].T + 0.1 * kinds * np.eye(39), wanted[rest])
    assert np.allclose(inputs[0] @ inputs[rest].T @ duals, seen["left_out"][0], atol=1e-5)


def test_capabilities_and_a_round_trip_through_safetensors(moods, fitted):
    model, _ = fitted
    assert isinstance(model, Fits)
    assert isinstance(model, Stateful)
    assert capabilities(model) == ("classifies",)
    other = ridge.build(ridge.SIZES["debug"], moods.shape)
    other.load_state_dict(load(save(dict(model.state_dict()))))
    batch = moods.corpus(20, 3).batch(np.arange(20))
    assert torch.equal(model.classify(batch), other.classify(batch))


def test_texts_of_a_single_word_and_an_empty_one(moods):
    values = text.encode(["good", "bad", "bad", "good", "neither", "neither"] * 3, moods.format)
    train = Corpus("text", values, np.array([1, 0, 0, 1, 2, 2] * 3))
    model = ridge.build(ridge.SIZES["debug"], moods.shape)
    model.fit(train, train, quiet)
    asked = Corpus("text", text.encode(["", "bad"], moods.format), np.array([3, 3]))
    scores = model.classify(asked.batch(np.arange(2)))
    assert torch.isfinite(scores).all()
    assert int(scores[1].argmax()) == 0
