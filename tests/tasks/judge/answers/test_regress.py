import numpy as np
import pytest

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.families import constant
from aigc_models.generator import Generator
from aigc_models.modalities import text
from tasks.judge.answers import regress

FORMAT = text.Format(length=16)


def corpus(written, numbers):
    values = text.encode(written, FORMAT)
    return Corpus("text", values, np.zeros(len(written), int), np.array(numbers, np.float32).reshape(-1, 1))


def test_a_report_draws_numbers_beside_true_ones_and_shows_the_largest_errors_first(tmp_path):
    model = constant.build(constant.Config(), Shape("text", (), FORMAT, "regress"))
    model.fit(taught := corpus(["a", "b"], [1, 3]), taught, lambda *args, **figures: None)
    card = Card(name="marks", family="constant", modality="text", task="regress", format=FORMAT.model_dump())
    bundle.save(tmp_path / "bundle", model, card)
    generator = Generator.load(tmp_path / "bundle", "cpu")
    test = corpus(["two", "nine", "three", "none"], [2, 9, 3, np.nan])
    first, *shown = regress.answers(generator, test, 3, tmp_path)
    assert first["html"].count("<circle") == 3
    assert first["note"] == "predicted and true numbers"
    assert [one["note"] for one in shown] == ["it is 9; 7 off", "it is 2; 0 off", "it is 3; 1 off"]
    assert (tmp_path / shown[0]["file"]).read_text() == "nine"
    assert regress.answers(generator, corpus([], []), 3, tmp_path) == []


@pytest.mark.parametrize(("half", "said"), [(1.5, "±1.5 and holds 66.7%"), (None, "predicted and true numbers")])
def test_the_interval_says_what_it_holds(half, said):
    assert said in regress.coverage(np.array([1.0, 2.0, 9.0]), np.array([2.0, 2.0, 2.0]), half, 0.9)
    assert regress.drawn(np.array([1.0, 1.0]), np.array([1.0, 1.0]), half).count("<circle") == 2
