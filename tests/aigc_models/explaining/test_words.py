import numpy as np
import pytest
import torch

from aigc_models.bundle import Card
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import opinion_pool
from aigc_models.errors import BadInput
from aigc_models.explaining.words import explain
from aigc_models.families import tfidf
from aigc_models.find import find
from aigc_models.generator import Generator

text = find("aigc_models.modalities", "text")
FORMAT = text.Format(length=128)
WEIGHTS = {"fell": 3.0, "profit": -0.5, "rose": -3.0, "weak": 1.0}
LABELS = ("down", "up")


class Counted:
    """Adds up the weights of the words of a text: what each says is known."""

    def __init__(self, weights):
        self.weights = weights

    def classify(self, batch):
        texts = text.decode(batch.values, FORMAT)
        scores = [sum(self.weights.get(word.lower(), 0.0) for word in one.split()) for one in texts]
        return torch.tensor([[score, 0.0] for score in scores])


def generator(model):
    card = Card(name="tone", family="tfidf", modality="text", task="classify", labels=LABELS, format=FORMAT.model_dump())
    return Generator(card, model, text, FORMAT)


def test_each_word_has_what_the_label_loses_without_it():
    said = explain(generator(Counted(WEIGHTS)), "Weak profit fell in May", "down")
    scores = {word.text: word.value for word in said.words}

    def log_probability(score):
        return score - np.logaddexp(score, 0.0)

    for word, weight in {"Weak": 1.0, "profit": -0.5, "fell": 3.0, "in": 0.0, "May": 0.0}.items():
        assert scores[word] == pytest.approx(log_probability(3.5) - log_probability(3.5 - weight), abs=1e-6)
    assert said.methods == {"tone": "leaving words out"}
    assert [said.words[at].text for at in range(5)] == ["Weak", "profit", "fell", "in", "May"]
    assert {"fell", "Weak"} <= set(said.removed)
    assert said.without_these < said.without_random < said.probability


def test_the_likeliest_label_is_explained_unless_another_is_asked_for():
    model = generator(Counted(WEIGHTS))
    assert explain(model, "profit rose").label == "up"
    against = {word.text: word.value for word in explain(model, "profit rose", "down").words}
    assert against["rose"] < 0


def test_a_pool_adds_the_accounts_of_its_members_each_with_its_weight():
    members = {"one": Counted(WEIGHTS), "two": Counted({"may": 2.0})}
    pool = opinion_pool.OpinionPool(members, {"one": 0.75, "two": 0.25}, opinion_pool.Settings(scale=0.5))
    said = explain(generator(pool), "profit fell in May", "down")
    alone = [explain(generator(member), "profit fell in May", "down") for member in members.values()]
    for place, word in enumerate(said.words):
        expected = 0.5 * (0.75 * alone[0].words[place].value + 0.25 * alone[1].words[place].value)
        assert word.value == pytest.approx(expected, abs=1e-6), word
    assert set(said.methods) == {"one", "two"}


def test_words_that_a_trained_model_names_matter_more_than_others_drawn_at_random():
    """Twenty texts of which one word decides: the check tells, for nearly all, by far."""
    random, fillers = np.random.default_rng(0), ["profit", "sales", "orders", "in", "Oslo", "the", "plant", "of", "May"]
    labels = random.integers(0, 2, 220)
    texts = [" ".join([*random.choice(fillers, 5), ("fell", "rose")[label], *random.choice(fillers, 3)]) for label in labels]
    corpus = Corpus("text", text.encode(texts, FORMAT), labels)
    model = tfidf.build(tfidf.SIZES["debug"], Shape("text", LABELS, FORMAT, "classify"))
    model.fit(corpus.take(np.arange(180)), corpus.take(np.arange(180, 200)), lambda *arguments, **figures: None)
    falls = [explain(generator(model), one) for one in texts[200:]]
    assert all({"fell", "rose"} & set(said.removed) for said in falls)
    assert np.mean([said.without_random - said.without_these for said in falls]) > 0.15
    assert sum(said.without_these < said.without_random for said in falls) >= 19


@pytest.mark.parametrize(
    ("said", "label", "message"),
    [("", None, "has no words"), ("profit", "sideways", "unknown label 'sideways'")],
    ids=["empty", "label"],
)
def test_what_cannot_be_explained_is_said(said, label, message):
    with pytest.raises(BadInput, match=message):
        explain(generator(Counted(WEIGHTS)), said, label)


def test_a_model_of_another_task_has_no_decision_to_explain():
    card = Card(name="poet", family="ngram", modality="text", format=FORMAT.model_dump())
    with pytest.raises(BadInput, match="poet is asked to generate text"):
        explain(Generator(card, object(), text, FORMAT), "profit fell")
