"""A line of JSON for each request: who asked which model for what, how it ended. Never what was asked, nor a key."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path

from starlette.types import Scope

from tasks.stage.settings import allowed
from tasks.use.provenance import Identity

REQUEST_ID = "aigc.request_id"  # in the scope of a request
KEY = "aigc.key"  # the key that it came with, if any
BYTES, FILES = 10_000_000, 5  # of a log, and how many are kept
log = logging.getLogger("aigc.access")


def log_to(path: Path | None) -> None:
    """Write to a file, which is put aside when it is full, or without one to stderr; raises `BadInput` where it cannot be."""
    if path is None:
        handler: logging.Handler = logging.StreamHandler(sys.stderr)
    else:
        with allowed(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            handler = RotatingFileHandler(path, maxBytes=BYTES, backupCount=FILES - 1, encoding="utf-8")
    log.handlers, log.propagate = [handler], False
    log.setLevel(logging.INFO)


def log_access(scope: Scope, route: str, status: int, seconds: float, models: Sequence[Identity]) -> None:
    """One request that has its answer."""
    if not log.isEnabledFor(logging.INFO):
        return
    key, client = scope.get(KEY), scope.get("client")
    line = {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "request": scope[REQUEST_ID],
        "client": client[0] if client else None,
        "key": key and key.name,
        "method": scope["method"],
        "route": route,
        "status": status,
        "seconds": round(seconds, 4),
        "models": [f"{model.model}/{model.version}" for model in models],
    }
    log.info(json.dumps(line))
