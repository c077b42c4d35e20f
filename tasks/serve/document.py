"""The OpenAPI document of one server: what it says of its limits, keys, models and labels is what this server does."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tasks.serve.doors.access import scope_of
from tasks.serve.doors.keys import Keyring
from tasks.serve.doors.limits import LIMIT
from tasks.serve.engine import Engine

KEY = {"type": "http", "scheme": "bearer", "description": "a key that `aigc keys add` has made"}
METHODS = ("get", "post")


def documented(app: FastAPI, keyring: Keyring | None) -> Callable[[], dict[str, Any]]:
    """What makes the document, once without keys and once with them, since these come and go while a server runs."""

    @cache
    def document(keyed: bool) -> dict[str, Any]:
        engine: Engine = app.state.engine
        whole = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
        _bound(whole, engine.limits.model_dump())
        for path, operations in whole["paths"].items():
            for operation in (operations[method] for method in METHODS if method in operations):
                _answers(operation, path, keyed)
        if keyed:
            whole["components"]["securitySchemes"] = {"key": KEY}
        for schema in ("HTTPValidationError", "ValidationError"):
            whole["components"]["schemas"].pop(schema, None)
        return whole

    return lambda: document(keyring is not None and keyring.asked)


def _answers(operation: dict[str, Any], path: str, keyed: bool) -> None:
    """FastAPI says 422 for a body that does not fit, where ours is OpenAI's 400."""
    operation["responses"].pop("422", None)
    needed = scope_of(path.replace("{name}", "name"))
    if keyed and needed:
        operation["security"] = [{"key": []}]
        operation["description"] = f"{operation.get('description', '')}\n\nKeys: {needed}."


def _bound(schema: Any, limits: dict[str, Any]) -> None:
    """A number's limit as its maximum; that of a text is in bytes, which JSON schema cannot say: as many characters."""
    if isinstance(schema, list):
        for each in schema:
            _bound(each, limits)
    elif isinstance(schema, dict):
        if isinstance(name := schema.pop(LIMIT, None), str):
            for each in (schema, *schema.get("anyOf", ())):
                _at_most(each, limits[name])
        for each in schema.values():
            _bound(each, limits)


def _at_most(schema: dict[str, Any], limit: int) -> None:
    kind = schema.get("type")
    if kind == "integer":
        schema["maximum"] = limit
        if "default" in schema:
            schema["default"] = min(schema["default"], limit)
    elif kind == "string":
        schema["maxLength"] = limit
    elif kind == "array":
        _at_most(schema.get("items", {}), limit)
