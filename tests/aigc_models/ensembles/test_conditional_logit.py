import numpy as np
import pytest
import torch

from aigc_models.capabilities import Matches, Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import conditional_logit
from aigc_models.language.pairs import batch_of
from aigc_models.language.words import texts
from aigc_models.modalities import text

FORMAT = text.Format(length=32)
SHAPE = Shape("text", (), FORMAT, "match")


class Numbers:
    """Question `n` has answer `n`; it scores by how near they are, with noise of its own, on a scale of its own."""

    def __init__(self, noise, scale, seed):
        self.noise, self.scale, self.seed = noise, scale, seed

    def index(self, answers):
        return [int(one) for one in texts(answers.values, FORMAT)]

    def match(self, questions, answers):
        rows = []
        for question in texts(questions.values, FORMAT):
            random = np.random.default_rng([self.seed, int(question)])
            near = [float(int(question) == answer) for answer in answers]
            rows.append(self.scale * (np.array(near) + self.noise * random.normal(size=len(near))))
        return torch.tensor(np.array(rows))


def corpus(numbers):
    return Corpus("text", text.encode([f"{n}\n{n}" for n in numbers], FORMAT), np.zeros(len(numbers), dtype=np.int64))


def fitted(members, held=range(60), settings=None):
    given = corpus(range(100, 160)), corpus(held)
    settings = settings or conditional_logit.Settings()
    return conditional_logit.fit(members, *given, SHAPE, settings, 0, lambda *args, **figures: None)


MEMBERS = {"sharp": Numbers(0.3, 1.0, 1), "dull": Numbers(1.5, 40.0, 2), "noise": Numbers(1e6, 1.0, 3)}


def loss(model, numbers=range(200, 300)):
    batch = batch_of([str(n) for n in numbers], FORMAT, 0)
    said = model.match(batch, model.index(batch))
    assert torch.allclose(said.exp().sum(1), torch.ones(len(said)), atol=1e-5)
    return -float(said.diagonal().mean())


def test_who_knows_more_has_more_to_say_whatever_the_scale_of_its_scores():
    model = fitted(MEMBERS)
    assert isinstance(model, Matches)
    assert model.weights["sharp"] > model.weights["dull"] > model.weights["noise"]
    assert sum(model.weights.values()) == pytest.approx(1)
    alone = fitted({"sharp": MEMBERS["sharp"]})
    equal = conditional_logit.build(MEMBERS, dict.fromkeys(MEMBERS, 1.0), conditional_logit.Settings())
    assert loss(model) < loss(alone) < loss(equal)


def test_the_weights_are_the_least_of_the_loss():
    random = np.random.default_rng(0)
    said, right = random.normal(size=(2, 40, 6)), np.eye(6, dtype=bool)[random.integers(0, 6, 40)]
    said[0] += right
    best = conditional_logit.learn(said, right, 0.0)

    def nats(weights):
        log = torch.tensor(np.tensordot(weights, said, 1)).log_softmax(1).numpy()
        return -log[right].mean()

    assert all(nats(best) <= nats(np.maximum(0, best + step)) + 1e-9 for step in random.normal(scale=0.05, size=(50, 2)))


def test_what_it_says_is_a_function_of_what_its_members_say_and_a_member_without_weight_is_not_asked():
    model = conditional_logit.build(
        {**MEMBERS, "noise": object()}, {"sharp": 3.0, "dull": 1.0, "noise": 0.0}, conditional_logit.Settings(scale=2.0)
    )
    assert model.asked == ("sharp", "dull")
    batch = batch_of(["1", "2", "3"], FORMAT, 0)
    parts = {name: MEMBERS[name].match(batch, MEMBERS[name].index(batch)) for name in model.asked}
    assert torch.equal(model.match(batch, batch), model.combined(parts))
    assert model.combined({name: torch.zeros(2, 1) for name in model.asked}).tolist() == [[0.0], [0.0]]


def test_few_validation_items_give_equal_weights():
    model = fitted(MEMBERS, held=range(3))
    assert set(model.weights.values()) == {1 / 3}
