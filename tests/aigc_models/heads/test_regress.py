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
from aigc_models.heads import headed, regress
from aigc_models.training.fit import Plan, fit, seeded

text = find("aigc_models.modalities", "text")
FORMAT = text.Format(length=32)
SHAPE = Shape("text", (), FORMAT, "regress")
PRICES = {"pen": 20.0, "lamp": 300.0, "chair": 900.0}


class Silent:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, step, total, **figures):
        """Nobody looks."""

    def stop(self):
        return False


def corpus(count, seed=0):
    """Things with their price: twice as much where they are new."""
    random = np.random.default_rng(seed)
    things, new = random.choice(list(PRICES), count), random.integers(0, 2, count)
    texts = [f"a {('used', 'new')[fresh]} {thing}" for thing, fresh in zip(things, new, strict=True)]
    prices = np.array([[PRICES[thing] * (1 + fresh)] for thing, fresh in zip(things, new, strict=True)], dtype=np.float32)
    return Corpus("text", text.encode(texts, FORMAT), np.zeros(count, dtype=np.int64), prices)


def test_a_head_on_a_body_learns_numbers_of_any_size_and_comes_back_from_its_bundle(tmp_path):
    train = corpus(200)
    with seeded(0):
        model = headed(masked_lm.build(masked_lm.SIZES["debug"], SHAPE), SHAPE)
    model.standardise(train)
    assert (float(model.mean), float(model.deviation)) == pytest.approx((train.targets.mean(), train.targets.std()), rel=1e-5)
    plan = Plan(steps=150, batch_size=16, learning_rate=3e-3, ema=0.0, device="cpu")
    fit(model, train, corpus(40, 1), plan, Silent(tmp_path))
    about = {"task": "regress", "format": FORMAT.model_dump(), "head": model.settings.model_dump()}
    card = Card(name="prices", family="masked_lm", modality="text", config=masked_lm.SIZES["debug"].model_dump(), **about)
    bundle.save(tmp_path / "bundle", model, card)
    generator = Generator.load(tmp_path / "bundle", "cpu")
    assert "regresses" in generator.capabilities
    answers = regress.answers(generator, ["a used pen", "a new chair"])
    assert answers[0]["value"] == pytest.approx(20, abs=300)
    assert answers[1]["value"] == pytest.approx(1800, abs=300)
    assert "interval" not in answers[0], "a member alone has learnt none"


def test_items_without_a_number_teach_nothing():
    with seeded(0):
        model = headed(masked_lm.build(masked_lm.SIZES["debug"], SHAPE), SHAPE, {"dropout": 0.0})
    some = corpus(8).batch(np.arange(8))
    half = torch.where(torch.arange(8)[:, None] < 4, some.targets, torch.nan)
    whole = Batch(some.values, some.conditions, half)
    assert model.loss(whole).weight == 4
    assert torch.allclose(model.loss(whole).value, model.loss(some.part(slice(0, 4))).value, rtol=1e-4)


@pytest.mark.parametrize("label", ["nan", "inf", "-1e400", "4,5", "five", "1_000", "1e39"])
def test_what_is_no_finite_number_is_refused(label):
    with pytest.raises(BadInput, match=f"label '{label}' is no finite number: .* --task classify"):
        regress.Targets().of(label, ())


def test_numbers_are_read_as_they_are_written():
    assert [float(regress.Targets().of(label, ())[0]) for label in ("4.5", " -3", "1e3")] == [4.5, -3.0, 1000.0]
    assert np.isnan(regress.Targets().of(None, ())).all()


def test_data_that_cannot_teach_it_are_refused():
    some = corpus(20)
    same = Corpus("text", some.values, some.conditions, np.full((20, 1), 3.5, dtype=np.float32))
    with pytest.raises(BadInput, match=r"all 20 train items have 3\.5"):
        regress.check(SHAPE, same)
    bare = Corpus("text", some.values, some.conditions, np.full((20, 1), np.nan, dtype=np.float32))
    with pytest.raises(BadInput, match="10 train items with a number, and 0 have one"):
        regress.check(SHAPE, bare)


def test_numbers_of_many_values_suit_it():
    assert "numbers of 1,200 values" in regress.suits({"splits": {"train": {"values": {"distinct": 1200}}}})
    assert regress.suits({"splits": {"train": {"labels": {"1": 9, "2": 9}}}}) == ""
