"""What Prometheus reads at `/metrics`, and what is noted of each request."""

from __future__ import annotations

import math
import re
import secrets
import time
from collections.abc import Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tasks.serve.doors.access_log import REQUEST_ID, log_access
from tasks.serve.doors.bodies import Bodies
from tasks.serve.doors.limits import Limits

if TYPE_CHECKING:
    from aigc_models.language.slots import Draft

HELD = "aigc.workers"  # in the scope of a request: the workers that it keeps open
OUTCOMES = ("served", "refused", "failed")
REPEATS = ("redrawn", "cut")
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Meters:
    """The figures of one app, in a registry of its own."""

    def __init__(self, engine: Any) -> None:
        self.registry = registry = CollectorRegistry()
        self.requests = Counter("aigc_requests", "Requests answered.", ["route", "status"], registry=registry)
        self.seconds = Histogram("aigc_request_seconds", "To the last byte.", ["route"], registry=registry, buckets=SECONDS)
        self.items = Counter("aigc_generated_items", "Items generated.", ["model"], registry=registry)
        self.tokens = Counter("aigc_generated_tokens", "Bytes of text generated.", ["model"], registry=registry)
        text = "Questions that were replied to from past cases (given), or not (unknown)."
        self.replies = Counter("aigc_replies", text, ["model", "outcome"], registry=registry)
        text = "Repeats of training data in texts: drawn again; or the text ends before it: cut."
        self.repeats = Counter("aigc_training_repeats", text, ["model", "outcome"], registry=registry)
        text = "Texts that a model which lies elsewhere gave no answer for."
        self.unanswered = Counter("aigc_unanswered_texts", text, ["model", "member"], registry=registry)
        Gauge("aigc_queue_items", "Items being made or waiting.", registry=registry).set_function(lambda: engine.waiting)
        Gauge("aigc_ready", "1 when every model is loaded.", registry=registry).set_function(lambda: engine.ready)
        text = "Looks at the registry that found another version: served, refused; or that failed: failed."
        self.reloads = Counter("aigc_reloads", text, ["model", "outcome"], registry=registry)
        version = Gauge("aigc_served_version", "Registered version that answers.", ["model"], registry=registry)
        for name in engine.names:
            version.labels(name).set_function(partial(_served_version, engine, name))
            for outcome in OUTCOMES:
                self.reloads.labels(name, outcome)
            for outcome in REPEATS:
                self.repeats.labels(name, outcome)

    def missed(self, model: str, members: Mapping[str, int]) -> None:
        """Count the texts that members gave no answer for."""
        for member, texts in members.items():
            self.unanswered.labels(model, member).inc(texts)

    def count_repeats(self, model: str, drafts: Iterable[Draft]) -> None:
        """What became of those that repeated training data while they were drawn."""
        for draft in drafts:
            self.repeats.labels(model, "redrawn").inc(draft.redraws)
            self.repeats.labels(model, "cut").inc(draft.cut)

    def replied(self, model: str, given: bool) -> None:
        """Count a question."""
        self.replies.labels(model, "given" if given else "unknown").inc()


def _served_version(engine: Any, name: str) -> float:
    version = engine.current(name).identity.version
    return float(version) if version.isdecimal() else math.nan


class Metered:
    """ASGI middleware, around all others: names, counts, times and logs requests, and bounds their bodies."""

    def __init__(self, app: ASGIApp, meters: Meters, limits: Limits) -> None:
        self.app, self.meters = app, meters
        self._bodies = Bodies(limits)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began, status, workers = time.perf_counter(), 500, []  # type: ignore[var-annotated]
        scope[HELD], scope[REQUEST_ID] = workers, request_id(Headers(scope=scope))

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update({"X-Request-ID": scope[REQUEST_ID], "X-Content-Type-Options": "nosniff"})
            await send(message)

        try:
            with self._bodies.receiving(scope, receive) as bounded:
                await self.app(scope, bounded, watched)
        finally:
            seconds = time.perf_counter() - began
            for worker in workers:
                worker.open_requests -= 1
            route = getattr(scope.get("route"), "path", "other")  # never the raw path: labels must be few
            self.meters.requests.labels(route, str(status)).inc()
            self.meters.seconds.labels(route).observe(seconds)
            log_access(scope, route, status, seconds, [worker.identity for worker in workers])


def request_id(headers: Headers) -> str:
    """The client's own, where it gives one that may stand in a log; else a new one."""
    given = headers.get("x-request-id", "")
    return given if re.fullmatch(r"[\w-]{1,64}", given, re.ASCII) else secrets.token_hex(8)
