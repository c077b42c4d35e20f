import json

import numpy as np
import pytest
import torch

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.errors import BadInput
from aigc_models.families import masked_lm, rnn, vae
from aigc_models.find import find
from aigc_models.generator import Generator
from aigc_models.heads import classify, headed
from aigc_models.training.fit import Plan, fit, seeded

text = find("aigc_models.modalities", "text")
image = find("aigc_models.modalities", "image")
FORMAT = text.Format(length=32)
LABELS = ("falls", "rises")
SHAPE = Shape("text", LABELS, FORMAT, "classify")


class Silent:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, step, total, **figures):
        """Nobody looks."""

    def stop(self):
        return False


def corpus(count, seed=0):
    """Texts whose label is in one word of several."""
    random = np.random.default_rng(seed)
    words = ["profit", "sales", "orders", "the", "in", "May"]
    labels = random.integers(0, 2, count)
    texts = [" ".join([*random.choice(words, 2), ("down", "up")[label], *random.choice(words, 1)]) for label in labels]
    return Corpus("text", text.encode(texts, FORMAT), labels.astype(np.int64))


def trained(tmp_path, family=masked_lm, steps=80, **settings):
    with seeded(0):
        model = headed(family.build(family.SIZES["debug"], SHAPE), SHAPE, settings)
    plan = Plan(steps=steps, batch_size=16, learning_rate=3e-3, ema=0.0, device="cpu")
    fit(model, corpus(200), corpus(40, 1), plan, Silent(tmp_path))
    return model


def test_a_head_on_a_body_learns_the_labels_and_comes_back_from_its_bundle(tmp_path):
    model = trained(tmp_path)
    test = corpus(60, 2)
    with torch.inference_mode():
        scores = model.classify(test.batch(np.arange(60)))
    assert (scores.argmax(1).numpy() == test.conditions).mean() > 0.9
    about = {"labels": LABELS, "task": "classify", "format": FORMAT.model_dump(), "head": model.settings.model_dump()}
    card = Card(name="words", family="masked_lm", modality="text", config=masked_lm.SIZES["debug"].model_dump(), **about)
    bundle.save(tmp_path / "bundle", model, card)
    generator = Generator.load(tmp_path / "bundle", "cpu")
    assert "classifies" in generator.capabilities
    assert "generates" not in generator.capabilities
    answers = classify.answers(generator, ["profit May up the", "sales the down in"])
    assert [answer["label"] for answer in answers] == ["rises", "falls"]
    assert sum(answers[0]["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    alone = classify.answers(generator, ["sales the down in"])[0]["probabilities"]
    assert alone == pytest.approx(answers[1]["probabilities"], abs=1e-6), "an answer depends on its own item alone"


def test_items_without_a_label_teach_nothing():
    with seeded(0):
        model = headed(masked_lm.build(masked_lm.SIZES["debug"], SHAPE), SHAPE, {"dropout": 0.0})
    some = corpus(8).batch(np.arange(8))
    whole = Batch(some.values, torch.where(torch.arange(8) < 4, some.conditions, 2))
    assert model.loss(whole).weight == 4
    assert torch.allclose(model.loss(whole).value, model.loss(some.part(slice(0, 4))).value, atol=1e-5)


def test_the_label_of_an_item_is_not_shown_to_a_body_that_would_look_at_it():
    shape = Shape("image", ("left", "right"), image.Format(height=8, width=8, channels=1), "classify")
    with seeded(0):
        body = vae.build(vae.SIZES["debug"], shape)
        body.features = vae.SIZES["debug"].code
        model = classify.build(body, shape, classify.Settings()).eval()
    values = torch.zeros(2, 1, 8, 8)
    with torch.inference_mode():
        one, other = (model.classify(Batch(values, torch.tensor(conditions))) for conditions in ([0, 1], [1, 0]))
    assert torch.equal(one, other)


def test_a_family_that_classifies_by_itself_gets_no_head():
    shape = Shape("image", ("left", "right"), image.Format(height=8, width=8, channels=1), "classify")
    model = vae.build(vae.SIZES["debug"], shape)
    assert headed(model, shape) is model


def test_what_cannot_be_asked_is_said():
    ngram = find("aigc_models.families", "ngram")
    with pytest.raises(BadInput, match=r"cannot classify: it .*; choose another family"):
        headed(ngram.build(ngram.SIZES["debug"], SHAPE), SHAPE)
    with pytest.raises(BadInput, match="head of classify: dropout"):
        headed(rnn.build(rnn.SIZES["debug"], SHAPE), SHAPE, {"dropout": 2})


@pytest.mark.parametrize(
    ("labels", "conditions", "said"),
    [
        ((), [0, 0, 0], "the items have none, or numbers of many values; say where labels stand .* or use --task regress"),
        (("one",), [0, 0, 0], "all are 'one'"),
        (("one", "two"), [0, 0, 1], "'two' has 1: add some"),
    ],
    ids=["none", "one", "few"],
)
def test_data_that_cannot_teach_it_are_refused(labels, conditions, said):
    shape, some = Shape("text", labels, FORMAT, "classify"), corpus(3)
    with pytest.raises(BadInput, match=said):
        classify.check(shape, Corpus("text", some.values, np.array(conditions)))


def test_labels_that_are_many_or_rare_do_not_suit_the_task_by_themselves():
    def card(**counts):
        return {"splits": {"train": {"labels": counts}}}

    assert "2 labels, each with 7 train items" in classify.suits(card(up=7, down=9))
    assert classify.suits(card(up=7, down=1)) == ""
    assert classify.suits(card(**{f"user {at}": 9 for at in range(300)})) == ""
    assert classify.suits(json.loads("{}")) == ""
