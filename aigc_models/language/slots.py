"""Many items drawn side by side by one model: they join and leave between steps, each with options of its own.

A step is always made at the full width, slots without an item being fed a filler, and a prompt is read by itself. So an
item depends on its own condition, seed, prompt and options alone, to the last bit, whatever rides along.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from aigc_models.capabilities import Streams
from aigc_models.errors import BadInput
from aigc_models.language import decoding, grammar
from aigc_models.language.copying import REDRAWS, STRIDE, Watch
from aigc_models.language.decoding import Draws, History, Sampling
from aigc_models.language.grammar import Match
from aigc_models.language.states import prefilled, states_of
from aigc_models.layers.noise import derived

CHUNK = 128  # symbols of a prompt that are read between two steps


class Said(NamedTuple):
    """What the model says of a symbol, before any option: log-probabilities in nats."""

    symbol: int
    log_probability: float
    likeliest: dict[int, float]


class Draft:
    """An item that is being drawn: `symbols` are those after the prompt so far, END among them."""

    def __init__(
        self,
        condition: int,
        seed: int,
        prompt: Sequence[int],
        how: Sampling,
        likeliest: int | None = None,
        echo: bool = False,
        start: Match | None = None,
        watch: Watch | None = None,
    ) -> None:
        """`likeliest`: keep what is `said` of each symbol, and of this many others; `echo`: of the prompt's too.

        `start`: what a text is held to, where `how` asks for it. `watch`: what it may not repeat; where it does it goes back
        and on with other random numbers, `REDRAWS` times at most, and is then `cut` before the repeat.
        Raises `BadInput` where the prompt leaves nothing to draw.
        """
        decoding.fits(prompt, how, start)
        self.condition, self.seed, self.prompt, self.how = condition, seed, list(prompt), how
        self.likeliest, self.echo = likeliest, echo
        self.symbols, self.said, self.ended = list[int](), list[Said](), False
        self.alike = how.model_dump_json()  # of those with the same options
        self.state: Any = None  # of who has no slot
        self.past = self.prompt  # what the state is made from: the prompt, and what was drawn before it went back
        self.read = 0  # symbols of the past whose forerunners the state has seen
        self.watch, self.redraws, self.cut, self.moved = watch, 0, False, False
        self._safe, self._start = 0, start
        self.match = start.copy() if start else None
        self._history: History | None = None
        self._draws: Draws | None = None

    @property
    def ready(self) -> bool:
        """Whether its past is read."""
        return self.read == len(self.past)

    @property
    def safe(self) -> int:
        """How many of its symbols will not be taken back."""
        return self._safe if self.watch and not self.ended else len(self.symbols)

    @property
    def whole(self) -> list[int]:
        """Its prompt and its symbols; raises its `failure`, if any."""
        if self.failure:
            raise self.failure
        return [*self.prompt, *self.symbols]

    def begin(self, outputs: int) -> None:
        """Before the first symbol."""
        if self._draws is None:
            seed = derived(self.seed, self.redraws) if self.redraws else self.seed
            self._draws = Draws(seed, len(self.past))
            self._history = History(self.how, outputs, self.past) if self.how.looks_back else None

    def draw(self) -> float:
        """The random number of the next symbol."""
        assert self._draws is not None
        return next(self._draws)

    @property
    def failure(self) -> BadInput | None:
        """Why it ended before its end, if it did."""
        return self.match.failure if self.match else None

    @property
    def history(self) -> History:
        assert self._history is not None
        return self._history

    def add(self, symbol: int, log_probabilities: Tensor, row: int, end: int) -> None:
        """A symbol that was drawn from a row of `log_probabilities` float (slot, symbol)."""
        if self.likeliest is not None:  # before the symbol: who looks at it meanwhile finds what is said of it
            self.said.append(said(symbol, log_probabilities[row], self.likeliest))
        self.symbols.append(symbol)
        if self._history:
            self._history.add(symbol)
        if self.match:
            self.match.add(symbol)
        ended = symbol == end or len(self.prompt) + len(self.symbols) >= self.how.max_length
        self.ended = self._looked(symbol == end, ended) if self.watch else ended  # set once: others look at it meanwhile

    def _looked(self, at_end: bool, ended: bool) -> bool:
        """Whether it has ended, once it has gone back where the last symbols repeat what they may not."""
        assert self.watch
        if not at_end:
            self.watch.add(self.symbols[-1])
        if not ended and len(self.symbols) % STRIDE:
            return False
        before = self.watch.repeat()
        if before is None:
            self._safe = max(self._safe, self.watch.safe)  # a text that went back is shorter than it was
            return ended
        taken = len(self.symbols) - before
        self.said = self.said[: len(self.said) - taken] if self.said else self.said
        self.symbols = self.symbols[:before]
        self.cut = self.redraws == REDRAWS or not self.how.temperature  # then it would draw the same again
        if not self.cut:
            self._back()
        return self.cut

    def _back(self) -> None:
        """Go on from the symbols that are left, with other random numbers."""
        assert self.watch
        self.watch.back(self.symbols)
        self.redraws, self.moved = self.redraws + 1, True
        self.past, self.read, self.state, self._draws = [*self.prompt, *self.symbols], 0, None, None
        self.match = self._start.copy() if self._start else None
        if self.match:
            for symbol in self.symbols:
                self.match.add(symbol)


def said(symbol: int, log_probabilities: Tensor, likeliest: int) -> Said:
    """Of `symbol`, and of the `likeliest`."""
    best = log_probabilities.topk(min(likeliest, len(log_probabilities)))
    others = dict(zip(best.indices.tolist(), best.values.tolist(), strict=True))
    return Said(symbol, float(log_probabilities[symbol]), others)


class Slots:
    """`width` places for drafts; their texts depend on the width in the last bits, as those of a batch do on its size."""

    def __init__(self, model: Streams, width: int) -> None:
        self._model, self.width, self._end = model, width, model.vocabulary.end
        self._states = states_of(model, width)
        self._drafts: list[Draft | None] = [None] * width
        self._reading = deque[Draft]()

    @property
    def drafts(self) -> list[Draft]:
        """Those that have a slot."""
        return [draft for draft in self._drafts if draft]

    @property
    def room(self) -> int:
        """How many more may join."""
        return self.width - len(self.drafts)

    @torch.inference_mode()
    def join(self, draft: Draft) -> None:
        """Give it a slot; it goes on from where it was if it had one before."""
        slot = self._drafts.index(None)
        self._drafts[slot] = draft
        self._begin(slot, draft)

    def _begin(self, slot: int, draft: Draft) -> None:
        if draft.state is None:
            draft.state = self._model.begin(torch.tensor([draft.condition]))
        if draft.ready:
            self._seat(slot, draft)
        else:
            self._reading.append(draft)

    def leave(self, draft: Draft) -> None:
        """Its slot is free again."""
        slot = self._drafts.index(draft)
        self._drafts[slot] = None
        if draft in self._reading:
            self._reading.remove(draft)
        self._states.free(slot)

    def park(self, draft: Draft) -> None:
        """The same, and what is needed to go on later is kept."""
        if draft.ready:
            draft.state = self._states.take(self._drafts.index(draft))
        self.leave(draft)

    def _seat(self, slot: int, draft: Draft) -> None:
        draft.begin(self._model.vocabulary.outputs)
        self._states.put(slot, draft.state)
        draft.state = None

    @torch.inference_mode()
    def step(self) -> list[Draft]:
        """One symbol more of every draft whose prompt is read; those drafts.

        Before it a chunk of a prompt is read, and another one where most of the drafts still read: never so many that who draws
        would wait long, or that one which nobody wants any more would be read on.
        """
        if self.read() and len(self._reading) * 2 > len(self.drafts):
            self.read()
        there = [(slot, draft) for slot, draft in enumerate(self._drafts) if draft and draft.ready]
        if not there:
            return []
        tokens, alike = [self._end] * self.width, defaultdict[str, list[tuple[int, Draft]]](list)
        for slot, draft in there:
            tokens[slot] = (draft.symbols or draft.prompt or [self._end])[-1]
            alike[draft.alike].append((slot, draft))
        log_probabilities = self._states.step(torch.tensor(tokens))
        for some in alike.values():
            self._draw(some, log_probabilities)
        return [draft for _, draft in there]

    def _draw(self, some: Sequence[tuple[int, Draft]], log_probabilities: Tensor) -> None:
        """A symbol each of drafts with the same options."""
        how = some[0][1].how
        rows = log_probabilities if len(some) == self.width else log_probabilities[[slot for slot, _ in some]]
        draws = torch.tensor([draft.draw() for _, draft in some], dtype=torch.float64)
        past = History.past([draft.history for _, draft in some]) if how.looks_back else None
        allowed = grammar.allowed([draft.match for _, draft in some if draft.match]) if how.held else None
        for symbol, (slot, draft) in zip(decoding.choose(rows, draws, how, past, allowed).tolist(), some, strict=True):
            draft.add(symbol, log_probabilities, slot, self._end)
            if draft.moved:
                draft.moved = False
                self._states.free(slot)
                self._begin(slot, draft)

    @torch.inference_mode()
    def read(self) -> bool:
        """The next chunk of the prompt whose turn it is; whether any is left.

        What is fed are the symbols before those of the chunk: a prompt's last symbol is the first that a step is fed.
        """
        if not self._reading:
            return False
        draft = self._reading.popleft()
        chunk = slice(draft.read, draft.read + CHUNK)
        before = [self._end, *draft.past][chunk][: len(draft.past) - draft.read]
        tokens = torch.tensor([before])
        if draft.likeliest is None or not draft.echo or draft.redraws:
            draft.state = prefilled(self._model, draft.state, tokens)
        else:
            log_probabilities, draft.state = self._model.extend(draft.state, tokens)
            rows = zip(draft.prompt[chunk], log_probabilities[0], strict=True)
            draft.said += [said(symbol, row, draft.likeliest) for symbol, row in rows]
        draft.read += len(before)
        if draft.ready:
            self._seat(self._drafts.index(draft), draft)
        else:
            self._reading.append(draft)
        return bool(self._reading)


def in_turn(slots: Slots, drafts: Iterable[Draft]) -> Iterator[Draft]:
    """Draw all of them to their ends and give them in their order; one joins as soon as another has left."""
    waiting, begun, more = iter(drafts), deque[Draft](), True
    try:
        while more or begun:
            while more and slots.room:
                draft = next(waiting, None)
                more = draft is not None
                if draft:
                    slots.join(draft)
                    begun.append(draft)
            while slots.read():  # nobody waits for a symbol
                pass
            for draft in slots.step():
                if draft.ended:
                    slots.leave(draft)
            while begun and begun[0].ended:
                yield begun.popleft()
    finally:  # who asks for no more leaves the slots free
        for draft in begun:
            if not draft.ended:
                slots.leave(draft)


def finish(slots: Slots, drafts: Iterable[Draft]) -> None:
    """Draw all of them to their ends. Raises the first one's `failure`, if any."""
    for failure in [draft.failure for draft in in_turn(slots, drafts) if draft.failure][:1]:
        raise failure


def stream(slots: Slots, draft: Draft) -> Iterator[int]:
    """Its symbols as they are drawn, the prompt's first and END last; the slot is free when nobody reads on."""
    slots.join(draft)
    try:
        yield from draft.prompt
        given = 0
        while not draft.ended:
            slots.step()
            if draft.failure:
                raise draft.failure
            yield from draft.symbols[given : draft.safe]
            given = draft.safe
    finally:
        slots.leave(draft)
