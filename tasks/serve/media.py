"""`POST /v1/audio/speech` and `/v1/generate`: sounds, and items of any modality."""

from __future__ import annotations

import asyncio
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
from tasks.serve.doors.bodies import JsonRoute
from tasks.serve.doors.limits import cost
from tasks.serve.engine import Engine
from tasks.serve.metering import Meters
from tasks.serve.requests import able_worker, deadline_of, header, headers, mark, unless_gone, worker_for
from tasks.serve.schemas import FAILURES
from tasks.serve.worker import Item, Worker
from tasks.use.provenance import labelled

if TYPE_CHECKING:
    from aigc_models.generator import Generator

router = APIRouter(route_class=JsonRoute, responses=FAILURES)
MOST_FILES = 200_000_000  # characters of base64 in an answer: a tune is some megabytes as sound


@router.post("/v1/audio/speech", response_class=Response, responses={200: {"content": {"audio/wav": {}}}})
async def speech(asked: SpeechRequest, request: Request) -> Response:
    """A sound as a file; `input` or `voice` is a label of the model."""
    worker = worker_for(request, asked, "audio")
    kind, label = sound.kind_of(asked.response_format), asked.label or label_in(worker, *asked.words)
    answer = mark(worker, asked.seed, asked.first)
    item = Item(answer.seed, asked.first, label)
    engine: Engine = request.app.state.engine
    with engine.admitted(cost(1)):
        (content,) = await unless_gone(request, worker.items([item]))
    request.app.state.meters.items.labels(answer.model).inc()
    payload = sound.encoded(content, kind, answer, worker.generator.modality.pack(content))
    made = worker.condition(item)[1]
    about = {"X-AIGC-Label": header(made)} if made else {}
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
    worker = able_worker(request, asked, "generates", "streams")
    worker.check(asked.label)
    kind = kind_of(worker, asked.response_format)
    answer = mark(worker, asked.seed, asked.first)
    engine: Engine = request.app.state.engine
    given = None if asked.past is None else [asked.past]
    past = await unless_gone(request, pasts(worker, given, engine.limits.contents))
    items = [Item(answer.seed, asked.first + at, asked.label, past[0] if past else None) for at in range(asked.items)]
    deadline = deadline_of(request)
    with engine.admitted(cost_of(worker, asked)):
        contents = await unless_gone(request, made(worker, items, asked, deadline, request.app.state.meters), deadline)
        # A second of work where there are sounds to be written: other requests are answered meanwhile.
        data = await unless_gone(request, asyncio.to_thread(_all_described, worker, items, contents, kind), deadline)
    request.app.state.meters.items.labels(answer.model).inc(len(items))
    listed = Items(created=int(time.time()), model=answer.model, data=data, aigc=answer)
    return JSONResponse(dumped(listed), headers=headers(answer))


async def made(worker: Worker, items: Sequence[Item], asked: GenerateRequest, deadline: float, meters: Meters) -> list[Any]:
    """The items' contents, the same as `aigc generate` makes."""
    if "streams" in worker.generator.capabilities:  # in another thread: what texts are held to takes a second to be read
        drafts = await asyncio.to_thread(lambda: [worker.draft(asked.prompt or "", item, asked.sampling) for item in items])
        contents = await worker.drawn(drafts, deadline)
        meters.count_repeats(worker.identity.model, drafts)
        return contents
    if asked.prompt:
        raise BadInput(f"prompt: {worker.identity.model} makes {worker.generator.card.modality}; give a label")
    if not asked.sampling and "generates" in worker.generator.capabilities:
        return list(await worker.items(items))
    size, contents = worker.generator.card.micro_batch, list[Any]()
    for begun in range(0, len(items), size):  # others are answered between two micro-batches
        contents += await worker.ask(_sampled, items[begun : begun + size], asked.sampling)
    return contents


def _sampled(generator: Generator, items: Sequence[Item], sampling: dict[str, Any]) -> list[Any]:
    """Items of one request, whose numbers follow each other."""
    first = items[0]
    past = None if first.past is None else [first.past]
    return generator.generate(len(items), label=first.label, seed=first.seed, first=first.item, past=past, **sampling)


def cost_of(worker: Worker, asked: GenerateRequest) -> int:
    """Of texts by their symbols, of all else by items and steps."""
    if "streams" not in worker.generator.capabilities:
        return cost(asked.items, steps=_whole(asked.sampling.get("steps")))
    length = _whole(asked.sampling.get("max_length")) or worker.generator.format.length
    return cost(asked.items, symbols=asked.items * (length + len((asked.prompt or "").encode())))


def _whole(option: object) -> int:
    """A number of a request; what is none is refused where it is used."""
    return int(option) if isinstance(option, int | float) else 0


def kind_of(worker: Worker, form: str | None) -> str:
    """The suffix of the files that are asked for, the modality's own where nothing is said."""
    modality, usual = worker.generator.modality, worker.generator.modality.suffix
    if form is None or f".{form}" == usual:
        return str(usual)
    if not hasattr(modality, "renderings"):
        raise BadInput(f"format: {worker.identity.model} makes {usual[1:]}, not {form[:20]!r}; leave it out")
    return f".{form}"


def _all_described(worker: Worker, items: Sequence[Item], contents: Sequence[Any], kind: str) -> list[Made]:
    """Raises `BadInput` as soon as the answer is larger than `MOST_FILES`."""
    listed, size = [], 0
    for item, content in zip(items, contents, strict=True):
        listed.append(described(worker, item, content, kind))
        size += len(listed[-1].b64_json or "")
        if size > MOST_FILES:
            raise BadInput(
                f"n: {len(items)} items as {kind[1:]} are more than {MOST_FILES / 1e6:g} MB; ask for fewer at a time"
            )
    return listed


def described(worker: Worker, item: Item, content: Any, kind: str) -> Made:
    """An item as the answer has it, as a file with the suffix `kind`, which has its label inside where there is room."""
    modality = worker.generator.modality
    if kind != modality.suffix:
        return rendered(worker, item, content, kind)
    made = Made(item=item.item, label=worker.condition(item)[1], suffix=modality.suffix)
    if isinstance(content, str):
        return made.model_copy(update={"text": content})
    payload = labelled(modality.pack(content), modality.suffix, worker.identity.mark(item.seed, item.item))
    if worker.generator.goes_on:
        values = {name: row.tolist() for name, row in zip(content.channels, content.values, strict=True)}
        return made.model_copy(update={"text": payload.decode(), "points": Points(values=values, times=content.stamps())})
    return made.model_copy(update={"b64_json": base64.b64encode(payload).decode()})


def rendered(worker: Worker, item: Item, content: Any, kind: str) -> Made:
    """An item as a file of another kind than its modality's; raises `BadInput` where it cannot be one."""
    modality = worker.generator.modality
    made = modality.renderings(content, (kind,))
    if kind not in made:
        there = ", ".join(name[1:] for name in (modality.suffix, *modality.renderings(content)))
        raise BadInput(f"format: item {item.item} cannot be {kind[1:21]!r}; it can be: {there}")
    payload = labelled(made[kind], kind, worker.identity.mark(item.seed, item.item))
    shown = {"text": payload.decode()} if kind == ".abc" else {"b64_json": base64.b64encode(payload).decode()}
    return Made(item=item.item, label=worker.condition(item)[1], suffix=kind, **shown)
