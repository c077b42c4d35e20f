"""The HTTP interface: OpenAI's paths and shapes for the models that an `Engine` holds.

Every answer says which model and version made it, from which seed, and that it is AI-generated:
in the headers `X-AIGC-*` and `X-AI-Generated`, in `aigc` in the body, and inside each PNG.
"""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, StreamingResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from aigc_models.errors import BadInput
from tasks.serve import failures, inference, media, promotion, recommendations, replies
from tasks.serve.chat import Chat, ChatAnswer, ChatRequest
from tasks.serve.completions import Answer, CompletionAnswer, server_sent
from tasks.serve.document import documented
from tasks.serve.doors.access import LOOPBACK, Access
from tasks.serve.doors.bodies import JsonRoute
from tasks.serve.doors.keys import Keyring
from tasks.serve.doors.limits import Limits, cost
from tasks.serve.engine import Engine, Hung
from tasks.serve.following import EVERY, Follower
from tasks.serve.metering import Metered, Meters
from tasks.serve.requests import conversing_worker, deadline_of, headers, mark, unless_gone, worker_for
from tasks.serve.schemas import (
    FAILURES,
    Completion,
    CompletionRequest,
    ImageRequest,
    Picture,
    Pictures,
    ServedModel,
    ServedModels,
    TextRequest,
    streamed,
)
from tasks.serve.worker import Item, Served, Worker
from tasks.use.provenance import labelled

HUNG = 120.0  # seconds without progress after which a worker that has something to do counts as hung
STARTED = int(time.time())
PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' data: blob:; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "no-referrer",
}
ABOUT = (
    "Paths and shapes are OpenAI's where it has them. Every answer says which model and version made it, from which seed, "
    "and that it is AI-generated: in the headers X-AIGC-Model, X-AIGC-Version, X-AIGC-Seed and X-AI-Generated, "
    "in the field aigc of the body, and inside each PNG and WAV."
)
router = APIRouter(route_class=JsonRoute, responses=FAILURES)


def create_app(
    models: Mapping[str, Served],
    limits: Limits | None = None,
    loaded: Callable[[Engine], None] = lambda engine: None,
    every: float = EVERY,
    hung: float = HUNG,
    keyring: Keyring | None = None,
    hosts: Sequence[str] = LOOPBACK,
    promote: promotion.Promote | None = None,
    feedback: Path | None = None,
) -> FastAPI:
    """An app that serves `models` by name; they are loaded when it starts, then `loaded` is called.

    `every`: seconds between two looks at the registry. `hung`: seconds without progress until `/healthz` says 503.
    `keyring`: whose keys are asked for, once there is one; none: everybody may ask. `hosts`: by which names; `*`: by any.
    `promote`: what makes a version champion, for who has a key for that; none: nobody may.
    `feedback`: the folder that keeps what people say of replies; none: it is not kept.
    """
    limits = limits or Limits()
    engine = Engine(models, limits)
    meters = Meters(engine)
    follower = Follower(engine, meters, every)

    async def load() -> None:
        await engine.load()
        if engine.ready:
            follower.start()
        loaded(engine)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        loading = asyncio.create_task(load())
        yield
        follower.stop()
        loading.cancel()
        await engine.close()

    app = FastAPI(title="AIGC Foundry", description=ABOUT, lifespan=lifespan, docs_url=None, redoc_url=None)
    app.state.engine, app.state.meters, app.state.follower, app.state.hung = engine, meters, follower, hung
    app.state.promote, app.state.feedback = promote, feedback
    for part in (router, media.router, inference.router, recommendations.router, replies.router, promotion.router):
        app.include_router(part)
    app.add_middleware(Access, limits=limits, keyring=keyring, hosts=hosts)
    app.add_middleware(Metered, meters=meters, limits=limits)
    failures.install(app)
    app.openapi = documented(app, keyring)  # type: ignore[method-assign]
    return app


@router.get("/v1/models")
async def models(request: Request) -> ServedModels:
    """The models that are served."""
    engine: Engine = request.app.state.engine
    return ServedModels(data=[described(worker) for worker in engine.workers()])


@router.get("/v1/models/{name}")
async def model(request: Request, name: str) -> ServedModel:
    """One of them."""
    engine: Engine = request.app.state.engine
    for worker in engine.workers():
        if worker.identity.model == name:
            return described(worker)
    raise failures.UnknownModel(name)


def described(worker: Worker) -> ServedModel:
    card, identity = worker.generator.card, worker.identity
    return ServedModel(
        id=identity.model,
        created=STARTED,
        version=identity.version,
        dataset=identity.dataset,
        data_version=identity.data_version,
        modality=card.modality,
        task=card.task,
        capabilities=list(worker.generator.capabilities),
        labels=list(card.labels),
        licence=card.licence,
        copy_guard=getattr(worker.generator, "runs", None) is not None,
        format={name: value for name, value in card.format.items() if name != "learned"},
    )


@router.post("/v1/completions", response_model=None, responses=streamed(Completion))
async def completions(asked: CompletionRequest, request: Request) -> Response:
    """Text: OpenAI's completions, with server-sent events where `stream` is set."""
    worker = worker_for(request, asked, "text")
    return await answered(request, asked, CompletionAnswer, worker)


