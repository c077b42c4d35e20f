import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import opinion_pool
from aigc_models.evidence import Evidence
from aigc_models.metrics import accuracy, unanswered_share
from aigc_models.modalities import text

FORMAT = text.Format(length=8)
TRUTH = np.arange(40) % 2


class Reads:
    """Right of every text, which is its label, as `weight` nats have it."""

    def __init__(self, weight=2.0):
        self.weight = weight

    def classify(self, batch):
        right = torch.tensor([int(one[0]) for one in text.decode(batch.values, FORMAT)])
        return self.weight * torch.nn.functional.one_hot(right, 2).float()


class Elsewhere(Reads):
    """The same, but for the texts that end in 0 or 5."""

    where = "elsewhere"

    def classify(self, batch):
        silent = torch.tensor([one.endswith(("0", "5")) for one in text.decode(batch.values, FORMAT)])
        return super().classify(batch).masked_fill(silent[:, None], torch.nan)

    def unanswered(self):
        return 0, ""


def evidence(models, **more):
    corpus = Corpus("text", text.encode([f"{label} {at:02}" for at, label in enumerate(TRUTH)], FORMAT), TRUTH)
    return Evidence(corpus, corpus, corpus, Shape("text", ("a", "b"), FORMAT, "classify"), models, {}, **more)


@pytest.fixture
def models():
    inside, elsewhere = Reads(), Elsewhere()
    pool = opinion_pool.build(
        {"inside": inside, "elsewhere": elsewhere}, {"inside": 0.5, "elsewhere": 0.5}, opinion_pool.Settings()
    )
    return {"ensemble": pool, "baseline": inside, "inside": inside, "elsewhere": elsewhere}


def test_of_each_candidate_and_of_an_ensemble_that_did_without_one(models):
    given = evidence(models)
    assert unanswered_share.applies(given)
    measured = unanswered_share.measure(given)
    assert {name: one.value for name, one in measured.items()} == {
        "ensemble": 0.2, "baseline": 0.0, "inside": 0.0, "elsewhere": 0.2,
    }  # fmt: skip
    assert measured["ensemble"].better == "lower"
    right = accuracy.measure(given)
    assert right["ensemble"].value == 1.0, "who is there answers"
    assert right["elsewhere"].value == 0.9, "half of what it says nothing of are guessed"


def test_a_member_that_was_left_out_is_missing_everywhere(models):
    alone = {name: models[name] for name in ("baseline", "inside")}
    alone["ensemble"] = opinion_pool.build({"inside": models["inside"]}, {"inside": 1.0}, opinion_pool.Settings())
    assert not unanswered_share.applies(evidence(alone))
    given = evidence(alone, left_out=("elsewhere",))
    assert unanswered_share.applies(given)
    measured = unanswered_share.measure(given)
    assert (measured["ensemble"].value, measured["baseline"].value) == (1.0, 0.0)
