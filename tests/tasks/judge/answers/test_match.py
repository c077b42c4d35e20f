import json

import numpy as np

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.families import bm25
from aigc_models.generator import Generator
from aigc_models.modalities import text
from tasks.judge.answers import match

FORMAT = text.Format(length=64)
PAIRS = ["how to cancel?\nto cancel, press <stop>", "where is it?\nit is on the way", "hm\nyes?"]


def corpus(written):
    return Corpus("text", text.encode(written, FORMAT), np.zeros(len(written), dtype=np.int64))


def test_a_report_shows_the_best_answers_of_each_question_and_which_is_right(tmp_path):
    model = bm25.build(bm25.Config(), Shape("text", (), FORMAT, "match"))
    model.fit(corpus(["who?\nme"] * 3), corpus([]), lambda *args, **figures: None)
    about = {"task": "match", "format": FORMAT.model_dump(), "config": bm25.Config().model_dump()}
    card = Card(name="desk", family="bm25", modality="text", **about)
    bundle.save(tmp_path / "bundle", model, card)
    generator = Generator.load(tmp_path / "bundle", "cpu")
    shown = match.answers(generator, corpus([*PAIRS, "who is it?\nit is on my"]), 3, tmp_path)
    assert [one["file"] for one in shown] == ["000.txt", "001.txt", "002.txt"]
    assert (tmp_path / "000.txt").read_text() == "how to cancel?"
    assert shown[0]["note"].startswith("right; score 0.")
    assert shown[2]["note"].startswith("wrong, the right answer is at place 3 of 4")
    assert "<li><b>to cancel, press &lt;stop&gt;</b> 0." in shown[0]["html"]
    assert shown[0]["html"].count("<li>") == 4
    assert match.answers(generator, corpus([]), 3, tmp_path) == []


def test_a_report_shows_what_is_replied_to_test_questions_from_the_cases_of_the_other_splits(replier, tmp_path):
    generator = Generator.load(replier, "cpu")
    test = [f"{case.question}\n{case.answer}" for case in generator.cases.cases if case.id.startswith("test-")]
    given = Corpus("text", text.encode(test, generator.format), np.zeros(len(test), dtype=np.int64))
    first, *shown = match.answers(generator, given, 3, tmp_path)
    figures = json.loads((tmp_path / first["file"]).read_text())
    assert (figures["questions"], figures["answerable"]) == (8, 8)
    assert figures["right"] > 0.5
    assert f"answered rightly and {figures['wrong']:.0%} wrongly" in first["html"]
    assert len(shown) == 3
    assert "rests on case t" in shown[0]["note"] or "not answered; a case has the answer" in shown[0]["note"]
    assert not any("rests on case test-" in one["note"] for one in shown), "a question is not answered by itself"
    assert (tmp_path / "000.txt").read_text() == test[0].partition("\n")[0]