@router.post("/v1/chat/completions", response_model=None, responses=streamed(Chat))
async def chat(asked: ChatRequest, request: Request) -> Response:
    """The same in the shape of a conversation; the model goes on with the messages' contents, or replies from past cases."""
    worker = conversing_worker(request, asked)
    if "matches" in worker.generator.capabilities:
        return await replies.chatted(request, asked, worker)
    return await answered(request, asked, ChatAnswer, worker)


async def answered(request: Request, asked: TextRequest, kind: type[Answer], worker: Worker) -> Response:
    """As a stream where that is asked for; a client that goes away ends the drawing."""
    engine: Engine = request.app.state.engine
    deadline = deadline_of(request, asked.deadline)
    if "max_tokens" not in asked.model_fields_set:  # what nobody asked for is no more than is allowed
        asked = asked.model_copy(update={"max_tokens": min(asked.max_tokens, engine.limits.tokens)})
    for prompt in asked.prompts:
        engine.limits.allow(asked.prompted_by, "prompt", len(prompt.encode()))
    made = partial(kind, worker, asked, request.app.state.meters, deadline)
    answer = await asyncio.to_thread(made) if asked.slow else made()
    if asked.stream:
        events = answer.events(engine)
        first = await unless_gone(request, anext(events), deadline)  # what is wrong shows before the answer begins
        return StreamingResponse(server_sent(first, events), media_type="text/event-stream", headers=headers(answer.label))
    whole = await unless_gone(request, answer.complete(engine), deadline)
    return Response(whole.model_dump_json(), media_type="application/json", headers=headers(answer.label))


@router.post("/v1/images/generations", response_model=None, responses={200: {"model": Pictures}})
async def images(asked: ImageRequest, request: Request) -> Response:
    """Images as base64 PNG; the prompt is a label of the model, or empty."""
    label = asked.label or asked.prompt.strip() or None
    worker = worker_for(request, asked.model_copy(update={"label": label}), "image")
    size = size_of(worker, asked.size)
    engine: Engine = request.app.state.engine
    answer = mark(worker, asked.seed, asked.first)
    items = [Item(answer.seed, asked.first + index, label) for index in range(asked.n)]
    with engine.admitted(cost(asked.n)):
        contents = await unless_gone(request, worker.items(items))
    request.app.state.meters.items.labels(answer.model).inc(asked.n)
    data = [picture(worker, item, content) for item, content in zip(items, contents, strict=True)]
    pictures = Pictures(created=int(time.time()), model=answer.model, data=data, size=size, aigc=answer)
    return JSONResponse(pictures.model_dump(), headers=headers(answer))


def size_of(worker: Worker, asked: str | None) -> str:
    """The model's size as `WIDTHxHEIGHT`; raises `BadInput` where another is asked."""
    size = f"{worker.generator.format.width}x{worker.generator.format.height}"
    if asked not in (None, "auto", size):
        raise BadInput(f"size: {worker.identity.model} makes {size}, not {asked}; leave it out or say auto")
    return size


def picture(worker: Worker, item: Item, content: Any) -> Picture:
    """The PNG as base64, with its label inside."""
    modality = worker.generator.modality
    payload = labelled(modality.pack(content), modality.suffix, worker.identity.mark(item.seed, item.item))
    return Picture(b64_json=base64.b64encode(payload).decode(), item=item.item, label=worker.condition(item)[1])


@router.get("/healthz")
async def healthz(request: Request) -> dict[str, str]:
    """The process is alive and every model makes progress; 503 where one hangs."""
    engine: Engine = request.app.state.engine
    if models := engine.hung(request.app.state.hung):
        raise Hung(
            f"no progress for {request.app.state.hung:g} s though requests wait: {', '.join(models)}; restart the server"
        )
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(request: Request) -> dict[str, object]:
    """Every model is loaded; 503 until then. `notes`: where another version is served than the registry says, and why."""
    engine: Engine = request.app.state.engine
    notes = request.app.state.follower.notes
    ready: dict[str, object] = {"status": "ready", "models": [worker.identity.model for worker in engine.workers()]}
    return ready | ({"notes": {name: failures.without_folders(note) for name, note in notes.items()}} if notes else {})


@router.get("/metrics", response_class=Response)
async def metrics(request: Request) -> Response:
    """For Prometheus."""
    return Response(generate_latest(request.app.state.meters.registry), media_type=CONTENT_TYPE_LATEST)


@router.get("/", response_class=HTMLResponse, include_in_schema=False)
async def page() -> HTMLResponse:
    """A page to try the models with."""
    return shown("page.html")


@router.get("/docs", response_class=HTMLResponse, include_in_schema=False)
async def reference() -> HTMLResponse:
    """OpenAPI for people; FastAPI's own page loads its scripts from elsewhere."""
    return shown("reference.html")


def shown(name: str) -> HTMLResponse:
    """A page of this folder, which loads nothing from elsewhere and stands in no frame of another."""
    return HTMLResponse((Path(__file__).parent / name).read_text(encoding="utf-8"), headers=PAGE_HEADERS)
