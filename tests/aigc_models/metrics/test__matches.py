from dataclasses import replace

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import conditional_logit
from aigc_models.evidence import Evidence
from aigc_models.language.words import texts
from aigc_models.metrics import _matches, hit_rate_at_1, hit_rate_at_5
from aigc_models.modalities import text

FORMAT = text.Format(length=32)


def corpus(pairs):
    written = [f"{question}\n{answer}" for question, answer in pairs]
    return Corpus("text", text.encode(written, FORMAT), np.zeros(len(written), dtype=np.int64))


class Places:
    """Puts the answer `n` of question `n` behind `off` others, and counts how often it is asked."""

    def __init__(self, off):
        self.off, self.times = off, 0

    def index(self, answers):
        self.times += 1
        return [int(one) for one in texts(answers.values, FORMAT)]

    def match(self, questions, answers):
        rows = []
        for question in texts(questions.values, FORMAT):
            off = self.off(int(question)) if callable(self.off) else self.off
            behind = [(answer - int(question)) % len(answers) for answer in answers]
            rows.append([-float(place) if place else -float(off) for place in behind])
        return torch.tensor(rows)


@pytest.fixture
def evidence():
    """200 test questions; the third model is right in half of them, `dumb` does not match."""
    models = {"good": Places(0), "third": Places(2.5), "half": Places(lambda n: 9 * (n % 2)), "dumb": object()}
    members = {name: models[name] for name in ("good", "third")}
    pool = conditional_logit.build(members, {"good": 9.0, "third": 1.0}, conditional_logit.Settings())
    train, test = corpus([(n, n) for n in range(200, 230)]), corpus([(n, n) for n in range(200)])
    models = {"ensemble": pool, "baseline": models["half"], **models}
    return Evidence(train, train, test, Shape("text", (), FORMAT, "match"), models, {})


def test_the_share_of_questions_whose_right_answer_comes_first_or_among_the_first_five(evidence):
    assert hit_rate_at_1.applies(evidence)
    first, five = hit_rate_at_1.measure(evidence), hit_rate_at_5.measure(evidence)
    assert set(first) == set(five) == {"ensemble", "baseline", "good", "third", "half"}
    shares = {"ensemble": (1, 1), "baseline": (0.5, 0.5), "good": (1, 1), "third": (0, 1), "half": (0.5, 0.5)}
    assert {name: (first[name].value, five[name].value) for name in shares} == shares
    assert first["good"].versus["half"].low > 0.4
    assert first["half"].low < 0.5 < first["half"].high
    assert first["half"].better == "higher"


def test_each_model_is_asked_once_for_all_metrics(evidence):
    hit_rate_at_1.measure(evidence)
    hit_rate_at_5.measure(evidence)
    assert [evidence.models[name].times for name in ("good", "third", "half")] == [1, 1, 1]
    given = _matches.matched(evidence)
    assert given.right.shape == (200, 230), "among the answers of both splits"
    assert given.right.sum() == 200


def test_an_answer_that_another_item_gives_to_the_question_is_right_too(evidence):
    other = replace(evidence, train=corpus([(1, 7), (1, 8)]), test=corpus([(1, 3), (2, 7)]))
    assert _matches.matched(other).right.tolist() == [[True, True, True], [True, False, False]]


def test_without_a_test_item_or_a_model_that_matches_nothing_applies(evidence):
    assert not hit_rate_at_5.applies(replace(evidence, models={"dumb": object()}))
    assert not hit_rate_at_5.applies(replace(evidence, test=corpus([])))
