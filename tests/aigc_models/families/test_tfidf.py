import numpy as np
import pytest
import torch
from safetensors.torch import load, save
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline, make_union

from aigc_models.capabilities import Fits, Shape, Stateful, capabilities
from aigc_models.corpus import Corpus
from aigc_models.families import tfidf
from aigc_models.modalities import text


def quiet(*args, **figures):
    return None


@pytest.fixture(scope="module")
def fitted(moods):
    model = tfidf.build(tfidf.SIZES["small"], moods.shape)
    return model, model.fit(moods.corpus(300, 0), moods.corpus(100, 1), quiet)


def test_tells_labels_apart_and_says_how_well_on_validation(moods, fitted):
    model, loss = fitted
    test = moods.corpus(200, 2, labelled=1.0)
    scores = model.classify(test.batch(np.arange(200)))
    words_only = float((scores.argmax(1).numpy() == test.conditions).mean())
    assert words_only > 0.85  # figures come out by chance
    held = moods.corpus(100, 1)
    there = held.conditions < 3
    said = model.classify(held.batch(np.arange(100))).double().log_softmax(1).numpy()[there]
    assert abs(loss + said[np.arange(there.sum()), held.conditions[there]].mean()) < 1e-5


def test_is_what_scikit_learn_makes_of_the_same_terms(moods):
    texts, labels = moods.written(200, 0)
    config = tfidf.Config(strengths=(10.0,))
    model = tfidf.build(config, moods.shape)
    model.fit(moods.corpus(200, 0, labelled=1.0), moods.corpus(50, 1), quiet)
    kinds = (TfidfVectorizer(ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b", min_df=2, sublinear_tf=True),
             TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True))  # fmt: skip
    peer = make_pipeline(make_union(*kinds), LogisticRegression(C=10, max_iter=1000)).fit(texts, labels)
    batch = moods.corpus(60, 2).batch(np.arange(60))
    asked, _ = moods.written(60, 2)
    assert np.allclose(model.classify(batch).double().log_softmax(1).numpy(), peer.predict_log_proba(asked), atol=0.02)


def test_capabilities_and_a_round_trip_through_safetensors(moods, fitted):
    model, _ = fitted
    assert isinstance(model, Fits)
    assert isinstance(model, Stateful)
    assert capabilities(model) == ("classifies",)
    other = tfidf.build(tfidf.SIZES["small"], moods.shape)
    other.load_state_dict(load(save(dict(model.state_dict()))))
    batch = moods.corpus(20, 3).batch(np.arange(20))
    assert torch.equal(model.classify(batch), other.classify(batch))
    with pytest.raises(ValueError, match="terms and 3 labels"):
        other.load_state_dict({**model.state_dict(), "weights": torch.zeros(3, 3)})


def test_a_label_without_train_items_is_never_the_answer_and_two_labels_do(moods):
    train = moods.corpus(200, 0)
    two = train.take(np.flatnonzero(train.conditions != 1))
    model = tfidf.build(tfidf.SIZES["debug"], moods.shape)
    model.fit(two, moods.corpus(0, 1), quiet)
    scores = model.classify(moods.corpus(100, 2).batch(np.arange(100)))
    assert not (scores.argmax(1) == 1).any()
    assert len(scores.argmax(1).unique()) == 2
    assert torch.isfinite(scores).all()


def test_an_item_depends_on_itself_alone(moods, fitted):
    model, _ = fitted
    corpus = moods.corpus(20, 3)
    together = model.classify(corpus.batch(np.arange(20)))
    assert torch.allclose(model.classify(corpus.batch(np.array([7]))), together[7:8], atol=1e-5)


def targets_of(labels):
    """'good' is also 'felt', as 'bad' is; and a mark from 1 to 9."""
    return np.eye(3)[labels] @ [[0, 1], [1, 1], [0, 0]], np.array([1.0, 9.0, 5.0])[labels][:, None]


@pytest.mark.parametrize("task", ["multilabel", "regress"])
def test_several_labels_and_numbers_are_learnt_from_the_items_that_have_them(moods, task):
    form, kind = moods.format, ("multilabel", "regress").index(task)
    shape = Shape("text", ("good", "felt"), form, "multilabel") if task == "multilabel" else Shape("text", (), form, "regress")

    def corpus(count, seed):
        texts, labels = moods.written(count, seed)
        targets = targets_of(labels)[kind].astype(np.float32)
        targets[::10] = np.nan
        return Corpus("text", text.encode(texts, form), np.full(count, len(shape.labels)), targets)

    model = tfidf.build(tfidf.SIZES["small"], shape)
    loss = model.fit(corpus(300, 0), held := corpus(100, 1), quiet)
    asked = held.answered()
    batch = asked.batch(np.arange(len(asked)))
    if task == "multilabel":
        assert capabilities(model) == ("assigns",)
        said = model.assign(batch)
        assert abs(loss - float(torch.nn.functional.binary_cross_entropy_with_logits(said, batch.targets))) < 1e-5
        assert ((said > 0).numpy() == (asked.targets > 0.5)).mean() > 0.85
    else:
        assert capabilities(model) == ("regresses",)
        said = model.regress(batch)
        assert abs(loss - np.square(said.numpy() - asked.targets[:, 0]).mean()) < 1e-3
        assert loss < 0.5 * asked.targets.var()
    other = tfidf.build(tfidf.SIZES["small"], shape)
    other.load_state_dict(load(save(dict(model.state_dict()))))
    assert torch.equal(said, other.assign(batch) if task == "multilabel" else other.regress(batch))


def test_a_label_that_all_train_items_have_is_given_to_all():
    weights, offset = tfidf.one_against_rest(csr_matrix(np.eye(4)), np.ones(4), 1.0, 10)
    assert not weights.any()
    assert offset == pytest.approx(np.log(4.5 / 0.5))
