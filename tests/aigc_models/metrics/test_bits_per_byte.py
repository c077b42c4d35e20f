"""Against the definition by hand, and intervals that mean what they say."""

import numpy as np
import torch
from torch import Tensor

from aigc_models.capabilities import Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.ensembles.average import Average, Settings
from aigc_models.evidence import Evidence
from aigc_models.language import reading
from aigc_models.metrics import _likelihood, bits_per_byte
from aigc_models.modalities import text
from aigc_models.sequences import PAD, Sequences, Vocabulary

BYTES = Vocabulary(256)
END, OUTPUTS = BYTES.end, BYTES.outputs


class Constant:
    """Needs `bits` for every symbol, and `extra` for an 'x'."""

    def __init__(self, bits: float, extra: float = 0.0) -> None:
        self.bits, self.extra = bits, extra

    def log_likelihood(self, batch: Batch) -> Tensor:
        nats = -np.log(2) * (self.bits + self.extra * (batch.values == ord("x")))
        return nats.masked_fill(batch.values == PAD, 0.0).float()


def evidence(texts: list[bytes], models: dict[str, object]) -> Evidence:
    test = Corpus("text", Sequences.of([*each, END] for each in texts), np.zeros(len(texts), dtype=np.int64))
    return Evidence(test, test, test, Shape("text", (), text.Format(length=64)), models, {})


def test_end_costs_bits_but_is_no_byte() -> None:
    measurements = bits_per_byte.measure(evidence([b"abc", b"a"], {"one": Constant(2.0)}))
    assert np.isclose(measurements["one"].value, 2.0 * (4 + 2) / (3 + 1))


def test_long_items_count_more() -> None:
    measurements = bits_per_byte.measure(evidence([b"x" * 9, b"a"], {"one": Constant(1.0, extra=1.0)}))
    assert np.isclose(measurements["one"].value, (10 + 2 + 9) / 10)


def test_pairing_finds_a_difference_that_the_intervals_hide() -> None:
    random = np.random.default_rng(0)
    texts = [bytes(random.choice([97, 120], 20, p=[1 - p, p]).tolist()) for p in random.random(60)]
    models = {"worse": Constant(1.1, 3.0), "better": Constant(1.0, 3.0), "none": object()}
    measurements = bits_per_byte.measure(evidence(texts, models))
    assert set(measurements) == {"worse", "better"}
    assert measurements["worse"].low < measurements["better"].high
    difference = measurements["worse"].versus["better"]
    assert 0 < difference.low <= difference.high
    assert np.isclose(difference.value, 0.1 * 21 / 20)


def test_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    random, hits = np.random.default_rng(1), 0
    for _ in range(40):
        texts = [bytes(random.choice([97, 120], 20, p=[1 - p, p]).tolist()) for p in random.random(50)]
        measurement = bits_per_byte.measure(evidence(texts, {"one": Constant(1.0, 2.0)}))["one"]
        hits += measurement.low < 21 / 20 + 1.0 < measurement.high
    assert hits >= 33


def test_is_left_out_where_nothing_scores() -> None:
    assert not bits_per_byte.applies(evidence([b"a"], {"one": object()}))
    assert torch.is_tensor(Constant(1.0).log_likelihood(next(evidence([b"a"], {}).test.batches(1))))


class Counting:
    """Gives `share` to one symbol and the rest to all others; counts how often it is asked."""

    vocabulary = BYTES

    def __init__(self, symbol: int, share: float) -> None:
        self.log, self.asked = torch.full((OUTPUTS,), (1 - share) / (OUTPUTS - 1)).log(), 0
        self.log[symbol] = np.log(share)

    def begin(self, conditions: Tensor) -> None:
        self.asked += 1

    def extend(self, state: None, tokens: Tensor) -> tuple[Tensor, None]:
        return self.log.expand(*tokens.shape, -1), state

    def advance(self, state: None, tokens: Tensor) -> tuple[Tensor, None]:
        return self.log.expand(len(tokens), -1), state

    def log_likelihood(self, batch: Batch) -> Tensor:
        return reading.log_likelihood(self, batch)


def test_an_ensemble_is_scored_from_its_members_and_the_same_model_once() -> None:
    first, second = Counting(ord("a"), 0.9), Counting(ord("b"), 0.7)
    members = {"first": first, "second": second}
    ensemble = Average(members, {"first": 0.4, "second": 0.6}, Settings())
    given = evidence([b"abba", b"aab"], {"ensemble": ensemble, "baseline": first, **members})
    measurements = bits_per_byte.measure(given)
    assert (first.asked, second.asked) == (1, 1)
    assert measurements["baseline"].value == measurements["first"].value
    for name, model in given.models.items():
        alone = _likelihood.item_bits(model, given.test).sum() / 7
        assert np.isclose(measurements[name].value, alone), name


def test_a_champion_is_scored_by_itself() -> None:
    first, other = Counting(ord("a"), 0.9), Counting(ord("b"), 0.7)
    champion = Average({"first": other}, {"first": 1.0}, Settings())
    measurements = bits_per_byte.measure(evidence([b"abba"], {"champion": champion, "first": first}))
    assert other.asked == 1
    assert measurements["champion"].value != measurements["first"].value
