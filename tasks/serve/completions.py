"""The answer to a request for text: its choices are drawn side by side, as the pieces of a stream or as a whole."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel

from aigc_models.errors import BadInput
from tasks.serve import likelihoods
from tasks.serve.cutting import Cut, Reason
from tasks.serve.doors.limits import cost
from tasks.serve.drawing import Late, News, Share
from tasks.serve.engine import Engine
from tasks.serve.failures import FAULT, failed
from tasks.serve.metering import Meters
from tasks.serve.schemas import Choice, Completion, CompletionRequest, TextRequest, Usage
from tasks.serve.worker import Item, Worker

if TYPE_CHECKING:
    from aigc_models.language.beam import Hypothesis
    from aigc_models.language.slots import Draft, Said


class Piece(NamedTuple):
    """Of one choice, or all of it."""

    choice: int
    item: int
    label: str | None
    text: str
    said: Sequence[Said]  # of its tokens, where that is asked for
    offset: int  # characters of the choice before it
    reason: Reason | None  # why the choice ends here


class Choosing:
    """One draft on its way to a choice."""

    def __init__(self, index: int, item: Item, label: str | None, prompt: str, draft: Draft, cut: Cut) -> None:
        self.index, self.item, self.label, self.prompt, self.draft, self.cut = index, item, label, prompt, draft, cut
        self._shown = self._offset = 0

    def piece(self, symbols: Sequence[int], last: bool) -> Piece | None:
        """What these symbols add; none where nothing can be shown yet."""
        text = self.cut.add(symbols, last, "content_filter" if self.draft.cut else "length")
        if not self._offset:
            text = self.prompt + text
        before, self._offset = self._offset, self._offset + len(text)
        shown = self.cut.tokens + (len(self.draft.prompt) if self.draft.echo else 0)
        said, self._shown = self.draft.said[self._shown : shown], shown
        if not text and not self.cut.reason:
            self._shown -= len(said)
            return None
        return Piece(self.index, self.item.item, self.label, text, said, before, self.cut.reason)

    @property
    def likelihood(self) -> float:
        """Mean log-probability of its tokens, in nats."""
        said = self.draft.said[-len(self.draft.symbols) :][: self.cut.tokens]
        return sum(each.log_probability for each in said) / max(1, len(said))


class Answer(ABC):
    """The answer to one request; what is made of its pieces is OpenAI's shape."""

    def __init__(self, worker: Worker, asked: TextRequest, meters: Meters, deadline: float) -> None:
        self._worker, self._asked, self._meters, self._deadline = worker, asked, meters, deadline
        self.label = worker.identity.mark(secrets.randbits(48) if asked.seed is None else asked.seed, asked.first)
        self._id, self._created = f"cmpl-{secrets.token_hex(12)}", int(time.time())
        self._tokens = 0
        self._choices = [
            self._choice(index, prompt)
            for index, prompt in enumerate(prompt for prompt in asked.prompts for _ in range(asked.drafts))
        ]

    def _choice(self, index: int, prompt: str) -> Choosing:
        asked, item = self._asked, Item(self.label.seed, self._asked.first + index, self._asked.label)
        generator, modality = self._worker.generator, self._worker.generator.modality
        end = {} if asked.behind is None else {"suffix": asked.behind}
        length = len(modality.symbols(prompt, generator.format, **end)) + asked.length
        length += 1  # to see whether the text ends there by itself
        sampling = {"max_length": length, **asked.sampling}
        draft = self._worker.draft(prompt, item, sampling, asked.likeliest, asked.echoed, asked.behind)
        cut = Cut(modality.Decoder(generator.format), generator.model.vocabulary.end, asked.length, asked.stops)
        return Choosing(index, item, self._worker.condition(item)[1], prompt if asked.echoed else "", draft, cut)

    async def pieces(self, engine: Engine) -> AsyncIterator[Piece]:
        """Of all choices, as they are drawn; each choice ends with its reason."""
        piecemeal = self._asked.stream or bool(self._asked.stops)  # a stop string ends a text while it is drawn
        share = Share([choice.draft for choice in self._choices], piecemeal)
        length = sum(draft.how.max_length for draft in share.drafts) * max(1, self._asked.beams // self._asked.drafts)
        news = self._searched() if self._asked.beams else self._worker.draw(share, self._deadline)
        with engine.admitted(cost(len(share.drafts), length)):
            async for number, symbols, last in news:
                choice = self._choices[number]
                if choice.cut.reason is None and (piece := choice.piece(symbols, last)):
                    if piece.reason:
                        share.over.add(number)
                        self._count(choice)
                    yield piece

    async def _searched(self) -> AsyncIterator[News]:
        """The choices of a prompt are its best texts, in order; those of one label where labels were drawn."""
        hypotheses: dict[tuple[int, ...], list[Hypothesis]] = {}
        for choice in self._choices:
            draft, rank = choice.draft, choice.index % self._asked.drafts
            key = (draft.condition, *draft.prompt)
            if key not in hypotheses:
                hypotheses[key] = await self._worker.search(draft, self._deadline)
            if rank >= (count := len(hypotheses[key])):
                raise BadInput(f"use_beam_search: {self._asked.beams} beams found {count} texts; ask for as many")
            yield News(choice.index, self._guarded(draft, hypotheses[key][rank].symbols), last=True)

    def _guarded(self, draft: Draft, symbols: Sequence[int]) -> Sequence[int]:
        """Of a text that was searched, which cannot be drawn again, those before it repeats the training data."""
        if draft.watch is None:
            return symbols
        kept = draft.watch.before(symbols, self._worker.generator.model.vocabulary.end)
        draft.cut = len(kept) < len(symbols)
        return kept

    def _count(self, choice: Choosing) -> None:
        tokens = choice.cut.tokens
        self._tokens += tokens
        self._meters.items.labels(self.label.model).inc()
        self._meters.tokens.labels(self.label.model).inc(tokens)
        self._meters.count_repeats(self.label.model, [choice.draft])

    async def events(self, engine: Engine) -> AsyncIterator[BaseModel]:
        """The parts of a stream."""
        asked = self._asked
        async for piece in self.pieces(engine):
            yield self.part([piece])
        if asked.stream_options and asked.stream_options.include_usage:
            yield self.part([], self._usage())

    async def complete(self, engine: Engine) -> BaseModel:
        """All of it."""
        parts: dict[int, list[Piece]] = {choice.index: [] for choice in self._choices}
        async for piece in self.pieces(engine):
            parts[piece.choice].append(piece)
        wholes = [_joined(parts[choice.index]) for choice in self._best()]
        return self.whole([whole._replace(choice=index) for index, whole in enumerate(wholes)], self._usage())

    def _best(self) -> list[Choosing]:
        """Of each prompt's drafts the likeliest."""
        size, count, chosen = self._asked.drafts, self._asked.n, list[Choosing]()
        if size == count:
            return self._choices
        for first in range(0, len(self._choices), size):
            some = self._choices[first : first + size]
            chosen += sorted(some, key=lambda choice: -choice.likelihood)[:count]
        return chosen

    @property
    def _pieces(self) -> Sequence[bytes]:
        generator = self._worker.generator
        stand_for: Sequence[bytes] = generator.modality.pieces(generator.format)
        return stand_for

    def _usage(self) -> Usage:
        prompt = sum(len(choice.draft.prompt) for choice in self._choices) // self._asked.drafts
        return Usage(prompt_tokens=prompt, completion_tokens=self._tokens, total_tokens=prompt + self._tokens)

    def _common(self) -> dict[str, Any]:
        """What every part of the answer says."""
        fingerprint = f"{self.label.model}/{self.label.version}"
        return {
            "id": self._id,
            "created": self._created,
            "model": self.label.model,
            "system_fingerprint": fingerprint,
            "aigc": self.label,
        }

    @abstractmethod
    def part(self, pieces: Sequence[Piece], usage: Usage | None = None) -> BaseModel:
        """A part of a stream."""

    @abstractmethod
    def whole(self, pieces: Sequence[Piece], usage: Usage) -> BaseModel:
        """The answer of whole choices."""


class CompletionAnswer(Answer):
    """To `POST /v1/completions`."""

    _asked: CompletionRequest

    def part(self, pieces: Sequence[Piece], usage: Usage | None = None) -> Completion:
        return Completion(choices=[self._shaped(piece) for piece in pieces], usage=usage, **self._common())

    def whole(self, pieces: Sequence[Piece], usage: Usage) -> Completion:
        return self.part(pieces, usage)

    def _shaped(self, piece: Piece) -> Choice:
        logprobs = None if self._asked.logprobs is None else likelihoods.of_completion(piece.said, piece.offset, self._pieces)
        index, item, label, text, _, _, reason = piece
        return Choice(index=index, text=text, item=item, label=label, finish_reason=reason, logprobs=logprobs)


def _joined(pieces: Sequence[Piece]) -> Piece:
    text, said = "".join(piece.text for piece in pieces), [each for piece in pieces for each in piece.said]
    return pieces[0]._replace(text=text, said=said, reason=pieces[-1].reason)


async def server_sent(first: BaseModel, events: AsyncIterator[BaseModel]) -> AsyncIterator[str]:
    """Server-sent events; an error on the way is an event too, as the `openai` client expects."""
    yield f"data: {first.model_dump_json()}\n\n"
    try:
        async for event in events:
            yield f"data: {event.model_dump_json()}\n\n"
    except Late as error:
        yield f"data: {bytes(failed(504, str(error), 'server_error', code='deadline').body).decode()}\n\n"
        return
    except BadInput as error:  # what it is held to grew too large on the way
        yield f"data: {bytes(failed(400, str(error)).body).decode()}\n\n"
        return
    except Exception:
        yield f"data: {bytes(failed(500, FAULT, 'server_error').body).decode()}\n\n"
        raise
    yield "data: [DONE]\n\n"
