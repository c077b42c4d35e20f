"""Who may ask: under which host name, with which key, how often. What is refused here reaches no route."""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

from fastapi import Request, Response
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.types import ASGIApp, Receive, Scope, Send

from aigc_models.errors import Damaged
from tasks.serve.doors.access_log import KEY
from tasks.serve.doors.keys import Key, Keyring
from tasks.serve.doors.keys import Scope as KeyScope
from tasks.serve.doors.limits import Limits
from tasks.serve.failures import failed

LOOPBACK = ("localhost", "127.0.0.1", "::1")
OPEN = ("/", "/docs", "/openapi.json", "/healthz", "/readyz")  # they say nothing that a stranger may not know


def scope_of(path: str) -> KeyScope | None:
    """What a key must allow for a path; none: no key is needed."""
    if path in OPEN:
        return None
    if path == "/metrics":
        return "admin"
    return "promote" if re.fullmatch(r"/v1/models/[^/]+/champion", path) else "generate"


class Access:
    """ASGI middleware: refuses hosts that are not allowed, requests without a good key, and too many of them."""

    def __init__(self, app: ASGIApp, limits: Limits, keyring: Keyring | None, hosts: Sequence[str]) -> None:
        """`keyring`: none: no key is asked for. `hosts`: names in lower case; `*` allows any."""
        self.app, self._limits, self._keyring, self._hosts = app, limits, keyring, frozenset(hosts)
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        refusal = self._refusal(Request(scope))
        await (refusal or self.app)(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        return self._other_host(request) or self._without_key(request) or self._too_often(request)

    def _other_host(self, request: Request) -> Response | None:
        """A page elsewhere may have its name point here (DNS rebinding); then `Host` still says that name."""
        try:
            host = urlsplit(f"//{request.headers.get('host', '')}").hostname or ""
        except ValueError:
            host = ""
        if "*" in self._hosts or host in self._hosts:
            return None
        message = f"the host {host[:60]!r} is not served here; whoever runs the server allows it with --allow-host"
        return failed(421, message, code="host_not_allowed")

    def _without_key(self, request: Request) -> Response | None:
        needed = scope_of(request.url.path)
        try:
            if needed is None or self._keyring is None or not self._keyring.keys:
                return None
            kind, _, text = request.headers.get("authorization", "").partition(" ")
            key = self._keyring.match(text.strip()) if kind.lower() == "bearer" else None
        except Damaged as error:
            logging.getLogger("aigc.serve").error("%s", error)
            return failed(503, "the server cannot read its keys; its log says why", "server_error", code="keys")
        if key is None:
            message = "a key is needed, as `Authorization: Bearer KEY`; `aigc keys add NAME` makes one"
            return failed(401, message, "authentication_error", code="invalid_api_key", WWW_Authenticate="Bearer")
        request.scope[KEY] = key
        if not key.allows(needed):
            message = f"the key {key.name!r} is for {', '.join(key.scopes)}; this needs {needed}"
            return failed(403, message, "permission_error", code="insufficient_scope")
        return None

    def _too_often(self, request: Request) -> Response | None:
        key: Key | None = request.scope.get(KEY)
        rate = (key and key.rate) or self._limits.rate
        if not rate or scope_of(request.url.path) is None:
            return None
        item, who = RateLimitItemPerMinute(rate), key.id if key else request.client.host if request.client else ""
        if self._limiter.hit(item, who):
            return None
        seconds = max(1, math.ceil(self._limiter.get_window_stats(item, who).reset_time - time.time()))
        message = f"more than {rate} requests in a minute; try again in {seconds} s"
        return failed(429, message, "rate_limit_error", code="rate_limit_exceeded", Retry_After=str(seconds))
