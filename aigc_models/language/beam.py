"""Beam search: the likeliest texts in place of drawn ones (Sutskever et al. 2014, section 3.2)."""

from __future__ import annotations

import time
from typing import NamedTuple

import torch
from torch import Tensor

from aigc_models.capabilities import Streams
from aigc_models.language import decoding, grammar
from aigc_models.language.slots import CHUNK, Draft

RULED_OUT = -1e4  # nats of a symbol that the model rules out, where a text is held to it


class Hypothesis(NamedTuple):
    """What may follow a prompt."""

    symbols: list[int]  # END the last, unless it is cut
    log_probability: float  # nats
    score: float
    complete: bool


def length_penalty(length: int, alpha: float) -> float:
    """By what a log-probability is divided, so that longer texts do not lose by their length alone (Wu et al. 2016, eq. 14)."""
    return float(((5 + length) / 6) ** alpha)


class Search:
    """`draft.how.beams` hypotheses of one draft, a symbol longer with each step; no random number is drawn."""

    def __init__(self, model: Streams, draft: Draft) -> None:
        self._model, self._how, self._end = model, draft.how, model.vocabulary.end
        self._room = draft.how.max_length - len(draft.prompt)
        self._unread = [self._end, *draft.prompt]
        self._state = model.begin(torch.tensor([draft.condition]))
        self._said: Tensor  # float (beam, symbol), of what may come next
        self._live = [list[int]()]
        self._totals = torch.zeros(1, dtype=torch.float64)  # log-probabilities of those that live
        self._matches = [draft.match] if draft.match else []
        self._finished = list[Hypothesis]()

    @torch.inference_mode()
    def step(self) -> bool:
        """One symbol more, or a part of the prompt; whether there is more to do."""
        if self._unread:
            self._read()
            return True
        best = self._candidates()
        self._finished = sorted(self._finished, key=self._rank)[: self._how.beams]
        if not best or self._settled(max(total for _, _, total in best)):
            return False
        self._go_on(best)
        return True

    def run(self, seconds: float = torch.inf) -> bool:
        """Steps for so long; whether there is more to do."""
        until = time.monotonic() + seconds
        while self.step():
            if time.monotonic() >= until:
                return True
        return False

    @property
    def finished(self) -> list[Hypothesis]:
        """At most as many as there are beams, the best first; of held texts the complete ones before the cut ones."""
        return self._finished

    def _read(self) -> None:
        chunk, self._unread = self._unread[:CHUNK], self._unread[CHUNK:]
        said, self._state = self._model.extend(self._state, torch.tensor([chunk]))
        self._said = said[:, -1]

    def _candidates(self) -> list[tuple[int, int, float]]:
        """The best ways to go on: (beam, symbol, log-probability of the whole); those that end go to `finished`."""
        logs = decoding.add_bias(self._said.double(), self._how.logit_bias).log_softmax(1)
        if self._matches:
            logs = logs.clamp(min=RULED_OUT).masked_fill(~grammar.allowed(self._matches), -torch.inf)
            for failure in (match.failure for match in self._matches if match.failure):
                raise failure
        totals = (self._totals[:, None] + logs).flatten()
        best, going = totals.topk(min(2 * self._how.beams, len(totals))), list[tuple[int, int, float]]()
        for place, (index, total) in enumerate(zip(best.indices.tolist(), best.values.tolist(), strict=True)):
            beam, symbol = divmod(index, logs.shape[1])
            if total == -torch.inf:
                break
            if symbol == self._end or len(self._live[beam]) + 1 == self._room:
                if place < self._how.beams:
                    self._finished.append(self._hypothesis([*self._live[beam], symbol], total))
            elif len(going) < self._how.beams:
                going.append((beam, symbol, total))
        return going

    def _hypothesis(self, symbols: list[int], total: float) -> Hypothesis:
        score = total / length_penalty(len(symbols), self._how.length_penalty)
        return Hypothesis(symbols, total, score, symbols[-1] == self._end)

    def _rank(self, one: Hypothesis) -> tuple[bool, float]:
        return self._how.held and not one.complete, -one.score

    def _settled(self, total: float) -> bool:
        """Whether none that lives can come to a better score than those that are found: log-probabilities only fall."""
        bound = total / length_penalty(self._room, self._how.length_penalty)
        return len(self._finished) == self._how.beams and bound <= self._finished[-1].score

    def _go_on(self, best: list[tuple[int, int, float]]) -> None:
        """Always as many rows as beams: what is too much has no probability."""
        spare = self._how.beams - len(best)
        beams, symbols, totals = zip(*best, *[(best[0][0], best[0][1], -torch.inf)] * spare, strict=True)
        self._live = [[*self._live[beam], symbol] for beam, symbol in zip(beams, symbols, strict=True)]
        self._totals = torch.tensor(totals, dtype=torch.float64)
        if self._matches:
            self._matches = [self._matches[beam].copy() for beam in beams]
            for match, symbol in zip(self._matches, symbols, strict=True):
                match.add(symbol)
        state = decoding.rows(self._state, torch.tensor(beams))
        self._said, self._state = self._model.advance(state, torch.tensor(symbols))
