"""The best weights are found, sums are one, a gate comes only where it helps, and who is of no use is not asked."""

import numpy as np
import pytest
import torch
from torch import Tensor

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles import logistic
from aigc_models.language import reading
from aigc_models.modalities import text
from aigc_models.sequences import Sequences, Vocabulary

BYTES = Vocabulary(256)
END, OUTPUTS = BYTES.end, BYTES.outputs
SHAPE = Shape("text", (), text.Format(length=64))


class Table:
    """Says what it says by the last symbol alone."""

    vocabulary = BYTES

    def __init__(self, log: Tensor) -> None:
        self.log = log.log_softmax(-1)

    def begin(self, conditions: Tensor) -> int:
        return 0

    def extend(self, state: int, tokens: Tensor) -> tuple[Tensor, int]:
        return self.log[tokens.clamp(min=0)], state + tokens.shape[1]

    def advance(self, state: int, tokens: Tensor) -> tuple[Tensor, int]:
        return self.log[tokens], state + 1

    def log_likelihood(self, batch: Batch) -> Tensor:
        return reading.log_likelihood(self, batch)


def truth() -> Tensor:
    """Logits of the next letter: after a vowel another distribution than after a consonant."""
    log = torch.full((OUTPUTS, OUTPUTS), -9.0)
    log[:, 97:105] = torch.randn(OUTPUTS, 8, generator=torch.Generator().manual_seed(0)) * 2
    log[:, END] = -1.0
    return log


def drawn(count: int, seed: int) -> Corpus:
    chances, random, items = truth().softmax(-1).double().numpy(), np.random.default_rng(seed), []
    for _ in range(count):
        item = [END]
        while len(item) == 1 or (item[-1] != END and len(item) < 60):
            weights = chances[item[-1]]
            item.append(int(random.choice(OUTPUTS, p=weights / weights.sum())))
        items.append([*(symbol for symbol in item[1:] if symbol != END), END])
    return Corpus("text", Sequences.of(items), np.zeros(count, dtype=np.int64))


def halves() -> dict[str, Table]:
    """One knows what follows an even symbol, the other what follows an odd one, and a third what the first knows."""
    log, even = truth(), torch.arange(OUTPUTS) % 2 == 0
    plain = log.logsumexp(0, keepdim=True).expand_as(log)
    first, second = Table(torch.where(even[:, None], log, plain)), Table(torch.where(even[:, None], plain, log))
    return {"even": first, "odd": second, "again": first}


def fitted(members: dict[str, Table], held: Corpus, **settings: object) -> logistic.Logistic:
    return logistic.fit(members, held, held, SHAPE, logistic.Settings(**settings), 0, lambda *args: None)


def nats(model: object, data: Corpus) -> float:
    batch = data.batch(np.arange(len(data)))
    return -float(reading.log_likelihood(model, batch).sum() / data.values.lengths.sum())  # type: ignore[arg-type]


def test_two_who_know_different_things_are_better_together_and_a_third_is_not_asked() -> None:
    members, test = halves(), drawn(200, 2)
    ensemble = fitted(members, drawn(200, 1))
    assert ensemble.asked in (("even", "odd"), ("odd", "again"))
    assert nats(ensemble, test) < min(nats(member, test) for member in members.values()) - 0.05
    assert nats(ensemble, test) < nats(Table(truth()), test) + 0.15
    assert sum(ensemble.weights.values()) == pytest.approx(1)


def test_the_slope_is_that_of_the_loss_so_that_the_best_is_found() -> None:
    places = logistic.gathered(halves(), drawn(60, 3), logistic.Settings(), lambda *args: None)
    gate = logistic.learn(places, logistic.Settings(), gated=False)
    best = places.loss(gate)
    for at in range(3):
        for change in (-0.05, 0.05):
            moved = [list(row) for row in gate.weights]
            moved[at][0] += change
            assert places.loss(gate.model_copy(update={"weights": tuple(map(tuple, moved))})) >= best - 1e-6


def test_what_is_streamed_is_what_is_scored_and_settings_go_round() -> None:
    ensemble, data = fitted(halves(), drawn(100, 1)), drawn(5, 4)
    again = logistic.build(
        halves(), ensemble.weights, logistic.Settings.model_validate_json(ensemble.settings.model_dump_json())
    )
    batch = data.batch(np.arange(5))
    assert torch.allclose(again.log_likelihood(batch), ensemble.log_likelihood(batch), atol=1e-6)
    said, _ = ensemble.extend(ensemble.begin(batch.conditions), reading.shifted(batch.values, END))
    assert torch.allclose(said.exp().sum(-1), torch.ones(said.shape[:2]), atol=1e-5)
    assert capabilities(ensemble) == ("streams", "scores")


def test_of_little_text_no_gate_is_learned_that_does_not_hold() -> None:
    """Two that err alike, on twelve short items: what a gate finds there is chance."""
    log = truth()
    noise = [torch.randn(OUTPUTS, OUTPUTS, generator=torch.Generator().manual_seed(seed)) for seed in (1, 2)]
    members = {"one": Table(log + noise[0]), "two": Table(log + noise[1])}
    little, test = drawn(6, 5), drawn(300, 6)
    ensemble = fitted(members, little)
    equal = logistic.build(members, {"one": 0.5, "two": 0.5}, logistic.Settings())
    assert nats(ensemble, test) < nats(equal, test) + 0.1


def test_too_much_text_is_looked_at_here_and_there() -> None:
    held = drawn(300, 7)
    whole = logistic.gathered(halves(), held, logistic.Settings(), lambda *args: None)
    some = logistic.gathered(halves(), held, logistic.Settings(most_numbers=3 * OUTPUTS * 200), lambda *args: None)
    assert len(whole.symbols) == held.values.lengths.sum()
    assert 100 < len(some.symbols) <= 200
    lines = Corpus("text", Sequences.of([[97, END]] * 90 + [[97] * 600 + [END]]), np.zeros(91, dtype=np.int64))
    few = logistic.gathered(halves(), lines, logistic.Settings(most_numbers=3 * OUTPUTS * 7), lambda *args: None)
    assert len(few.symbols) == 7
