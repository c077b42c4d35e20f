import numpy as np
import pytest
import torch

from aigc_models.generator import Generator
from aigc_models.language.cases import Case, CaseBook, Cases, answering, judged, learn, mixed
from aigc_models.language.pairs import Pair
from aigc_models.language.words import texts
from aigc_models.modalities import text

FORMAT = text.Format(length=32)


class Near:
    """Texts are numbers, and one suits another by how near it is; `index` says how often it was asked for it."""

    def __init__(self, noise=0.0):
        self.noise, self.indexed = noise, 0

    def index(self, answers):
        self.indexed += 1
        return torch.tensor([[float(one)] for one in texts(answers.values, FORMAT)])

    def match(self, questions, answers):
        rows = []
        for question in texts(questions.values, FORMAT):
            noise = np.random.default_rng([3, 10_000 + int(float(question))]).normal(size=len(answers))
            rows.append(-np.abs(float(question) - answers[:, 0].numpy()) + self.noise * noise)
        return torch.tensor(np.array(rows))


PAST = [Case("a", "10", "900"), Case("b", "14", "900"), Case("c", "30", "700"), Case("d", "60", "60")]


def book(weights=None, past=PAST, unanswered=()):
    return CaseBook(
        {"near": Near()}, Cases(weights=weights or {"near": 1.0}, unanswered=unanswered, cases=tuple(past)), FORMAT, 0
    )


def test_a_reply_is_the_answer_of_the_nearest_question_and_names_its_case():
    replies = book().reply("13", 3)
    assert [(reply.answer, reply.case.id, reply.score) for reply in replies] == [
        ("900", "b", -1.0),
        ("700", "c", -17.0),
        ("60", "d", -47.0),
    ]
    assert book().reply("890")[0].answer == "900", "by the answer itself"
    assert book().reply("890")[0].case.id == "b", "of cases with the same answer the one whose question is nearer"


def test_how_sure_it_is_says_how_many_questions_without_a_case_score_lower():
    cases = Cases(weights={"near": 1.0}, unanswered=(-30.0, -20.0, -10.0, -5.0), cases=tuple(PAST))
    assert [cases.confidence(score) for score in (-40.0, -20.0, -7.0, 0.0)] == [0.0, 0.25, 0.75, 1.0]
    assert cases.certain(np.array([-7.0, -4.0]), 0.9).tolist() == [False, True]
    without = Cases(weights={"near": 1.0}, unanswered=(), cases=tuple(PAST))
    assert without.confidence(0.0) is None
    sure = book(unanswered=(-30.0, -20.0)).reply("13")[0]
    assert (sure.confidence, sure.suits()) == (1.0, True)
    assert not book(unanswered=(-30.0, 20.0)).reply("13")[0].suits()


def test_the_threshold_holds_for_questions_that_no_case_answers():
    random = np.random.default_rng(0)
    past = [Case(str(at), str(1000 * at), str(1000 * at + 400)) for at in range(60)]
    held = [Pair(str(1000 * at + random.integers(-150, 150)), str(1000 * at + 400)) for at in random.integers(0, 60, 200)]
    cases = learn({"near": Near(noise=60.0)}, {"near": 1.0}, past, held, FORMAT, 0)
    asked = [Pair(str(1000 * at + random.integers(-150, 150)), str(1000 * at + 400)) for at in random.integers(0, 60, 400)]
    ready = CaseBook({"near": Near(noise=60.0)}, cases, FORMAT, 0)
    scores = ready.of_answers(ready.of_cases(mixed(ready.member_scores([one.question for one in asked]), cases.weights)))
    figures = judged(cases, scores, answering(asked, past, ready.answers))
    assert (figures["questions"], figures["answerable"]) == (400, 400)
    assert 0.01 < figures["unfounded"] < 0.1, "one in twenty, by the draw of 200"
    assert figures["right"] > 0.8
    assert figures["wrong"] < 0.1


def test_who_answers_more_rightly_looks_for_the_cases():
    past = [Case(str(at), str(1000 * at), str(1000 * at + 400)) for at in range(40)]
    held = [Pair(str(1000 * at + 30), str(1000 * at + 400)) for at in range(40)]
    members = {"blind": Near(noise=1e6), "near": Near()}
    weights = learn(members, {"blind": 0.9, "near": 0.1}, past, held, FORMAT, 0).weights
    assert weights["blind"] == 0
    assert weights["near"] > 0
    few = learn(members, {"blind": 0.9, "near": 0.1}, past, [], FORMAT, 0)
    assert (few.weights, few.unanswered) == ({"blind": 0.9, "near": 0.1}, ())


def test_what_takes_a_network_to_make_is_kept_and_lent_to_a_part_of_the_cases():
    whole = book()
    part = whole.without({Pair("14", "900")})
    assert [case.id for case in part.kept.cases] == ["a", "c", "d"]
    assert part.reply("13")[0].case.id == "a"
    member = whole.members["near"]
    assert member.indexed == 1
    again = CaseBook({"near": member}, whole.kept, FORMAT, 0, whole.indexed)
    assert again.reply("13") == whole.reply("13")
    assert member.indexed == 1


def test_a_bundle_replies_by_its_own_cases(replier):
    generator = Generator.load(replier, "cpu")
    (reply,) = generator.reply("the  parcel\nplease")
    assert reply.answer == "This is how parcel works."
    assert reply.case.question == "parcel please"
    assert reply.case.id.startswith("train-")
    assert len(generator.cases.cases) == 48, "those of all splits"
    unlike = generator.reply("zebra crossing")[0]
    assert not unlike.suits()


def test_a_bundle_whose_cases_were_altered_is_refused(replier, tmp_path):
    import shutil

    from aigc_models.errors import Damaged

    shutil.copytree(replier, tmp_path / "shop")
    (tmp_path / "shop" / "cases.json").write_text("{}")
    with pytest.raises(Damaged, match=r"cases\.json"):
        Generator.load(tmp_path / "shop", "cpu")
