"""Weights are the best ones, also where they depend on confidence; scores and streams agree; two that know more beat each."""

import numpy as np
import torch
from torch import Tensor

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles import average
from aigc_models.modalities import text
from aigc_models.sequences import PAD, Sequences, Vocabulary

BYTES = Vocabulary(256)
END, OUTPUTS = BYTES.end, BYTES.outputs


class Favourite:
    """Gives `share` to one symbol and the rest to all others, whatever it has read."""

    vocabulary = BYTES

    def __init__(self, symbol: int, share: float) -> None:
        self.log = torch.full((OUTPUTS,), (1 - share) / (OUTPUTS - 1)).log()
        self.log[symbol] = np.log(share)

    def begin(self, conditions: Tensor) -> int:
        return 0

    def extend(self, state: int, tokens: Tensor) -> tuple[Tensor, int]:
        return self.log.expand(*tokens.shape, -1), state + tokens.shape[1]

    def advance(self, state: int, tokens: Tensor) -> tuple[Tensor, int]:
        return self.log.expand(len(tokens), -1), state + 1


class Follower:
    """Knows what follows an `a`, and nothing else."""

    vocabulary = BYTES

    def __init__(self) -> None:
        self.log = torch.full((OUTPUTS, OUTPUTS), 1 / OUTPUTS).log()
        self.log[ord("a")] = Favourite(ord("b"), 0.99).log

    def begin(self, conditions: Tensor) -> int:
        return 0

    def extend(self, state: int, tokens: Tensor) -> tuple[Tensor, int]:
        return self.log[tokens], state

    def advance(self, state: int, tokens: Tensor) -> tuple[Tensor, int]:
        return self.log[tokens], state


def corpus(count: int, seed: int, chance: float) -> Corpus:
    random = np.random.default_rng(seed)
    values = np.where(random.random((count, 20)) < chance, ord("a"), ord("b")).astype(np.int16)
    values[:, -1] = END
    values[::2, 12:] = PAD
    return Corpus("text", Sequences.of_padded(values), np.zeros(count, dtype=np.int64))


MEMBERS = {"a": Favourite(ord("a"), 0.9), "b": Favourite(ord("b"), 0.9), "c": Favourite(ord("c"), 0.9)}
SHAPE = Shape("text", (), text.Format(length=32))


def fitted() -> average.Average:
    held = corpus(100, 1, 0.7)
    return average.fit(MEMBERS, held, held, SHAPE, average.Settings(), 0, lambda *args: None)


def test_weights_are_the_best_on_validation() -> None:
    ensemble, held = fitted(), corpus(100, 1, 0.7)
    scores = np.stack([average.score(member, held).likelihood for member in MEMBERS.values()])

    def figure(weights: np.ndarray) -> float:
        return float(np.log(np.tensordot(weights, np.exp(scores), 1)).mean())

    best = np.array(list(ensemble.weights.values()))
    assert np.isclose(best.sum(), 1)
    assert best[2] == 0
    assert best[0] > best[1] > 0.1
    for other in np.random.default_rng(0).dirichlet(np.ones(3), 50):
        assert figure(best) >= figure(other) - 1e-3


def test_beats_every_member_and_equal_weights() -> None:
    ensemble, test = fitted(), next(corpus(200, 2, 0.7).batches(200))
    equal = average.build(MEMBERS, dict.fromkeys(MEMBERS, 1.0), average.Settings())
    total = float(ensemble.log_likelihood(test).sum())
    assert total > float(equal.log_likelihood(test).sum())
    assert all(
        total > float(average.build({"": m}, {"": 1.0}, average.Settings()).log_likelihood(test).sum())
        for m in MEMBERS.values()
    )
    assert equal.weights == dict.fromkeys(MEMBERS, 1 / 3)


def test_streams_the_distribution_that_it_scores() -> None:
    ensemble = fitted()
    state = ensemble.begin(torch.tensor([0, 0]))
    log, after = ensemble.advance(state, torch.tensor([END, END]))
    values = torch.tensor([[ord("a")], [END]])
    scores = ensemble.log_likelihood(Batch(values, torch.tensor([0, 0])))
    assert torch.allclose(log.exp().sum(1), torch.ones(2), atol=1e-5)
    assert torch.allclose(log.gather(1, values), scores, atol=1e-5)
    assert (state, after) == ((0, 0), (1, 1))


def alternating(count: int, seed: int) -> Corpus:
    """After each `a` a `b`, after that a `c` or a `d`."""
    odd = np.random.default_rng(seed).choice([ord("c"), ord("d")], (count, 8))
    values = np.stack([np.full((count, 8), ord("a")), np.full((count, 8), ord("b")), odd], axis=2)
    return Corpus("text", Sequences.of(values.reshape(count, 24)), np.zeros(count, dtype=np.int64))


def test_a_member_is_heard_where_it_is_sure_if_that_helps_on_the_other_part_of_validation() -> None:
    members, held = {"follows": Follower(), "c": Favourite(ord("c"), 0.6)}, alternating(100, 1)
    fits = {
        count: average.fit(members, held, held, SHAPE, average.Settings(intervals=count), 0, lambda *args: None)
        for count in (1, 3)
    }
    test = next(alternating(50, 2).batches(50))
    figures = {count: float(ensemble.log_likelihood(test).mean()) for count, ensemble in fits.items()}
    assert fits[1].settings.gate is None
    assert fits[3].settings.gate is not None
    assert figures[3] > figures[1] + 0.1
    again = average.build(members, fits[3].weights, average.Settings.model_validate_json(fits[3].settings.model_dump_json()))
    state, token = again.begin(torch.zeros(50)), torch.full((50,), END)
    for time in range(6):
        log, state = again.advance(state, token)
        token = test.values[:, time]
        streamed = log.gather(1, token[:, None])[:, 0]
        assert torch.allclose(log.exp().sum(1), torch.ones(50), atol=1e-5)
        assert torch.allclose(streamed, fits[3].log_likelihood(test)[:, time], atol=1e-5)


def test_padding_scores_zero_and_capabilities_are_shared() -> None:
    ensemble, batch = fitted(), next(corpus(4, 3, 0.5).batches(4))
    assert (ensemble.log_likelihood(batch)[batch.values == PAD] == 0).all()
    assert capabilities(ensemble) == ("streams", "scores")
