"""`POST /v1/forecast`, `/v1/classify`, `/v1/embeddings`: what a model says of content that it is given."""

from __future__ import annotations

import base64
import time
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from aigc_models.errors import BadInput, Unreachable
from aigc_models.heads import GENERATE
from tasks.serve.asking import (
    Ahead,
    Classification,
    Classified,
    ClassifyRequest,
    Embedding,
    EmbeddingRequest,
    Embeddings,
    Explained,
    ExplainedText,
    ExplainRequest,
    Explanations,
    Forecasted,
    ForecastRequest,
    InputUsage,
    dumped,
)
from tasks.serve.contents import contents, pasts
from tasks.serve.doors.bodies import JsonRoute
from tasks.serve.doors.limits import SYMBOLS, cost
from tasks.serve.engine import Engine
from tasks.serve.metering import Meters
from tasks.serve.requests import able_worker, header, headers, mark, unless_gone
from tasks.serve.schemas import FAILURES
from tasks.serve.worker import Worker

if TYPE_CHECKING:
    from aigc_models.generator import Generator
    from aigc_models.inference import Forecast

DECIDES = {"classify": "classifies", "multilabel": "assigns", "regress": "regresses"}  # by task: what it takes
EXPLAINING = 40  # times that a text is read to be explained, about

Said = TypeVar("Said")

router = APIRouter(route_class=JsonRoute, responses=FAILURES)


@router.post("/v1/forecast", response_model=None, responses={200: {"model": Forecasted}})
async def forecast(asked: ForecastRequest, request: Request) -> Response:
    """What comes after a series, as quantiles of each step and channel."""
    from tasks.use.infer import points

    worker = able_worker(request, asked, "forecasts")
    worker.check(asked.label)
    engine: Engine = request.app.state.engine

    async def ahead() -> list[Forecast]:
        past = await pasts(worker, asked.pasts, engine.limits.contents)
        return await worker.ask(_forecast, past, asked.levels, asked.label)

    with engine.admitted(cost(len(asked.pasts or [1]))):
        forecasts = await unless_gone(request, ahead())
    data = [Ahead(index=at, **points(one)) for at, one in enumerate(forecasts)]
    answer = mark(worker, asked.seed or 0)
    member = worker.member("forecasts")
    body = Forecasted(created=int(time.time()), model=answer.model, member=member, levels=asked.levels, data=data, aigc=answer)
    return JSONResponse(dumped(body), headers=headers(answer))


@router.post("/v1/classify", response_model=None, responses={200: {"model": Classification}})
async def classify(asked: ClassifyRequest, request: Request) -> Response:
    """The likeliest label of each input, with the probability of each; its labels, where it may have several; or its number."""
    worker = able_worker(request, asked, *DECIDES.values())
    able = DECIDES.get(worker.generator.card.task, "classifies")
    meters: Meters = request.app.state.meters
    missed = Counter[str]()

    def noted(generator: Generator, read: Sequence[Any]) -> list[dict[str, Any]]:
        return _classify(generator, read, missed)

    try:
        said = await said_of(request, worker, asked.inputs, noted, able)
    finally:
        meters.missed(worker.identity.model, missed)
    data = [Classified(index=index, **row) for index, row in enumerate(chain.from_iterable(said))]
    answer = mark(worker, 0)
    body = Classification(model=answer.model, member=worker.member(able), unanswered=dict(missed), data=data, aigc=answer)
    more = {"X-AIGC-Unanswered": header(", ".join(missed))} if missed else {}
    return JSONResponse(dumped(body), headers=headers(answer) | more)


@router.post("/v1/explain", response_model=None, responses={200: {"model": Explanations}})
async def explain(asked: ExplainRequest, request: Request) -> Response:
    """Which words of each text speak for a label, and whether its probability falls without them; of a generator, how likely
    it held each token, and what it and its members would have written."""
    worker = able_worker(request, asked, "classifies", "streams")
    engine: Engine = request.app.state.engine
    generated = worker.generator.card.task == GENERATE

    async def each() -> list[dict[str, Any]]:
        read = await contents(worker, asked.inputs, engine.limits.contents)
        return [await worker.ask(_read if generated else _explain, text, asked.label) for text in read]

    with engine.admitted(
        cost(len(asked.inputs), (1 if generated else EXPLAINING) * sum(len(text.encode()) for text in asked.inputs))
    ):
        rows = await unless_gone(request, each())
    answer = mark(worker, 0)
    data = [(ExplainedText if generated else Explained)(index=at, **row) for at, row in enumerate(rows)]
    return JSONResponse(dumped(Explanations(model=answer.model, data=data, aigc=answer)), headers=headers(answer))


