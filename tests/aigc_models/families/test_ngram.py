"""The tables against counting by hand, sums to one, the condition, and a round trip."""

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape, capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.families import ngram
from aigc_models.modalities import text
from aigc_models.sequences import PAD, Sequences, Vocabulary

BYTES = Vocabulary(256)
END, OUTPUTS = BYTES.end, BYTES.outputs
LABELS = ("a", "b")
SHAPE, PLAIN = (Shape("text", labels, text.Format(length=64)) for labels in (LABELS, ()))
WORDS = {0: ["red", "green", "blue", "pink"], 1: ["one", "two", "three", "four"]}


def corpus(texts: list[bytes], conditions: list[int]) -> Corpus:
    return Corpus("text", Sequences.of([*text, END] for text in texts), np.array(conditions, dtype=np.int64))


def sentences(count: int, seed: int) -> Corpus:
    random = np.random.default_rng(seed)
    conditions = random.integers(0, 2, count)
    return corpus([" ".join(random.choice(WORDS[int(c)], 5)).encode() for c in conditions], conditions.tolist())


def as_batch(data: Corpus) -> Batch:
    return data.batch(np.arange(len(data)))


@pytest.fixture(scope="module")
def fitted() -> ngram.NGram:
    model = ngram.build(ngram.Config(longest=6), SHAPE)
    model.fit(sentences(200, 0), sentences(50, 1), lambda *args, **figures: None)
    return model


def walk(model: ngram.NGram, condition: int, symbols: list[int]) -> torch.Tensor:
    """Log-probabilities (time, symbol) before each of `symbols`."""
    state, steps = model.begin(torch.tensor([condition])), []
    for token in [END, *symbols[:-1]]:
        log, state = model.advance(state, torch.tensor([token]))
        steps.append(log[0])
    return torch.stack(steps)


@pytest.mark.parametrize("condition", [0, 1, 2])
def test_probabilities_sum_to_one_after_any_context(fitted: ngram.NGram, condition: int) -> None:
    steps = walk(fitted, condition, [*b"red on\xff\x00q green", END])
    assert steps.shape[1] == OUTPUTS
    assert torch.allclose(steps.exp().sum(1), torch.ones(len(steps)), atol=1e-5)
    assert torch.isfinite(steps).all()


def test_log_likelihood_is_what_streaming_gives(fitted: ngram.NGram) -> None:
    data = corpus([b"red green", b"zebra", b""], [0, 2, 1])
    scores = fitted.log_likelihood(as_batch(data))
    for row, values, condition in zip(scores, as_batch(data).values, data.conditions, strict=True):
        symbols = [int(v) for v in values if v != PAD]
        streamed = walk(fitted, int(condition), symbols).gather(1, torch.tensor(symbols)[:, None])[:, 0]
        assert torch.allclose(row[: len(symbols)], streamed, atol=1e-4)
        assert (row[len(symbols) :] == 0).all()


def test_whole_distributions_are_the_same_however_many_are_made_at_a_time(
    fitted: ngram.NGram, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens, conditions = torch.tensor([[END, *b"red gre"], [END, *b"zebra??"]]), torch.tensor([0, 2])
    whole, _ = fitted.extend(fitted.begin(conditions), tokens)
    monkeypatch.setattr(ngram, "AT_ONCE", 7)
    assert torch.equal(whole, fitted.extend(fitted.begin(conditions), tokens)[0])


def test_bigram_equals_the_formula_by_hand() -> None:
    """Interpolated Kneser-Ney with the fallback discounts, on two items of one label-less corpus."""
    data = corpus([b"ab", b"ac"], [0, 0])
    model = ngram.build(ngram.Config(longest=2, shortest=2), PLAIN)
    model.fit(data, data, lambda *args, **figures: None)
    assert model.order == 2
    # continuation counts: a follows the END before an item (1 context), b and c follow a (1 each), END follows b and c (2)
    unigram = (1 - 0.5) / 5 + (0.5 * 3 + 0.75) / 5 / OUTPUTS  # of b
    bigram = (1 - 0.5) / 2 + (0.5 * 2) / 2 * unigram  # of b after a
    probability = walk(model, 0, [ord("a"), ord("b")])[1, ord("b")].exp()
    assert float(probability) == pytest.approx(bigram, rel=1e-3)


def test_label_is_worth_something_and_no_label_is_pooled(fitted: ngram.NGram) -> None:
    data = corpus([b"red green blue"], [0])
    right = fitted.log_likelihood(as_batch(data)).sum()
    wrong = fitted.log_likelihood(as_batch(corpus([b"red green blue"], [1]))).sum()
    none = fitted.log_likelihood(as_batch(corpus([b"red green blue"], [2]))).sum()
    assert right > none > wrong


def test_order_is_the_best_on_validation() -> None:
    figures: list[float] = []
    model = ngram.build(ngram.Config(longest=8), SHAPE)
    model.fit(sentences(60, 0), sentences(40, 1), lambda step, total, validation_loss: figures.append(validation_loss))
    assert model.order == int(np.argmin(figures)) + 1
    assert model.order > 1


def test_state_goes_round_into_a_fresh_model(fitted: ngram.NGram) -> None:
    other = ngram.build(ngram.SIZES["debug"], SHAPE)
    other.load_state_dict(fitted.state_dict())
    data = as_batch(sentences(5, 2))
    assert other.order == fitted.order
    assert torch.allclose(other.log_likelihood(data), fitted.log_likelihood(data), atol=1e-4)


def test_advance_leaves_the_state_alone_and_batches_agree(fitted: ngram.NGram) -> None:
    state = fitted.begin(torch.tensor([0, 1]))
    first, _ = fitted.advance(state, torch.tensor([END, END]))
    again, _ = fitted.advance(state, torch.tensor([END, END]))
    alone, _ = fitted.advance(fitted.begin(torch.tensor([1])), torch.tensor([END]))
    assert torch.equal(first, again)
    assert torch.equal(first[1:], alone)


def test_corpus_without_labels_and_texts_shorter_than_the_order() -> None:
    data = corpus([b"a", b"b", b""], [0, 0, 0])
    model = ngram.build(ngram.SIZES["small"], PLAIN)
    model.fit(data, data, lambda *args, **figures: None)
    assert float(walk(model, 0, [ord("a")]).exp().sum()) == pytest.approx(1.0, abs=1e-5)
    assert capabilities(model) == ("streams", "scores")


def test_of_too_much_text_a_sample_is_counted_and_not_the_first_items() -> None:
    """Sorted by label, the first half has one label alone."""
    data = sentences(200, 0)
    ordered = data.take(np.argsort(np.asarray(data.conditions), kind="stable"))
    symbols = len(ordered.values.symbols)
    model = ngram.build(ngram.Config(longest=3, most_symbols=symbols // 4), SHAPE)
    text, roots = model._tries(ordered)
    assert symbols // 4 - 60 < len(text.targets) / 2 <= symbols // 4
    assert abs((roots == 1).sum() / max((roots == 2).sum(), 1) - 1) < 0.6
