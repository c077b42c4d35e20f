"""What Prometheus reads at `/metrics`, and the limit on the size of a request."""

from __future__ import annotations

import math
import time
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MAX_BODY = 1_000_000  # bytes
HELD = "aigc.workers"  # in the scope of a request: the workers that it keeps open
OUTCOMES = ("served", "refused", "failed")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Meters:
    """The figures of one app, in a registry of its own."""

    def __init__(self, engine: Any) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("aigc_requests", "Requests answered.", ["route", "status"], registry=registry)
        self.seconds = Histogram("aigc_request_seconds", "To the last byte.", ["route"], registry=registry, buckets=SECONDS)
        self.items = Counter("aigc_generated_items", "Items generated.", ["model"], registry=registry)
        self.tokens = Counter("aigc_generated_tokens", "Bytes of text generated.", ["model"], registry=registry)
        Gauge("aigc_queue_items", "Items being made or waiting.", registry=registry).set_function(lambda: engine.waiting)
        Gauge("aigc_ready", "1 when every model is loaded.", registry=registry).set_function(lambda: engine.ready)
        text = "Looks at the registry that found another version: served, refused; or that failed: failed."
        self.reloads = Counter("aigc_reloads", text, ["model", "outcome"], registry=registry)
        version = Gauge("aigc_served_version", "Registered version that answers.", ["model"], registry=registry)
        for name in engine.names:
            version.labels(name).set_function(lambda name=name: _number(engine.current(name).identity.version))
            for outcome in OUTCOMES:
                self.reloads.labels(name, outcome)


def _number(version: str) -> float:
    return float(version) if version.isdecimal() else math.nan


class Metered:
    """ASGI middleware: counts and times requests, refuses bodies over `MAX_BODY`."""

    def __init__(self, app: ASGIApp, meters: Meters) -> None:
        self.app, self.meters = app, meters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, workers = time.perf_counter(), "500", []  # type: ignore[var-annotated]
        scope[HELD] = workers

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = str(message["status"])
            await send(message)

        try:
            await self.app(scope, _limited(receive), watched)
        finally:
            for worker in workers:
                worker.open_requests -= 1
            route = getattr(scope.get("route"), "path", "other")  # never the raw path: labels must be few
            self.meters.requests.labels(route, status).inc()
            self.meters.seconds.labels(route).observe(time.perf_counter() - began)


def _limited(receive: Receive) -> Receive:
    size = 0

    async def limited() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MAX_BODY:
            raise HTTPException(413, f"the request is larger than {MAX_BODY} bytes")
        return message

    return limited
