"""The answer to one completion request: OpenAI's shape, in pieces or as a whole."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator

from tasks.serve.cutting import Cut
from tasks.serve.engine import Engine
from tasks.serve.failures import failed
from tasks.serve.metering import Meters
from tasks.serve.schemas import Choice, Completion, CompletionRequest, Usage
from tasks.serve.worker import Item, Worker


class Answer:
    """The answer to one completion request, as the pieces of a stream or as a whole."""

    def __init__(self, worker: Worker, asked: CompletionRequest, meters: Meters) -> None:
        self._worker, self._asked, self._meters = worker, asked, meters
        self.label = worker.identity.mark(secrets.randbits(48) if asked.seed is None else asked.seed, asked.first)
        self._id, self._created = f"cmpl-{secrets.token_hex(12)}", int(time.time())
        self._tokens = 0

    async def events(self, engine: Engine) -> AsyncIterator[Completion]:
        """Pieces of text, one choice after the other; each choice ends with its reason."""
        prompts = [prompt for prompt in self._asked.prompts for _ in range(self._asked.n)]
        with engine.admitted(len(prompts)):
            for index, prompt in enumerate(prompts):
                async for event in self._choice(index, prompt):
                    yield event
        if self._asked.stream and self._asked.stream_options and self._asked.stream_options.include_usage:
            yield self._completion([], self._usage())

    async def _choice(self, index: int, prompt: str) -> AsyncIterator[Completion]:
        asked, item = self._asked, Item(self.label.seed, self._asked.first + index, self._asked.label)
        empty = Choice(index=index, text="", item=item.item, label=self._worker.condition(item)[1], finish_reason=None)
        if asked.echo and prompt:
            yield self._completion([empty.model_copy(update={"text": prompt})])
        pieces = self._worker.text(prompt, item, asked.max_tokens, asked.stops, asked.sampling)
        async for piece in pieces:
            if isinstance(piece, Cut):
                self._tokens += piece.tokens
                self._meters.items.labels(self.label.model).inc()
                self._meters.tokens.labels(self.label.model).inc(piece.tokens)
            news = {"finish_reason": piece.reason} if isinstance(piece, Cut) else {"text": piece}
            yield self._completion([empty.model_copy(update=news)])

    async def whole(self, events: AsyncIterator[Completion]) -> Completion:
        """All pieces put together."""
        choices: dict[int, Choice] = {}
        async for event in events:
            for piece in event.choices:
                before = choices.get(piece.index)
                choices[piece.index] = piece.model_copy(update={"text": (before.text if before else "") + piece.text})
        return self._completion(list(choices.values()), self._usage())

    def _usage(self) -> Usage:
        prompt = sum(len(prompt.encode()) for prompt in self._asked.prompts)
        return Usage(prompt_tokens=prompt, completion_tokens=self._tokens, total_tokens=prompt + self._tokens)

    def _completion(self, choices: list[Choice], usage: Usage | None = None) -> Completion:
        return Completion(
            id=self._id,
            created=self._created,
            model=self.label.model,
            system_fingerprint=f"{self.label.model}/{self.label.version}",
            choices=choices,
            usage=usage,
            aigc=self.label,
        )


async def server_sent(first: Completion, events: AsyncIterator[Completion]) -> AsyncIterator[str]:
    """Server-sent events; an error on the way is an event too, as the `openai` client expects."""
    yield f"data: {first.model_dump_json()}\n\n"
    try:
        async for event in events:
            yield f"data: {event.model_dump_json()}\n\n"
    except Exception as error:
        yield f"data: {bytes(failed(500, str(error), 'server_error').body).decode()}\n\n"
        raise
    yield "data: [DONE]\n\n"
