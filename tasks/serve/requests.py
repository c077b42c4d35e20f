"""What every endpoint does with a request: find the model, label the answer, stop when the client goes away."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable
from typing import TypeVar
from urllib.parse import quote

from fastapi import Request

from tasks.serve import failures
from tasks.serve.asking import FeedbackRequest, InferenceRequest, RecommendRequest, ReplyRequest
from tasks.serve.drawing import Late
from tasks.serve.engine import Engine
from tasks.serve.metering import HELD
from tasks.serve.schemas import Asked
from tasks.serve.worker import Worker
from tasks.use.provenance import Label

T = TypeVar("T")
Given = Asked | InferenceRequest | RecommendRequest | FeedbackRequest | ReplyRequest
PRINTABLE = "".join(map(chr, range(0x20, 0x7F))).replace("%", "")


def worker_for(request: Request, asked: Asked, modality: str) -> Worker:
    """The model that is asked; raises `UnknownModel`, or `BadInput` where it is none of that modality, or too much is asked."""
    engine: Engine = request.app.state.engine
    engine.limits.check(asked)
    try:
        worker = engine.worker(asked.model, modality)
    except KeyError as error:
        raise failures.UnknownModel(asked.model) from error
    worker.check(asked.label)
    return held(request, worker)


def conversing_worker(request: Request, asked: Asked) -> Worker:
    """The same of a model that makes text, or that replies from past cases."""
    engine: Engine = request.app.state.engine
    engine.limits.check(asked)
    try:
        worker = engine.conversing(asked.model)
    except KeyError as error:
        raise failures.UnknownModel(asked.model) from error
    worker.check(asked.label)
    return held(request, worker)


def able_worker(request: Request, asked: Given, *capabilities: str) -> Worker:
    """The model that is asked; raises `UnknownModel`, or `BadInput` where it can do none of `capabilities`, or too much."""
    engine: Engine = request.app.state.engine
    engine.limits.check(asked)
    try:
        return held(request, engine.able(asked.model, *capabilities))
    except KeyError as error:
        raise failures.UnknownModel(asked.model) from error


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
    engine: Engine = request.app.state.engine
    most = engine.limits.answer_seconds
    return time.monotonic() + min(most, seconds or most)


def headers(label: Label) -> dict[str, str]:
    """Of an answer."""
    return {
        "X-AIGC-Model": header(label.model),
        "X-AIGC-Version": header(label.version),
        "X-AIGC-Seed": str(label.seed),
        "X-AI-Generated": "true",
    }


def header(text: str) -> str:
    """Any text as the value of a header: what is no printable ASCII is written as per cent signs and its bytes in UTF-8."""
    return quote(text, safe=PRINTABLE)


async def unless_gone(request: Request, work: Awaitable[T], deadline: float | None = None) -> T:
    """The result of `work`, which is cancelled when the client goes away, or at `deadline` (`Late`; none: the server's)."""
    task = asyncio.ensure_future(work)
    watch = asyncio.ensure_future(_gone(request))
    seconds = (deadline_of(request) if deadline is None else deadline) - time.monotonic()
    try:
        await asyncio.wait({task, watch}, return_when=asyncio.FIRST_COMPLETED, timeout=max(0.0, seconds))
        if task.done():
            return task.result()
        raise failures.Gone if watch.done() else Late
    finally:
        task.cancel()
        watch.cancel()


async def _gone(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
