import json

import pytest
from typer.testing import CliRunner

from aigc_models.errors import BadInput
from aigc_models.generator import Generator
from aigc_models.language.cases import Case, Reply
from tasks.use.generate import identity_of
from tasks.use.reply import UNKNOWN, drawn, replied


@pytest.fixture(scope="module")
def generator(replier):
    return Generator.load(replier, "cpu")


def test_an_answer_that_was_given_before_names_its_case_and_what_is_not_known_is_said(generator):
    said = replied(generator, "how about my refund", 2)
    assert (said["answered"], said["text"]) == (True, "This is how refund works.")
    assert said["replies"][0]["given"]
    assert "refund" in said["replies"][0]["case"]["question"]
    unknown = replied(generator, "zebra crossing", 2)
    assert (unknown["answered"], unknown["text"]) == (False, UNKNOWN)
    assert len(unknown["replies"]) == 2, "the nearest are shown to whoever answers instead"
    assert replied(generator, "zebra crossing", 1, confidence=0.0)["answered"]


def test_a_question_in_another_language_is_not_answered(generator):
    assert not replied(generator, "wie storniere ich meine Bestellung")["answered"]
    assert not replied(generator, "我想取消我的订单")["answered"]


def test_what_cannot_be_asked_is_refused(generator, recommender):
    for arguments, message in (((" ",), "question is empty"), (("x", 0), "count is 0"), (("x", 1, 2.0), "confidence is 2")):
        with pytest.raises(BadInput, match=message):
            replied(generator, *arguments)
    with pytest.raises(BadInput, match="keeps no past cases to reply from; train it for --task match"):
        replied(Generator.load(recommender, "cpu"), "x")


def test_a_temperature_draws_among_the_answers_by_how_well_they_suit():
    replies = [Reply(str(at), Case(str(at), "q", str(at)), -float(at), 1.0) for at in range(4)]
    assert drawn(replies, 0.0, 1) == replies
    firsts = [drawn(replies, 1.0, seed)[0].answer for seed in range(400)]
    counts = [firsts.count(str(at)) for at in range(4)]
    assert counts == sorted(counts, reverse=True)
    assert 0.55 < counts[0] / 400 < 0.75, "1 / (1 + e^-1 + e^-2 + e^-3) is 0.64"
    assert drawn(replies, 1.0, 5) == drawn(replies, 1.0, 5)


def test_the_command_line_says_it_in_lines_and_as_json(replier, monkeypatch, tmp_path):
    from flows.command_line.app import app

    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    monkeypatch.setattr("tasks.registry.registry.located", lambda workspace, name: (replier, identity_of(replier)))

    def aigc(*arguments):
        return CliRunner().invoke(app, ["reply", "shop", *arguments])

    lines = aigc("my invoice please").stdout
    assert lines.splitlines()[0] == "This is how invoice works."
    assert " * 100% sure  case train-" in lines
    said = json.loads(aigc("zebra crossing", "--json").stdout)
    assert (said["model"], said["answered"], said["text"]) == ("shop", False, "I do not know.")
    wrong = aigc("  ")
    assert wrong.exit_code == 2
    assert "question is empty" in wrong.stderr
