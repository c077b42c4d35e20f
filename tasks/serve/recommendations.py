"""`POST /v1/recommendations` (and `/v1/recommend`): what is likeliest to come next in a history."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from tasks.serve.asking import Recommendation, Recommendations, RecommendRequest, dumped
from tasks.serve.doors.bodies import JsonRoute
from tasks.serve.doors.limits import cost
from tasks.serve.engine import Engine
from tasks.serve.requests import able_worker, headers, mark, unless_gone
from tasks.serve.schemas import FAILURES

if TYPE_CHECKING:
    from aigc_models.generator import Generator

router = APIRouter(route_class=JsonRoute, responses=FAILURES)


@router.post("/v1/recommendations", response_model=None, responses={200: {"model": Recommendations}})
@router.post("/v1/recommend", response_model=None, responses={200: {"model": Recommendations}})
async def recommendations(asked: RecommendRequest, request: Request) -> Response:
    """Items that the history does not hold, the likeliest first, with the items of the history that speak for each."""
    worker = able_worker(request, asked, "recommends")
    engine: Engine = request.app.state.engine
    with engine.admitted(cost(1, len(asked.items))):
        said = await unless_gone(request, worker.ask(_recommended, asked.items, asked.count))
    answer = mark(worker, 0)
    body = Recommendations(
        model=answer.model,
        member=worker.member("recommends"),
        data=[Recommendation(index=at, **row) for at, row in enumerate(said["recommended"])],
        unknown=said["unknown"],
        cold_start=said["cold_start"],
        aigc=answer,
    )
    return JSONResponse(dumped(body), headers=headers(answer))


def _recommended(generator: Generator, items: list[str], count: int) -> dict[str, Any]:
    from tasks.use.recommend import recommended

    return recommended(generator, items, count)
