"""API keys: who may ask a server of this workspace, and for what. A key is shown once; what is kept is its digest.

A key is `aigc-ID-SECRET`, the secret 256 random bits, so that a plain sha256 of it is no easier to guess than the secret.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from aigc_models.errors import BadInput, Damaged, unknown
from tasks.stage.owner import locked
from tasks.stage.settings import Workspace, allowed

Scope = Literal["generate", "promote", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)


class Key(BaseModel):
    """What is kept of a key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(description="its public part")
    name: str = Field(description="whose it is, or what for")
    scopes: tuple[Scope, ...] = Field(description="generate: ask models; promote: move champions; admin: everything")
    rate: int | None = Field(None, ge=1, description="requests a minute; none: the server's own limit")
    created: str = Field(description="when, in UTC")
    revoked: str | None = Field(None, description="when; none: it is good")
    sha256: str = Field(description="of the whole key")

    def allows(self, scope: Scope) -> bool:
        return scope in self.scopes or "admin" in self.scopes


KEYS = TypeAdapter(tuple[Key, ...])


def path_of(workspace: Workspace) -> Path:
    """Where the keys of a workspace are kept."""
    return workspace.state / "keys.json"


def read(path: Path) -> tuple[Key, ...]:
    """All keys, the revoked ones too; none where there is no file. Raises `Damaged` where it is no list of keys."""
    try:
        return KEYS.validate_json(path.read_bytes())
    except FileNotFoundError:
        return ()
    except (OSError, ValidationError) as error:
        raise Damaged(f"{path} holds no list of keys; restore it, or move it away and make new keys") from error


def add(workspace: Workspace, name: str, scopes: Sequence[str] = ("generate",), rate: int | None = None) -> tuple[Key, str]:
    """A new key and its text, which nobody can be shown again; raises `BadInput` for a name that is in use or a scope."""
    for scope in scopes:
        if scope not in SCOPES:
            raise unknown("scope", scope, SCOPES)
    number = secrets.token_hex(4)
    text = f"aigc-{number}-{secrets.token_urlsafe(32)}"
    fields = {"id": number, "name": name, "scopes": tuple(dict.fromkeys(scopes)), "rate": rate}
    key = Key.model_validate({**fields, "created": _now(), "sha256": _digest(text)})
    with locked(workspace, "keys"):
        keys = read(path_of(workspace))
        if any(each.name == name and not each.revoked for each in keys):
            raise BadInput(f"there is a key {name!r} already; revoke it first, or choose another name")
        _write(path_of(workspace), (*keys, key))
    return key, text


def revoke(workspace: Workspace, name: str) -> Key:
    """Take back the key with this name or id, at once also in servers that run; raises `BadInput` where there is none."""
    with locked(workspace, "keys"):
        keys = read(path_of(workspace))
        good = {key.id: key for key in keys if not key.revoked and name in (key.id, key.name)}
        if not good:
            raise unknown("key", name, [key.name for key in keys if not key.revoked])
        revoked = {number: key.model_copy(update={"revoked": _now()}) for number, key in good.items()}
        _write(path_of(workspace), [revoked.get(key.id, key) for key in keys])
    return next(iter(revoked.values()))


class Keyring:
    """The keys of a file, read again whenever it has changed."""

    def __init__(self, path: Path) -> None:
        self._path, self._stamp = path, (0, 0, 0)
        self._keys: dict[str, Key] = {}

    @property
    def keys(self) -> dict[str, Key]:
        """By id, the revoked ones too; empty: none was ever made. Raises `Damaged`."""
        try:
            status = self._path.stat()
        except FileNotFoundError:
            self._stamp, self._keys = (0, 0, 0), {}
            return self._keys
        stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
        if stamp != self._stamp:
            self._keys = {key.id: key for key in read(self._path)}
            self._stamp = stamp
        return self._keys

    @property
    def asked(self) -> bool:
        """Whether keys are asked for: once one was made, or where nobody can say whether one was."""
        try:
            return bool(self.keys)
        except Damaged:
            return True

    def match(self, text: str) -> Key | None:
        """The good key that `text` is; which part of it is wrong cannot be told from the time that this takes."""
        number = text.split("-")[1] if text.count("-") >= 2 else ""
        key = self.keys.get(number)
        same = secrets.compare_digest(_digest(text), key.sha256 if key else _digest(""))
        return key if key and same and not key.revoked else None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _write(path: Path, keys: Sequence[Key]) -> None:
    """Whole or not at all, for its owner's eyes alone."""
    unfinished = path.with_suffix(".tmp")
    with allowed(path):
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump([key.model_dump(mode="json") for key in keys], file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
