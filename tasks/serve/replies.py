"""`POST /v1/replies`, `/v1/feedback`, and `/v1/chat/completions` of a model that replies from past cases.

A reply is an answer that was given before, or that it is not known; nothing else is ever written.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from pydantic import Field

from aigc_models.errors import BadInput
from aigc_models.language.cases import SURE
from tasks.serve import failures
from tasks.serve.asking import FeedbackRequest, GivenReply, Kept, Replies, ReplyRequest, dumped
from tasks.serve.chat import Chat, ChatChoice, ChatRequest
from tasks.serve.completions import server_sent
from tasks.serve.doors.bodies import JsonRoute
from tasks.serve.doors.limits import cost
from tasks.serve.engine import Engine
from tasks.serve.requests import able_worker, deadline_of, headers, mark, unless_gone
from tasks.serve.schemas import FAILURES, Usage
from tasks.serve.worker import Worker
from tasks.use.provenance import Label

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from aigc_models.generator import Generator

router = APIRouter(route_class=JsonRoute, responses=FAILURES)
UNHEEDED = ("logit_bias", "response_format", "structured_outputs", "label", "top_logprobs")  # they ask for a text to be made


class ReplyChoice(ChatChoice):
    answered: bool
    reply: GivenReply = Field(description="the nearest one, given or not, and its case")


class ReplyChat(Chat):
    """A chat completion whose choices name the cases that they rest on; an answer not given is `answered: false`."""

    choices: list[ReplyChoice]  # type: ignore[assignment]


@router.post("/v1/replies", response_model=None, responses={200: {"model": Replies}})
async def replies(asked: ReplyRequest, request: Request) -> Response:
    """An answer that was given before, or that it is not known, and the cases that are nearest."""
    worker = able_worker(request, asked, "matches")
    engine: Engine = request.app.state.engine
    with engine.admitted(cost(1, len(asked.question.encode()))):
        made = await unless_gone(request, worker.ask(_replied, asked.question, asked.count, asked.confidence))
    answer = mark(worker, 0)
    request.app.state.meters.replied(answer.model, made["answered"])
    body = Replies(
        model=answer.model,
        answered=made["answered"],
        text=made["text"],
        data=[GivenReply.model_validate(row) for row in made["replies"]],
        aigc=answer,
    )
    return JSONResponse(dumped(body), headers=headers(answer))


@router.post("/v1/feedback")
async def feedback(asked: FeedbackRequest, request: Request) -> Kept:
    """Keep it in the workspace, for the next training."""
    from tasks.use.feedback import keep

    worker = able_worker(request, asked, "matches")
    folder: Path | None = request.app.state.feedback
    if folder is None:
        raise failures.Forbidden("this server keeps no feedback: `aigc serve` does")
    said = (asked.question, asked.answer, asked.good, asked.correction, asked.case)
    await asyncio.to_thread(keep, folder, worker.identity, *said)
    return Kept(dataset=worker.identity.dataset)


async def chatted(request: Request, asked: ChatRequest, worker: Worker) -> Response:
    """The answer to the last thing that the user said, in the shape of a conversation."""
    engine: Engine = request.app.state.engine
    engine.limits.check(asked)
    question, deadline = _question(asked), deadline_of(request, asked.deadline)
    engine.limits.allow(asked.prompted_by, "prompt", len(question.encode()))
    label = mark(worker, asked.seed, asked.first)
    with engine.admitted(cost(1, len(question.encode()))):
        work = worker.ask(_choices, question, asked.n, asked.temperature or 0.0, label.seed)
        texts, rows = await unless_gone(request, work, deadline)
    request.app.state.meters.replied(label.model, rows[0]["given"])
    whole = Answered(worker, asked, question, texts, rows, label)
    if asked.stream:
        events = whole.events()
        return StreamingResponse(
            server_sent(await anext(events), events), media_type="text/event-stream", headers=headers(label)
        )
    return Response(whole.complete().model_dump_json(), media_type="application/json", headers=headers(label))


class Answered:
    """Replies as a chat completion, whole or as the events of a stream."""

    def __init__(
        self, worker: Worker, asked: ChatRequest, question: str, texts: list[str], rows: list[dict[str, Any]], label: Label
    ) -> None:
        self._asked, self._label, self._rows, self._texts = asked, label, rows, texts
        self._ends: list[Literal["stop", "length"]] = ["stop"] * len(texts)
        modality, format = worker.generator.modality, worker.generator.format
        symbols = [modality.symbols(text, format) for text in texts]
        if asked.model_fields_set & {"max_tokens", "max_completion_tokens"}:  # else an answer is never cut
            for at in (at for at, each in enumerate(symbols) if len(each) > asked.length):
                symbols[at] = symbols[at][: asked.length]
                self._texts[at], self._ends[at] = "".join(modality.characters(symbols[at].tolist(), format)), "length"
        prompt, tokens = len(modality.symbols(question, format)), sum(map(len, symbols))
        self._usage = Usage(prompt_tokens=prompt, completion_tokens=tokens, total_tokens=prompt + tokens)
        self._id, self._created = f"chatcmpl-{secrets.token_hex(12)}", int(time.time())

    def _chat(self, kind: str, choices: list[ReplyChoice], usage: Usage | None = None) -> ReplyChat:
        about = {"id": self._id, "created": self._created, "model": self._label.model, "aigc": self._label, "usage": usage}
        fingerprint = f"{self._label.model}/{self._label.version}"
        return ReplyChat(object=kind, system_fingerprint=fingerprint, choices=choices, **about)

    def _choice(self, at: int, name: str) -> ReplyChoice:
        row = self._rows[at]
        return ReplyChoice(
            index=at,
            item=self._asked.first + at,
            label=None,
            finish_reason=self._ends[at],
            answered=row["given"],
            reply=GivenReply.model_validate(row),
            **{name: {"role": "assistant", "content": self._texts[at]}},
        )

    def complete(self) -> ReplyChat:
        """All of it."""
        return self._chat("chat.completion", [self._choice(at, "message") for at in range(len(self._texts))], self._usage)

    async def events(self) -> AsyncIterator[ReplyChat]:
        """Each choice at once: it is there as a whole."""
        for at in range(len(self._texts)):
            yield self._chat("chat.completion.chunk", [self._choice(at, "delta")])
        if self._asked.stream_options and self._asked.stream_options.include_usage:
            yield self._chat("chat.completion.chunk", [], self._usage)


def _question(asked: ChatRequest) -> str:
    """What the user said last; raises `BadInput` where nothing was said, and for options that ask for a text to be made."""
    for name in UNHEEDED:
        if getattr(asked, name) is not None:
            raise BadInput(f"{name}: this model replies with answers that were given before, and makes no text; leave it out")
    if asked.logprobs:
        raise BadInput("logprobs: this model replies with answers that were given before; their tokens have no probability")
    said = [message.text for message in asked.messages if message.role == "user"]
    if not said or not said[-1].strip():
        raise BadInput("messages: the user says nothing; the last message of the role user is what is answered")
    return said[-1]


def _replied(generator: Generator, question: str, count: int, confidence: float) -> dict[str, Any]:
    from tasks.use.reply import replied

    return replied(generator, question, count, confidence)


def _choices(
    generator: Generator, question: str, count: int, temperature: float, seed: int
) -> tuple[list[str], list[dict[str, Any]]]:
    """The texts of the choices, and a row of `reply.row` for each; that it is not known is one choice."""
    from tasks.use.reply import MOST, UNKNOWN, drawn, row

    nearest = generator.reply(question, MOST)
    suiting = [reply for reply in nearest if reply.suits()]
    if not suiting:
        return [UNKNOWN], [row(nearest[0], SURE)]
    chosen = drawn(suiting, temperature, seed)[:count]
    return [reply.answer for reply in chosen], [row(reply, SURE) for reply in chosen]
