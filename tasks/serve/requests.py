"""What every endpoint does with a request: find the model, label the answer, stop when the client goes away."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import Request

from tasks.serve import failures
from tasks.serve.engine import Engine
from tasks.serve.metering import HELD
from tasks.serve.schemas import Asked
from tasks.serve.worker import Worker
from tasks.use.provenance import Label

T = TypeVar("T")


def worker_for(request: Request, asked: Asked, modality: str) -> Worker:
    """The model that is asked; raises `UnknownModel`, or `BadInput` where it is none of that modality."""
    engine: Engine = request.app.state.engine
    try:
        worker = engine.worker(asked.model, modality)
    except KeyError as error:
        raise failures.UnknownModel(asked.model) from error
    worker.check(asked.label)
    return held(request, worker)


def able_worker(request: Request, model: str | None, *capabilities: str) -> Worker:
    """The model that is asked; raises `UnknownModel`, or `BadInput` where it can do none of `capabilities`."""
    engine: Engine = request.app.state.engine
    try:
        return held(request, engine.able(model, *capabilities))
    except KeyError as error:
        raise failures.UnknownModel(model) from error


def held(request: Request, worker: Worker) -> Worker:
    """The worker, which stays open until the last byte of the answer, also where another takes its place meanwhile."""
    worker.open_requests += 1
    request.scope[HELD].append(worker)
    return worker


def mark(worker: Worker, seed: int | None, first: int = 0) -> Label:
    """The label of an answer; a seed is drawn where none is asked for."""
    return worker.identity.mark(secrets.randbits(48) if seed is None else seed, first)


def deadline_of(request: Request, seconds: float | None = None) -> float:
    """When an answer must be done (`time.monotonic`): after `seconds`, at most those of the server."""
    most: float = request.app.state.patience
    return time.monotonic() + min(most, seconds or most)


def headers(label: Label) -> dict[str, str]:
    return {
        "X-AIGC-Model": label.model,
        "X-AIGC-Version": label.version,
        "X-AIGC-Seed": str(label.seed),
        "X-AI-Generated": "true",
    }


async def unless_gone(request: Request, work: Awaitable[T]) -> T:
    """The result of `work`, which is cancelled when the client goes away."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_gone(request))
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            return task.result()
        raise failures.Gone
    finally:
        task.cancel()
        watch.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
