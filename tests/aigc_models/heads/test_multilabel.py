import numpy as np
import pytest
import torch

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.errors import BadInput
from aigc_models.families import masked_lm
from aigc_models.find import find
from aigc_models.generator import Generator
from aigc_models.heads import classify, headed, multilabel
from aigc_models.heads.multilabel import Targets
from aigc_models.training.fit import Plan, fit, seeded

text = find("aigc_models.modalities", "text")
FORMAT = text.Format(length=32)
LABELS = ("money", "north", "spring")
SHAPE = Shape("text", LABELS, FORMAT, "multilabel")
WORDS = {"money": "profit", "north": "Oslo", "spring": "May"}


class Silent:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, step, total, **figures):
        """Nobody looks."""

    def stop(self):
        return False


def corpus(count, seed=0):
    """Texts with a word for each of their labels, among others."""
    random = np.random.default_rng(seed)
    has = random.random((count, 3)) < 0.4
    texts = []
    for row in has:
        words = [WORDS[label] for label, there in zip(LABELS, row, strict=True) if there]
        texts.append(" ".join(random.permutation([*words, *random.choice(["the", "of", "in", "plant"], 2)])))
    return Corpus("text", text.encode(texts, FORMAT), np.full(count, 3), has.astype(np.float32))


def test_a_head_on_a_body_learns_the_labels_and_comes_back_from_its_bundle(tmp_path):
    with seeded(0):
        model = headed(masked_lm.build(masked_lm.SIZES["debug"], SHAPE), SHAPE)
    plan = Plan(steps=200, batch_size=16, learning_rate=3e-3, ema=0.0, device="cpu")
    fit(model, corpus(300), corpus(40, 1), plan, Silent(tmp_path))
    test = corpus(60, 2)
    with torch.inference_mode():
        said = model.assign(test.batch(np.arange(60))).numpy() > 0
    assert (said == (test.targets > 0.5)).mean() > 0.9
    about = {"labels": LABELS, "task": "multilabel", "format": FORMAT.model_dump(), "head": model.settings.model_dump()}
    card = Card(name="words", family="masked_lm", modality="text", config=masked_lm.SIZES["debug"].model_dump(), **about)
    bundle.save(tmp_path / "bundle", model, card)
    generator = Generator.load(tmp_path / "bundle", "cpu")
    assert "assigns" in generator.capabilities
    assert not {"generates", "classifies"} & set(generator.capabilities)
    answers = multilabel.answers(generator, ["profit of the plant in May", "the Oslo plant"])
    assert [set(answer["labels"]) for answer in answers] == [{"money", "spring"}, {"north"}]
    alone = multilabel.answers(generator, ["the Oslo plant"])[0]["probabilities"]
    assert alone == pytest.approx(answers[1]["probabilities"], abs=1e-6), "an answer depends on its own item alone"


def test_items_without_labels_teach_nothing_and_those_that_have_none_of_them_do():
    with seeded(0):
        model = headed(masked_lm.build(masked_lm.SIZES["debug"], SHAPE), SHAPE, {"dropout": 0.0})
    some = corpus(8).batch(np.arange(8))
    assert some.targets is not None
    half = torch.where(torch.arange(8)[:, None] < 4, some.targets, torch.nan)
    whole = Batch(some.values, some.conditions, half)
    assert model.loss(whole).weight == 4
    assert torch.allclose(model.loss(whole).value, model.loss(some.part(slice(0, 4))).value, atol=1e-5)
    assert model.loss(Batch(some.values, some.conditions, torch.zeros(8, 3))).weight == 8


def test_a_label_names_a_set_however_it_is_written():
    usual, commas = Targets(), Targets(separator=",")
    assert usual.parts(" a; b |a;") == ["a", "b"]
    assert usual.parts('["b;c", "a"]') == ["b;c", "a"]
    assert usual.parts("[draft] a") == ["[draft] a"]
    assert commas.parts("a, b;c") == ["a", "b;c"]
    names = usual.names(["b;a", None, "c"])
    assert names == ("a", "b", "c")
    assert usual.of("c;new;a", names).tolist() == [1, 0, 1], "a combination that no train item has counts"
    assert usual.of("[]", names).tolist() == [0, 0, 0]
    assert np.isnan(usual.of(None, names)).all()


def test_data_that_cannot_teach_it_are_refused():
    with pytest.raises(
        BadInput, match=r"every train item has one label, such as 'up': use --task classify, or regress; or say what stands"
    ):
        Targets().names(["up", "down", "up"])
    few = corpus(3)
    rare = Corpus("text", few.values, few.conditions, np.array([[1, 0, 1], [1, 0, 0], [1, 0, 0]], dtype=np.float32))
    with pytest.raises(BadInput, match="two labels with 2 train items each, and there are: 'money' has 3, 'north' has 0"):
        multilabel.check(SHAPE, rare)


def test_sets_of_few_labels_suit_it_and_then_are_no_classes():
    def card(**counts):
        return {"splits": {"train": {"labels": counts}}}

    sets = card(**{"a;b": 20, "a": 20, "b": 20})
    assert "33% of the train items have several of 2 labels" in multilabel.suits(sets)
    assert classify.suits(sets) == ""
    assert multilabel.suits(card(a=20, b=20)) == ""
    assert multilabel.suits(card(**{f"user {at}; city {at}": 1 for at in range(200)})) == ""
    assert multilabel.suits({}) == ""
