import numpy as np
import pytest
import torch
from torch import nn

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.families import masked_lm
from aigc_models.find import find
from aigc_models.generator import Generator
from aigc_models.heads import headed, match, tasks
from aigc_models.language.pairs import batch_of
from aigc_models.training.fit import Plan, fit, seeded

text = find("aigc_models.modalities", "text")
FORMAT = text.Format(length=64)
SHAPE = Shape("text", (), FORMAT, "match")
REPLIES = {"cancel": "order ended", "parcel": "comes today", "refund": "money sent", "hours": "nine to five"}


def corpus(written):
    return Corpus("text", text.encode(written, FORMAT), np.zeros(len(written), dtype=np.int64))


def asked(count, seed=0):
    """Questions whose answer is told by one word of several."""
    random = np.random.default_rng(seed)
    before, behind = random.choice(["please", "my", "about"], count), random.choice(["now", "of May"], count)
    told = random.choice(list(REPLIES), count)
    return [f"{one} {word} {other}\n{REPLIES[word]}" for one, word, other in zip(before, told, behind, strict=True)]


def head(**settings):
    with seeded(0):
        return headed(masked_lm.build(masked_lm.SIZES["debug"], SHAPE), SHAPE, settings)


class Silent:
    def __init__(self, folder):
        self.folder = folder

    def progress(self, step, total, **figures):
        """Nobody looks."""

    def stop(self):
        return False


def test_a_head_on_a_body_learns_which_answer_fits_and_comes_back_from_its_bundle(tmp_path):
    assert "match" in tasks()
    model = head()
    plan = Plan(steps=80, batch_size=16, learning_rate=3e-3, ema=0.0, device="cpu")
    fit(model, corpus(asked(200)), corpus(asked(40, 1)), plan, Silent(tmp_path))
    about = {"task": "match", "format": FORMAT.model_dump(), "head": model.settings.model_dump()}
    card = Card(name="desk", family="masked_lm", modality="text", config=masked_lm.SIZES["debug"].model_dump(), **about)
    bundle.save(tmp_path / "bundle", model, card)
    generator = Generator.load(tmp_path / "bundle", "cpu")
    assert "matches" in generator.capabilities
    pairs = [match.pair(one) for one in asked(60, 2)]
    pool = list(REPLIES.values())
    shares = generator.match([one.question for one in pairs], generator.index(pool))
    assert torch.allclose(shares.sum(1), torch.ones(60))
    right = [pool[best] == one.answer for best, one in zip(shares.argmax(1).tolist(), pairs, strict=True)]
    assert np.mean(right) > 0.9
    alone = generator.match([pairs[3].question], generator.index(pool))
    assert torch.allclose(alone[0], shares[3], atol=1e-6), "an answer depends on its own question alone"
    answers = match.answers(generator, asked(8, 3))
    assert {row["best"] for row in answers} <= set(pool)
    assert np.mean([row["place"] == 1 for row in answers]) > 0.8


def test_before_training_a_score_is_the_cosine_of_what_the_body_makes_of_both():
    model = head(sharpness=10.0).eval()
    questions, answers = batch_of(["when?", "where is it?"], FORMAT, 0), batch_of(["now", "here it is", "x" * 50], FORMAT, 0)
    with torch.inference_mode():
        left, right = (nn.functional.normalize(model.body.embed(one), dim=-1) for one in (questions, answers))
        assert torch.allclose(model.match(questions, answers), 10 * left @ right.T, atol=1e-3)
        assert torch.equal(model.match(questions, answers), model.match(questions, model.index(answers)))


def test_items_with_the_same_answer_or_question_are_no_negatives_of_each_other():
    expected = [[False, True, False, False], [True, False, True, False], [False, True, False, False], [False] * 4]
    assert match.same(["a", "b", "b", "c"], ["x", "x", "y", "z"]).tolist() == expected
    model = head()
    twice, once = (corpus(one).batch(np.arange(len(one))) for one in (["a?\nyes", "b?\nyes"], ["a?\nyes", "b?\nno"]))
    assert float(model.loss(twice).value.detach()) == pytest.approx(0, abs=1e-6)
    assert float(model.loss(once).value.detach()) > 0.1
    assert model.validation_loss(once) == model.loss(once).value


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (["why?\nso", "no answer here", "what?\nthat"], r"1 of 3 train items have one alone, such as 'no answer here'"),
        (["why?\nso", "\nno question here"], r"1 of 2 train items have one alone, such as 'no question here'"),
        (["why?\nso", "how?\nso"], "two different answers or more, and all 2 items have the same: 'so'"),
    ],
    ids=["no answer", "no question", "one class"],
)
def test_data_that_cannot_teach_it_are_refused(written, said):
    with pytest.raises(BadInput, match=said):
        match.check(SHAPE, corpus(written))


def test_pairs_are_no_trouble_and_no_data_suit_the_task_by_themselves():
    match.check(SHAPE, corpus(asked(20)))
    assert match.suits({"splits": {"train": {"labels": {"a": 9, "b": 9}}}}) == ""
    with pytest.raises(BadInput, match="head of match: sharpness"):
        head(sharpness=0)
    ngram = find("aigc_models.families", "ngram")
    with pytest.raises(BadInput, match="cannot match: it"):
        headed(ngram.build(ngram.SIZES["debug"], SHAPE), SHAPE)
