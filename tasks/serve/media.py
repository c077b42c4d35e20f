"""`POST /v1/audio/speech` and `/v1/generate`: sounds, and items of any modality."""

from __future__ import annotations

import base64
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from aigc_models.errors import BadInput, unknown
from tasks.serve import sound
from tasks.serve.asking import GenerateRequest, Items, Made, Points, SpeechRequest, dumped
from tasks.serve.contents import pasts
from tasks.serve.engine import Engine
from tasks.serve.requests import able_worker, deadline_of, headers, mark, unless_gone, worker_for
from tasks.serve.schemas import FAILURES
from tasks.serve.worker import Item, Worker
from tasks.use.provenance import labelled

if TYPE_CHECKING:
    from aigc_models.generator import Generator

router = APIRouter(responses=FAILURES)


@router.post("/v1/audio/speech", response_class=Response, responses={200: {"content": {"audio/wav": {}}}})
async def speech(asked: SpeechRequest, request: Request) -> Response:
    """A sound as a file; `input` or `voice` is a label of the model."""
    worker = worker_for(request, asked, "audio")
    kind, label = sound.kind_of(asked.response_format), asked.label or label_in(worker, *asked.words)
    answer = mark(worker, asked.seed, asked.first)
    item = Item(answer.seed, asked.first, label)
    engine: Engine = request.app.state.engine
    with engine.admitted(1):
        (content,) = await unless_gone(request, worker.items([item]))
    request.app.state.meters.items.labels(answer.model).inc()
    payload = sound.encoded(content, kind, answer, worker.generator.modality.pack(content))
    made = worker.condition(item)[1]
    about = {"X-AIGC-Label": made} if made and made.isascii() and made.isprintable() else {}
    return Response(payload, media_type=kind.media, headers={**headers(answer), **about})


def label_in(worker: Worker, words: str, voice: str) -> str | None:
    """Which of the two is a label; none where both are empty. Raises `BadInput` where neither is one."""
    labels = worker.generator.card.labels
    for word in (words, voice):
        if word in labels:
            return word
    if words:
        raise unknown(f"label of {worker.identity.model}", words, labels)
    return None


@router.post("/v1/generate", response_model=None, responses={200: {"model": Items}})
async def generate(asked: GenerateRequest, request: Request) -> Response:
    """Items of any modality: texts, or files as base64, or points of a series."""
    worker = able_worker(request, asked.model, "generates", "streams")
    worker.check(asked.label)
    answer = mark(worker, asked.seed, asked.first)
    past = await worker.ask(pasts, None if asked.past is None else [asked.past])
    items = [Item(answer.seed, asked.first + at, asked.label, past[0] if past else None) for at in range(asked.items)]
    engine: Engine = request.app.state.engine
    deadline = deadline_of(request)
    with engine.admitted(len(items)):
        contents = await unless_gone(request, made(worker, items, asked, deadline))
    request.app.state.meters.items.labels(answer.model).inc(len(items))
    data = [described(worker, item, content) for item, content in zip(items, contents, strict=True)]
    listed = Items(created=int(time.time()), model=answer.model, data=data, aigc=answer)
    return JSONResponse(dumped(listed), headers=headers(answer))


async def made(worker: Worker, items: Sequence[Item], asked: GenerateRequest, deadline: float) -> list[Any]:
    """The items' contents, the same as `aigc generate` makes."""
    if "streams" in worker.generator.capabilities:
        drafts = [worker.draft(asked.prompt or "", item, asked.sampling) for item in items]
        return await worker.drawn(drafts, deadline)
    if asked.prompt:
        raise BadInput(f"prompt: {worker.identity.model} makes {worker.generator.card.modality}; give a label")
    if not asked.sampling and "generates" in worker.generator.capabilities:
        return list(await worker.items(items))
    contents: list[Any] = []
    for item in items:
        contents += await worker.ask(_sampled, item, asked.sampling)
    return contents


def _sampled(generator: Generator, item: Item, sampling: dict[str, Any]) -> list[Any]:
    past = None if item.past is None else [item.past]
    return generator.generate(1, label=item.label, seed=item.seed, first=item.item, past=past, **sampling)


def described(worker: Worker, item: Item, content: Any) -> Made:
    """An item as the answer has it; a file has its label inside where there is room."""
    modality = worker.generator.modality
    made = Made(item=item.item, label=worker.condition(item)[1], suffix=modality.suffix)
    if isinstance(content, str):
        return made.model_copy(update={"text": content})
    payload = labelled(modality.pack(content), modality.suffix, worker.identity.mark(item.seed, item.item))
    if worker.generator.goes_on:
        values = {name: row.tolist() for name, row in zip(content.channels, content.values, strict=True)}
        return made.model_copy(update={"text": payload.decode(), "points": Points(values=values, times=content.stamps())})
    return made.model_copy(update={"b64_json": base64.b64encode(payload).decode()})
