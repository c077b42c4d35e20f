"""Connections that do not wait for ever: how many, how long one may take to say what it wants, or to take its answer.

uvicorn bounds none of these. A client that sends its headers byte by byte, or opens connections and says nothing (R. Hansen's
Slowloris, 2009), would otherwise keep them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from tasks.serve.doors.limits import Limits
from tasks.serve.failures import failed


class BoundedProtocol(H11Protocol):
    """HTTP/1.1 with `limits.connections` and `limits.header_seconds`; a body's time is bounded where it is read.

    A client that takes nothing of its answer for `limits.body_seconds` is cut off: what it asked for would wait with it.
    """

    def __init__(self, *arguments: Any, limits: Limits, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._limits = limits
        self._timer: asyncio.TimerHandle | None = None
        self._taking: asyncio.TimerHandle | None = None
        self._untaken = 0  # bytes of the answer

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > self._limits.connections:
            self._refuse(503, f"{self._limits.connections} connections are open, as many as may be; try again in a second")
        else:
            self._watch()

    def data_received(self, data: bytes) -> None:
        if not self.transport.is_closing():
            super().data_received(data)
            self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        self._unwatch()
        if self._taking:
            self._taking.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch_taking()

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._taking:
            self._taking.cancel()

    def _watch_taking(self) -> None:
        self._untaken = self.transport.get_write_buffer_size()
        self._taking = self.loop.call_later(self._limits.body_seconds, self._not_taken)

    def _not_taken(self) -> None:
        if self.transport.get_write_buffer_size() < self._untaken:
            self._watch_taking()  # slowly, but it reads
        else:
            self.transport.abort()

    def _watch(self) -> None:
        """Time runs from the first byte until the headers are complete, however many bytes come meanwhile."""
        if self.cycle is not None and not self.cycle.response_complete:
            self._unwatch()
        elif self._timer is None:
            self._timer = self.loop.call_later(self._limits.header_seconds, self._late)

    def _unwatch(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if not self.transport.is_closing() and (self.cycle is None or self.cycle.response_complete):
            self._refuse(408, f"the request's headers did not come within {self._limits.header_seconds:g} s")

    def _refuse(self, status: int, message: str) -> None:
        """An answer without a request; then the connection is closed."""
        answer = failed(status, message, "server_error" if status == 503 else "invalid_request_error", Retry_After="1")
        head = [f"HTTP/1.1 {status} Refused", "connection: close"]
        head += [f"{name.decode()}: {value.decode()}" for name, value in answer.raw_headers]
        self.transport.write("\r\n".join([*head, "", ""]).encode() + bytes(answer.body))
        self.transport.close()
