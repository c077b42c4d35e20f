"""The best weights are learnt, repeats are left out or liked as the data have it, and who is of no use is not asked."""

import numpy as np
import torch

from aigc_models.capabilities import capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles import log_linear
from aigc_models.sequences import Sequences

ITEMS, END = 12, 13


class Table:
    """Says what it says by the last item alone."""

    def __init__(self, log: torch.Tensor) -> None:
        self.log, self.calls = log.log_softmax(-1), 0

    def recommend(self, batch: Batch) -> torch.Tensor:
        self.calls += 1
        last = (batch.values != -1).sum(1, keepdim=True) - 1
        return self.log[batch.values.gather(1, last.clamp(min=0))[:, 0]]


def drawn(log: torch.Tensor, count: int, again: bool) -> Corpus:
    """Histories of a last item and what follows it by `log`; the item before both may be what follows (a repeat)."""
    random, rows = np.random.default_rng(0), []
    chances = log.exp().double().numpy()
    for _ in range(count):
        last = int(random.integers(1, ITEMS + 1))
        others = chances[last] * (np.arange(ITEMS + 1) != last)
        following = int(random.choice(ITEMS + 1, p=others / others.sum()))
        first = following if again else int(random.choice([item for item in range(1, ITEMS + 1) if item != following]))
        rows.append([first, last, max(following, 1), END])
    return Corpus("events", Sequences.of(rows), np.zeros(count, dtype=np.int64))


def logs() -> list[torch.Tensor]:
    source = torch.Generator().manual_seed(0)
    return [torch.randn(ITEMS + 1, ITEMS + 1, generator=source).log_softmax(-1) for _ in range(3)]


def learn(members, data, **settings):
    return log_linear.fit(members, data, data, None, log_linear.Settings(**settings), 0, lambda *args, **figures: None)


def test_weights_are_those_that_made_the_data() -> None:
    one, other, useless = logs()
    data = drawn((1.5 * one + 0.5 * other).log_softmax(-1), 3000, False)
    members = {"one": Table(one), "other": Table(other), "useless": Table(useless)}
    ensemble = learn(members, data, most=3000, least=0.1)
    assert abs(ensemble.weights["one"] * ensemble.settings.gain - 1.5) < 0.25
    assert abs(ensemble.weights["other"] * ensemble.settings.gain - 0.5) < 0.25
    assert ensemble.weights["useless"] == 0
    assert sum(ensemble.weights.values()) == 1
    calls = members["useless"].calls
    said = ensemble.recommend(Batch(torch.tensor([[1, 2]]), torch.zeros(1).long()))
    assert members["useless"].calls == calls
    assert torch.allclose(said.exp().sum(1), torch.ones(1))
    assert capabilities(ensemble) == ("recommends",)


def test_a_repeat_is_as_likely_as_the_data_have_it() -> None:
    one, other, _ = logs()
    members = {"one": Table(one), "other": Table(other)}
    liked, shunned = (learn(members, drawn(one, 400, again)) for again in (True, False))
    asked = Batch(torch.tensor([[3, 4]]), torch.zeros(1).long())
    assert liked.settings.repeat > 1
    assert shunned.settings.repeat < -1
    assert liked.recommend(asked)[0, 3] > shunned.recommend(asked)[0, 3]


def test_it_is_built_again_from_its_settings_and_weights() -> None:
    one, other, _ = logs()
    members, data = {"one": Table(one), "other": Table(other)}, drawn(one, 200, False)
    ensemble = learn(members, data)
    settings = log_linear.Settings.model_validate(ensemble.settings.model_dump(mode="json"))
    again = log_linear.build(members, ensemble.weights, settings)
    asked = Batch(torch.tensor([[3, 4], [-1, -1]]), torch.zeros(2).long())
    assert torch.equal(again.recommend(asked), ensemble.recommend(asked))


def test_without_validation_items_all_have_as_much_to_say() -> None:
    one, other, _ = logs()
    empty = Corpus("events", Sequences.of([]), np.zeros(0, dtype=np.int64))
    assert learn({"one": Table(one), "other": Table(other)}, empty).weights == {"one": 0.5, "other": 0.5}
