"""`POST /v1/models/NAME/champion`: a version becomes champion, for whoever has a key that may promote."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from tasks.serve import failures
from tasks.serve.doors.access_log import KEY
from tasks.serve.doors.bodies import JsonRoute
from tasks.serve.doors.keys import Key
from tasks.serve.engine import Engine
from tasks.serve.schemas import FAILURES, STRICT, Failed

if TYPE_CHECKING:
    from tasks.registry.history import Entry

router = APIRouter(route_class=JsonRoute, responses=FAILURES)
Promote = Callable[[str, int, str], "Entry"]  # name, version, reason


class PromotionRequest(BaseModel):
    """Which version, and why; to roll back is to promote the version before."""

    model_config = STRICT

    version: int = Field(ge=1, lt=2**31, description="a registered version of the model")
    reason: str = Field("by hand", max_length=500, description="why, in words, for the history")


class Promotion(BaseModel):
    """A line of the model's history."""

    model: str
    action: str
    from_version: int | None = Field(description="the champion before; null: there was none")
    to_version: int
    reason: str
    when: str


@router.post("/v1/models/{name}/champion", responses={409: {"model": Failed}})
async def promote(name: str, asked: PromotionRequest, request: Request) -> Promotion:
    """Make a version champion; servers that follow the model answer with it some seconds later.

    409: somebody else moved the champion meanwhile.
    """
    engine: Engine = request.app.state.engine
    key: Key | None = request.scope.get(KEY)
    make: Promote | None = request.app.state.promote
    if key is None or make is None:  # never for everybody, also where the models may be asked by everybody
        raise failures.Forbidden("a key that may promote is needed: `aigc keys add NAME --scope promote`")
    if name not in engine.names:
        raise failures.UnknownModel(name)
    entry = await asyncio.to_thread(make, name, asked.version, f"{asked.reason} (key {key.name!r})")
    return Promotion(model=name, **entry.model_dump(include=set(Promotion.model_fields) - {"model"}))
