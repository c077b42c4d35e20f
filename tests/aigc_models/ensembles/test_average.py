"""Weights are the best ones, scores and streams agree, and two that know different things beat each."""

import numpy as np
import torch
from torch import Tensor

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles import average
from aigc_models.modalities.text import END, OUTPUTS, PAD, START


class Favourite:
    """Gives `share` to one symbol and the rest to all others, whatever it has read."""

    def __init__(self, symbol: int, share: float) -> None:
        self.log = torch.full((OUTPUTS,), (1 - share) / (OUTPUTS - 1)).log()
        self.log[symbol] = np.log(share)

    def log_likelihood(self, batch: Batch) -> Tensor:
        return self.log[batch.values.clamp(max=END)].masked_fill(batch.values == PAD, 0.0)

    def begin(self, conditions: Tensor) -> int:
        return 0

    def advance(self, state: int, tokens: Tensor) -> tuple[Tensor, int]:
        return self.log.expand(len(tokens), -1), state + 1


def corpus(count: int, seed: int, chance: float) -> Corpus:
    random = np.random.default_rng(seed)
    values = np.where(random.random((count, 20)) < chance, ord("a"), ord("b")).astype(np.int16)
    values[:, -1] = END
    values[::2, 12:] = PAD
    return Corpus("text", values, np.zeros(count, dtype=np.int64))


MEMBERS = {"a": Favourite(ord("a"), 0.9), "b": Favourite(ord("b"), 0.9), "c": Favourite(ord("c"), 0.9)}
SHAPE = Shape("text", ())


def fitted() -> average.Average:
    held = corpus(100, 1, 0.7)
    return average.fit(MEMBERS, held, held, SHAPE, average.Settings(), 0, lambda *args: None)


def test_weights_are_the_best_on_validation() -> None:
    ensemble, held = fitted(), corpus(100, 1, 0.7)
    scores = np.stack([average.symbol_scores(member, held, 7) for member in MEMBERS.values()])

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
    own = float(ensemble.log_likelihood(test).sum())
    assert own > float(equal.log_likelihood(test).sum())
    assert all(own > float(member.log_likelihood(test).sum()) for member in MEMBERS.values())
    assert equal.weights == dict.fromkeys(MEMBERS, 1 / 3)


def test_streams_the_distribution_that_it_scores() -> None:
    ensemble = fitted()
    state = ensemble.begin(torch.tensor([0, 0]))
    log, after = ensemble.advance(state, torch.tensor([START, START]))
    values = torch.tensor([[ord("a")], [END]])
    scores = ensemble.log_likelihood(Batch(values, torch.tensor([0, 0])))
    assert torch.allclose(log.exp().sum(1), torch.ones(2), atol=1e-5)
    assert torch.allclose(log.gather(1, values), scores, atol=1e-5)
    assert (state, after) == ((0, 0), (1, 1))


def test_padding_scores_zero_and_capabilities_are_shared() -> None:
    ensemble, batch = fitted(), next(corpus(4, 3, 0.5).batches(4))
    assert (ensemble.log_likelihood(batch)[batch.values == PAD] == 0).all()
    assert capabilities(ensemble) == ("streams", "scores")
