"""`POST /v1/forecast`, `/v1/classify`, `/v1/embeddings`: what a model says of content that it is given."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from aigc_models.errors import BadInput
from tasks.serve.asking import (
    Ahead,
    Classification,
    Classified,
    ClassifyRequest,
    Embedding,
    EmbeddingRequest,
    Embeddings,
    Forecasted,
    ForecastRequest,
    InputUsage,
    Past,
    dumped,
)
from tasks.serve.contents import contents, pasts
from tasks.serve.engine import Engine
from tasks.serve.requests import able_worker, headers, mark, unless_gone
from tasks.serve.schemas import FAILURES
from tasks.serve.worker import Worker

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_models.generator import Generator
    from aigc_models.inference import Forecast

router = APIRouter(responses=FAILURES)


@router.post("/v1/forecast", response_model=None, responses={200: {"model": Forecasted}})
async def forecast(asked: ForecastRequest, request: Request) -> Response:
    """What comes after a series, as quantiles of each step and channel."""
    from tasks.use.infer import points

    worker = able_worker(request, asked.model, "forecasts")
    worker.check(asked.label)
    given = asked.pasts
    forecasts = await answered(request, worker, len(given or [1]), _forecast, given, asked.levels, asked.label)
    data = [Ahead(index=at, **points(one)) for at, one in enumerate(forecasts)]
    answer = mark(worker, asked.seed or 0)
    member = worker.member("forecasts")
    said = Forecasted(created=int(time.time()), model=answer.model, member=member, levels=asked.levels, data=data, aigc=answer)
    return JSONResponse(dumped(said), headers=headers(answer))


@router.post("/v1/classify", response_model=None, responses={200: {"model": Classification}})
async def classify(asked: ClassifyRequest, request: Request) -> Response:
    """The likeliest label of each input, with the probability of each."""
    worker = able_worker(request, asked.model, "classifies")
    shares = (await answered(request, worker, len(asked.inputs), _classify, asked.inputs)).tolist()
    labels, data = worker.generator.card.labels, []
    for index, row in enumerate(shares):
        probabilities = dict(zip(labels, row, strict=True))
        best = max(probabilities, key=lambda label: probabilities[label])
        data.append(Classified(index=index, label=best, probability=probabilities[best], probabilities=probabilities))
    answer = mark(worker, 0)
    said = Classification(model=answer.model, member=worker.member("classifies"), data=data, aigc=answer)
    return JSONResponse(dumped(said), headers=headers(answer))


@router.post("/v1/embeddings", response_model=None, responses={200: {"model": Embeddings}})
async def embeddings(asked: EmbeddingRequest, request: Request) -> Response:
    """A feature vector for each input, in OpenAI's shape."""
    worker = able_worker(request, asked.model, "encodes")
    features = (await answered(request, worker, len(asked.inputs), _embed, asked.inputs)).numpy().astype("<f4")
    if asked.dimensions not in (None, features.shape[1]):
        raise BadInput(f"dimensions: {worker.identity.model} has {features.shape[1]}, not {asked.dimensions}; leave it out")
    answer = mark(worker, 0)
    coded = asked.encoding_format == "base64"
    tokens = sum(len(text.encode()) for text in asked.inputs)
    said = Embeddings(
        model=answer.model,
        member=worker.member("encodes"),
        data=[Embedding(index=at, embedding=_base64(row) if coded else row.tolist()) for at, row in enumerate(features)],
        usage=InputUsage(prompt_tokens=tokens, total_tokens=tokens),
        aigc=answer,
    )
    return JSONResponse(dumped(said), headers=headers(answer))


async def answered(request: Request, worker: Worker, items: int, function: Callable[..., Any], *arguments: Any) -> Any:
    """What `function(generator, ...)` gives, in the worker's thread, counted as `items` in the queue."""
    engine: Engine = request.app.state.engine
    with engine.admitted(items):
        return await unless_gone(request, worker.ask(function, *arguments))


def _forecast(generator: Generator, given: list[Past] | None, levels: list[float], label: str | None) -> list[Forecast]:
    return generator.forecast(pasts(generator, given), levels, label)


def _classify(generator: Generator, inputs: list[str]) -> Tensor:
    return generator.classify(contents(generator, inputs))


def _embed(generator: Generator, inputs: list[str]) -> Tensor:
    return generator.embed(contents(generator, inputs))


def _base64(row: np.ndarray) -> str:
    return base64.b64encode(row.tobytes()).decode()
