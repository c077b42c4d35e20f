"""The bodies of requests: how large they are, how long they take, and JSON that is JSON."""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

from tasks.serve.doors.limits import Limits

EXACT = 2**53  # below it a double holds every whole number
LAST = {"Connection": "close"}  # what is left of the body is not waited for


class Bodies:
    """All bodies that a server has received of requests that it answers now."""

    def __init__(self, limits: Limits) -> None:
        self._limits, self.bytes = limits, 0

    @contextmanager
    def receiving(self, scope: Scope, receive: Receive) -> Iterator[Receive]:
        """`receive` of one request that raises 413, 408 or 503 (`HTTPException`) when its body is too large or too slow."""
        limits, size, whole, until = self._limits, 0, False, 0.0
        stated = Headers(scope=scope).get("content-length", "0")

        async def bounded() -> Message:
            nonlocal size, whole, until
            if whole:
                return await receive()
            if stated.isdecimal() and int(stated) > limits.body:
                raise HTTPException(413, f"the request is larger than {limits.body} bytes", LAST)
            until = until or asyncio.get_running_loop().time() + limits.body_seconds
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError as error:
                raise HTTPException(408, f"the body did not come within {limits.body_seconds:g} s", LAST) from error
            received, whole = len(message.get("body", b"")), not message.get("more_body", False)
            size += received
            self.bytes += received
            if size > limits.body:
                raise HTTPException(413, f"the request is larger than {limits.body} bytes", LAST)
            if self.bytes > limits.bodies:
                raise HTTPException(
                    503, "too many bodies are being received; try again in a second", {**LAST, "Retry-After": "1"}
                )
            return message

        try:
            yield bounded
        finally:
            self.bytes -= size


class JsonRequest(Request):
    """Its JSON is RFC 8259's: no Infinity and no NaN, and every string is text."""

    async def json(self) -> Any:
        """Raises `NoJson` with what is wrong."""
        if not hasattr(self, "_json"):
            self._json = parsed(await self.body())
        return self._json


class JsonRoute(APIRoute):
    """A route whose requests are `JsonRequest`s."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handler = super().get_route_handler()

        async def strict(request: Request) -> Response:
            return await handler(JsonRequest(request.scope, request.receive))

        return strict


class NoJson(HTTPException):
    """A body that is none; FastAPI would catch any other exception and say that there was one."""

    def __init__(self, problem: str) -> None:
        super().__init__(400, problem)


def parsed(body: bytes) -> Any:
    """JSON; raises `NoJson` with what is wrong."""
    try:
        value = json.loads(body.decode("utf-8"), parse_constant=_no_number, parse_float=_number)
    except UnicodeDecodeError as error:
        raise NoJson(f"the body is no UTF-8: byte {error.start} of {len(body)}") from error
    except RecursionError as error:
        raise NoJson("the body is nested too deeply") from error
    except ValueError as error:  # of the syntax, or of a whole number with thousands of digits
        raise NoJson(f"the body is no JSON: {error}") from error
    if b"\\ud" in body or b"\\uD" in body:  # a half of a character in UTF-16 can come in as an escape alone
        for place, text in _texts(value):
            if not _is_text(text):
                raise NoJson(f"{place or 'the body'}: half of a surrogate pair is no text")
    return value


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number in JSON")


def _number(text: str) -> float:
    """A whole number however it is written, as JSON schema counts them; one that is too large for a double is none."""
    value = float(text)
    if not math.isfinite(value):
        _no_number(text[:40])
    return int(value) if value.is_integer() and abs(value) < EXACT else value


def _texts(value: Any) -> Iterator[tuple[str, str]]:
    """All strings and where they stand; a key stands where its value does. Without recursion: JSON may be nested deeply."""
    stack = [("", value)]
    while stack:
        place, item = stack.pop()
        if isinstance(item, str):
            yield place, item
        elif isinstance(item, dict):
            yield from ((place, key) for key in item)
            stack += [(f"{place}.{key}" if place else key, inside) for key, inside in item.items() if _is_text(key)]
        elif isinstance(item, list):
            stack += [(f"{place}[{at}]", inside) for at, inside in enumerate(item)]


def _is_text(text: str) -> bool:
    return not any("\ud800" <= character <= "\udfff" for character in text)
