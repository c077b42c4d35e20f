"""A server in the foreground, and the same as a process of its own.

    python -m tasks.serve.run < orders        one line of JSON: `Orders`; answers in lines of JSON

The process says where it listens (`{"url": ...}`) and when every model is loaded (`{"ready": [...]}`).
It ends when its stdin closes, so a parent that was killed leaves no orphan.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import AigcError, BadInput
from aigc_models.training.devices import AUTO, Device
from tasks.serve.app import create_app
from tasks.serve.doors.connections import BoundedProtocol
from tasks.serve.doors.opening import Doors, Tls
from tasks.serve.engine import Engine, cores
from tasks.serve.worker import Served
from tasks.use.provenance import Identity

PATIENCE = 5  # seconds that open answers get when the server is told to end


class Model(BaseModel):
    """A bundle to serve and what it is called."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    identity: Identity
    path: Path = Field(description="the bundle's folder")


class Orders(BaseModel):
    """What a server process reads from its first line of stdin; port 0 is any free one."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    models: tuple[Model, ...]
    host: str = "127.0.0.1"
    port: int = 0
    device: Device = Field("auto", description=AUTO)


def serve(
    models: Mapping[str, Served],
    host: str,
    port: int,
    say: Callable[[str, Any], None] | None = None,
    doors: Doors | None = None,
    **options: Any,
) -> None:
    """Serve until SIGTERM or SIGINT; both end it cleanly, with status 0. `options` are `create_app`'s.

    `say("url", URL)` is called when it listens, `say("ready", NAMES)` when every model is loaded.
    Raises `BadInput` where it cannot listen, and what went wrong where a model cannot be loaded.
    """
    listener = listen(host, port)
    with listener, clean_signals():
        run(models, listener, say or announce, doors=doors, **options)


def run(
    models: Mapping[str, Served],
    listener: socket.socket,
    say: Callable[[str, Any], None],
    started: Callable[[uvicorn.Server], None] = lambda server: None,
    doors: Doors | None = None,
    **options: Any,
) -> None:
    """Serve on a socket that listens already; `started(server)` is called before it runs; `options` are `create_app`'s."""

    def loaded(engine: Engine) -> None:
        if engine.failure is not None:
            server.should_exit = True
        elif engine.ready:
            say("ready", engine.names)

    app = create_app(models, loaded=loaded, **(doors.options if doors else {}), **options)
    server = uvicorn.Server(configured(app, doors.tls if doors else None))
    started(server)
    say("url", url_of(listener, "https" if doors and doors.tls else "http"))
    server.run(sockets=[listener])
    if app.state.engine.failure is not None:
        raise app.state.engine.failure


def configured(app: FastAPI, tls: Tls | None = None) -> uvicorn.Config:
    """How uvicorn serves `app`: within its limits, over HTTP/1.1 alone, and who asks is who is connected."""
    engine: Engine = app.state.engine
    options: dict[str, Any] = {"log_level": "warning", "access_log": False, "server_header": False}
    if tls:
        options |= {"ssl_certfile": str(tls.certificate), "ssl_keyfile": str(tls.key)}
    protocol: Any = partial(BoundedProtocol, limits=engine.limits)
    options |= {"http": protocol, "ws": "none", "proxy_headers": False, "timeout_graceful_shutdown": PATIENCE}
    return uvicorn.Config(app, **options)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; raises `BadInput` where the port is taken, not allowed, or the host unknown."""
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.create_server((str(address[0]), port), family=family)
        # the loop sets TCP_NODELAY by itself only where the protocol is stated; without it each answer waits 40 ms
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return listener
    except (OSError, OverflowError) as error:
        number = getattr(error, "errno", None) or 0
        reason = os.strerror(number) if number > 0 else getattr(error, "strerror", None) or str(error)
        raise BadInput(f"cannot listen on {host} port {port}: {reason}; choose another with --host or --port") from error


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    """Where it listens."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def announce(what: str, value: Any) -> None:
    """For a person, on stderr."""
    if what == "url":
        print(f"listening on {value} (page at /, reference at /docs); loading the models", file=sys.stderr, flush=True)
    else:
        threads = max(1, cores() // max(1, len(value)))
        share = f"{cores()} cores: a worker thread for each model, {threads} of torch's threads in each"
        print(f"ready: {', '.join(value)} ({share}); Ctrl-C ends it", file=sys.stderr, flush=True)


@contextmanager
def clean_signals() -> Iterator[None]:
    """SIGTERM and SIGINT end the process with status 0: uvicorn raises them again when it has closed."""

    def leave(number: int, frame: Any) -> NoReturn:
        raise SystemExit(0)

    before = {number: signal.signal(number, leave) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def end_with_stdin(server: uvicorn.Server) -> None:
    """End `server` when stdin closes, hard if it does not end by itself."""

    def watch() -> None:
        while sys.stdin.readline():
            pass
        server.should_exit = True
        time.sleep(PATIENCE + 1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def tell(what: str, value: Any) -> None:
    """For a parent, a line of JSON on stdout."""
    print(json.dumps({what: value}), flush=True)


def main() -> int:
    """The process: see the module's first lines."""
    orders = Orders.model_validate_json(sys.stdin.readline())
    models = {model.identity.model: Served.bundle(model.identity, model.path, device=orders.device) for model in orders.models}
    try:
        with listen(orders.host, orders.port) as listener, clean_signals():
            run(models, listener, tell, started=end_with_stdin)
    except AigcError as error:
        tell("error", str(error))
        return 2 if isinstance(error, BadInput) else 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)  # the interpreter's own shutdown with torch loaded costs half a second