@router.post("/v1/embeddings", response_model=None, responses={200: {"model": Embeddings}})
async def embeddings(asked: EmbeddingRequest, request: Request) -> Response:
    """A feature vector for each input, in OpenAI's shape."""
    worker = able_worker(request, asked, "encodes")
    features = np.concatenate(await said_of(request, worker, asked.inputs, _embed, "encodes")).astype("<f4")
    if asked.dimensions not in (None, features.shape[1]):
        raise BadInput(f"dimensions: {worker.identity.model} has {features.shape[1]}, not {asked.dimensions}; leave it out")
    answer = mark(worker, 0)
    coded = asked.encoding_format == "base64"
    tokens = sum(len(text.encode()) for text in asked.inputs)
    body = Embeddings(
        model=answer.model,
        member=worker.member("encodes"),
        data=[Embedding(index=at, embedding=_base64(row) if coded else row.tolist()) for at, row in enumerate(features)],
        usage=InputUsage(prompt_tokens=tokens, total_tokens=tokens),
        aigc=answer,
    )
    return JSONResponse(dumped(body), headers=headers(answer))


async def said_of(
    request: Request, worker: Worker, inputs: Sequence[str], function: Callable[[Generator, Sequence[Any]], Said], able: str
) -> list[Said]:
    """What `function(generator, contents)` gives for all inputs: a part at a time in the worker's thread, others between."""
    engine: Engine = request.app.state.engine
    textual = "streams" in worker.generator.capabilities
    for at, text in enumerate(inputs if textual else ()):
        engine.limits.allow(f"input[{at}]", "prompt", len(text.encode()))
    reads = len(worker.generator.card.labels) if able == "classifies" and worker.member(able) == "" else 1
    symbols = reads * sum(len(text.encode()) for text in inputs) if textual else 0

    async def in_parts() -> list[Said]:
        read = await contents(worker, inputs, engine.limits.contents)
        sizes = [len(text) if textual else SYMBOLS // worker.generator.card.micro_batch for text in inputs]
        return [await worker.ask(function, [read[at] for at in part]) for part in parts(sizes)]

    with engine.admitted(cost(len(inputs), symbols)):
        return await unless_gone(request, in_parts())


def parts(sizes: Sequence[int]) -> list[list[int]]:
    """Neighbours together as long as their sizes are at most `SYMBOLS` together."""
    gathered, size = list[list[int]](), SYMBOLS + 1
    for at, each in enumerate(sizes):
        if size + each > SYMBOLS:
            gathered.append([])
            size = 0
        gathered[-1].append(at)
        size += each
    return gathered


def _forecast(generator: Generator, past: list[Any] | None, levels: list[float], label: str | None) -> list[Forecast]:
    return generator.forecast(past, levels, label)


def _classify(generator: Generator, read: Sequence[Any], missed: Counter[str]) -> list[dict[str, Any]]:
    """`missed` counts, by member, the texts that got no answer from what lies elsewhere."""
    from aigc_models.heads import classify
    from tasks.use.infer import head_of

    if (head := head_of(generator)) is not classify:
        rows: list[dict[str, Any]] = head.answers(generator, read)
        return rows
    generator.unanswered()  # of an explanation before
    shares = generator.shares(read)
    reasons = generator.unanswered()
    missed.update({name: count for name, (count, _) in reasons.items()})
    if shares.isnan().any():
        raise Unreachable("; ".join(f"{name}: {reason}" for name, (_, reason) in reasons.items()))
    return classify.rows(generator.card.labels, shares)


def _explain(generator: Generator, text: Any, label: str | None) -> dict[str, Any]:
    from tasks.use.explain import of_text

    return of_text(generator, text, label)


def _read(generator: Generator, text: Any, label: str | None) -> dict[str, Any]:
    from tasks.use.explain import of_generated

    return of_generated(generator, text, label)


def _embed(generator: Generator, read: Sequence[Any]) -> np.ndarray:
    return generator.embed(read).numpy()


def _base64(row: np.ndarray) -> str:
    return base64.b64encode(row.tobytes()).decode()
