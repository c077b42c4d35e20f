"""Beam search against every text there is, for every family and kind of ensemble that streams."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from aigc_models.errors import BadInput
from aigc_models.language import beam, decoding, grammar
from aigc_models.language.beam import Search
from aigc_models.language.slots import Draft
from aigc_models.sequences import Vocabulary


class Chain:
    """Three letters and END, each likely by the one before it and by their number; a state of tensors and arrays."""

    vocabulary = Vocabulary(3)

    def __init__(self, seed: int) -> None:
        random = torch.Generator().manual_seed(seed)
        self.table = torch.randn(6, 4, 4, generator=random, dtype=torch.float64).mul(1.5).log_softmax(2)

    def begin(self, conditions: Tensor) -> tuple[Tensor, np.ndarray]:
        return torch.zeros_like(conditions), np.zeros(len(conditions), dtype=int)

    def advance(self, state: Any, tokens: Tensor) -> Any:
        times, total = state
        return self.table[(times + torch.from_numpy(total)) % 6, tokens], (times + 1, total + tokens.numpy())

    def extend(self, state: Any, tokens: Tensor) -> Any:
        rows = []
        for token in tokens.T:
            said, state = self.advance(state, token)
            rows.append(said)
        return torch.stack(rows, 1), state


def draft(prompt: list[int] | None = None, condition: int = 0, start: grammar.Match | None = None, **asked: Any) -> Draft:
    return Draft(condition, 0, prompt or [], decoding.sampling(**asked), start=start)


def searched(model: Any, given: Draft) -> list[beam.Hypothesis]:
    search = Search(model, given)
    search.run()
    return search.finished


def likelihood(model: Any, prompt: list[int], symbols: list[int]) -> float:
    """Nats of `symbols` after a prompt, fed one after the other."""
    state, total, end = model.begin(torch.tensor([0])), 0.0, model.vocabulary.end
    for at, (before, symbol) in enumerate(itertools.pairwise([end, *prompt, *symbols])):
        said, state = model.advance(state, torch.tensor([before]))
        total += float(said[0, symbol]) if at >= len(prompt) else 0.0
    return total


def every(model: Any, prompt: list[int], most: int, alpha: float) -> list[tuple[float, list[int]]]:
    """Each text of at most so many symbols with its score, the best first: those that end, and those that are cut."""
    texts = []
    for length in range(most):
        texts += [[*letters, 3] for letters in itertools.product(range(3), repeat=length)]
    texts += [list(letters) for letters in itertools.product(range(3), repeat=most)]
    scores = [likelihood(model, prompt, text) / beam.length_penalty(len(text), alpha) for text in texts]
    return sorted(zip(scores, texts, strict=True), reverse=True)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("alpha", [0.0, 0.6, 2.0])
def test_with_enough_beams_the_best_of_all_texts_are_found(seed: int, alpha: float) -> None:
    model, prompt = Chain(seed), [1, 0][: seed % 3]
    best = every(model, prompt, 4, alpha)[:10]
    hypotheses = searched(model, draft(prompt, max_length=4 + len(prompt), beams=64, length_penalty=alpha))[:10]
    assert [each.symbols for each in hypotheses] == [symbols for _, symbols in best]
    assert [each.score for each in hypotheses] == pytest.approx([score for score, _ in best])
    assert [each.complete for each in hypotheses] == [symbols[-1] == 3 for _, symbols in best]


def test_one_beam_always_takes_the_likeliest_and_more_are_no_worse() -> None:
    for seed in range(8):
        model = Chain(seed)
        (greedy,) = searched(model, draft(max_length=12, beams=1, length_penalty=0))
        drawn = decoding.generate(model, torch.tensor([0]), torch.tensor([0]), [[]], max_length=12, temperature=0)[0].tolist()
        assert greedy.symbols == drawn[: len(greedy.symbols)]
        assert searched(model, draft(max_length=12, beams=32, length_penalty=0))[0].score >= greedy.score


def test_length_penalty_is_that_of_the_paper() -> None:
    assert beam.length_penalty(1, 0.6) == 1
    assert beam.length_penalty(7, 1.0) == 2
    assert beam.length_penalty(100, 0.0) == 1
    lengths = [len(searched(Chain(3), draft(max_length=20, beams=8, length_penalty=alpha))[0].symbols) for alpha in (0, 1, 5)]
    assert lengths == sorted(lengths)
    assert lengths[0] < lengths[2]


def test_what_is_held_and_what_is_biased() -> None:
    pieces = [b"a", b"b", b"c"]
    start = grammar.grammar(pieces, regex="(ab|c){2}")
    hypotheses = searched(Chain(0), draft(start=start, max_length=9, beams=8, regex="(ab|c){2}"))
    assert {bytes(b"abc"[symbol] for symbol in each.symbols[:-1]) for each in hypotheses} == {b"abab", b"abc", b"cab", b"cc"}
    assert all(each.complete for each in hypotheses)
    best = {tuple(each.symbols): each.log_probability for each in hypotheses}
    for symbols, total in best.items():
        assert total == pytest.approx(likelihood(Chain(0), [], list(symbols)))
    cut = searched(Chain(0), draft(start=start, max_length=3, beams=8, regex="(ab|c){2}"))
    assert [each.complete for each in cut] == [True, *[False] * (len(cut) - 1)], "what is cut comes last"
    without = searched(Chain(0), draft(max_length=5, beams=4, logit_bias={0: -100}))
    assert all(0 not in each.symbols for each in without)


def test_an_impossible_text_is_found_where_it_is_the_only_one() -> None:
    model = Chain(0)
    model.table[:, :, 2] = -torch.inf
    start = grammar.grammar([b"a", b"b", b"c"], regex="cc|cca")
    hypotheses = searched(model, draft(start=start, max_length=9, beams=2, regex="cc|cca"))
    assert sorted(each.symbols for each in hypotheses) == [[2, 2, 0, 3], [2, 2, 3]]
    assert all(math.isfinite(each.score) for each in hypotheses)


@pytest.mark.parametrize("asked", [{"temperature": 0.5}, {"top_k": 3}, {"frequency_penalty": 1.0}, {"no_repeat_ngram": 2}])
def test_what_draws_is_refused(asked: dict[str, float]) -> None:
    with pytest.raises(BadInput, match=next(iter(asked))):
        decoding.sampling(beams=2, **asked)
    assert decoding.sampling(beams=2, temperature=0, regex="a").beams == 2
