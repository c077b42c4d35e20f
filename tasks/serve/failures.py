"""Every error in OpenAI's shape: `{"error": {"message", "type", "param", "code"}}`."""

from __future__ import annotations

import logging
import re

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from aigc_models.errors import BadInput, Unreachable, shortened
from tasks.registry.move import Overtaken
from tasks.serve.doors.bodies import NoJson
from tasks.serve.drawing import Late
from tasks.serve.engine import Busy, Engine, Hung, Loading
from tasks.serve.schemas import Failed, Failure

INVALID = "invalid_request_error"
FAULT = "the server failed; its log says why"  # what went wrong may name its files


class UnknownModel(Exception):
    """A model that is not served; the argument is its name."""


class Forbidden(Exception):
    """A request that is for holders of a certain key; the argument says which."""


class Gone(Exception):
    """The client went away before its answer."""


def without_folders(text: str) -> str:
    """A message for the outside, which is not to know where a server's files lie: of a path its last part.

    >>> without_folders("/srv/aigc/models/7/weights.safetensors is missing")
    'weights.safetensors is missing'
    """
    return re.sub(r"(?<![\w.:/])/(?:[^\s/:'\",]+/)+", "", text)


def failed(
    status: int, message: str, kind: str = INVALID, param: str | None = None, code: str | None = None, **headers: str
) -> JSONResponse:
    """An error as a response; `headers` with `_` for `-`."""
    failure = Failed(error=Failure(message=message, type=kind, param=param, code=code))
    return JSONResponse(failure.model_dump(), status, {name.replace("_", "-"): value for name, value in headers.items()})


async def bad_input(request: Request, error: Exception) -> JSONResponse:
    return failed(400, str(error))


async def no_json(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, NoJson)
    return failed(400, error.detail)


async def bad_body(request: Request, error: Exception) -> JSONResponse:
    """The first thing wrong with the body, and where."""
    assert isinstance(error, RequestValidationError)
    first = error.errors()[0]
    where = [str(part) for part in first["loc"] if part != "body"]
    if first["type"] == "extra_forbidden":
        return failed(400, f"{where[0]!r} is not supported here; /docs lists what is", param=where[0], code="unknown_parameter")
    return failed(400, ": ".join(filter(None, [".".join(where), first["msg"]])), param=where[0] if where else None)


async def unknown_model(request: Request, error: Exception) -> JSONResponse:
    engine: Engine = request.app.state.engine
    message = f"the model {shortened(error.args[0])} is not served here; served: {', '.join(engine.names)}"
    return failed(404, message, param="model", code="model_not_found")


async def busy(request: Request, error: Exception) -> JSONResponse:
    return failed(429, str(error), "rate_limit_error", code="queue_full", Retry_After="1")


async def loading(request: Request, error: Exception) -> JSONResponse:
    return failed(503, without_folders(str(error)), "server_error", code="loading", Retry_After="1")


async def forbidden(request: Request, error: Exception) -> JSONResponse:
    return failed(403, str(error), "permission_error", code="insufficient_scope")


async def overtaken(request: Request, error: Exception) -> JSONResponse:
    return failed(409, str(error), code="overtaken")


async def hung(request: Request, error: Exception) -> JSONResponse:
    return failed(503, str(error), "server_error", code="hung")


async def unreachable(request: Request, error: Exception) -> JSONResponse:
    """A model that lies elsewhere gave no answer; where that is stands in the log alone."""
    logging.getLogger("aigc.serve").warning("%s %s: %s", request.method, request.url.path, error)
    message = "the model asks one that lies elsewhere, which gave no answer in time or none of use; try again later"
    return failed(502, message, "server_error", code="upstream_unanswered", Retry_After="30")


async def late(request: Request, error: Exception) -> JSONResponse:
    return failed(504, str(error), "server_error", code="deadline")


async def gone(request: Request, error: Exception) -> JSONResponse:
    """Nobody reads it; the status is for the metrics (nginx's 'client closed request')."""
    return failed(499, "the client went away")


async def refused(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    return failed(error.status_code, f"{request.method} {request.url.path}: {error.detail}", **dict(error.headers or {}))


async def broken(request: Request, error: Exception) -> JSONResponse:
    """Our own fault; the details are in the log, not in the answer."""
    logging.getLogger("aigc.serve").error("%s %s failed", request.method, request.url.path, exc_info=error)
    return failed(500, FAULT, "server_error")


def install(app: FastAPI) -> None:
    """Make `app` answer with these."""
    app.add_exception_handler(BadInput, bad_input)
    app.add_exception_handler(RequestValidationError, bad_body)
    app.add_exception_handler(NoJson, no_json)
    app.add_exception_handler(UnknownModel, unknown_model)
    app.add_exception_handler(Busy, busy)
    app.add_exception_handler(Loading, loading)
    app.add_exception_handler(Hung, hung)
    app.add_exception_handler(Gone, gone)
    app.add_exception_handler(Forbidden, forbidden)
    app.add_exception_handler(Overtaken, overtaken)
    app.add_exception_handler(Late, late)
    app.add_exception_handler(Unreachable, unreachable)
    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(Exception, broken)
