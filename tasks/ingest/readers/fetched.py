"""Files from elsewhere, once each: `.aigc/fetched/KEY/` holds the file and a lock, which says what it is a copy of.

`KEY` is a digest of the URL. A file that did not change there is not downloaded again; one that did takes the place of the
old one as a whole or not at all. The lock's URL is without its query and user, where secrets stand.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.ingest.readers import remote_file
from tasks.ingest.readers.notices import say
from tasks.ingest.readers.remote_file import Answer, Unreachable
from tasks.ingest.readers.rows import digest
from tasks.stage.owner import locked
from tasks.stage.settings import Workspace

LIMIT = 20_000_000_000  # bytes of a file
EVERY = 5.0  # seconds between two lines of progress


class Lock(BaseModel):
    """What a local copy is a copy of."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str
    sha256: str
    etag: str = ""
    last_modified: str = ""
    size: int
    fetched: str = Field(description="when it was downloaded (UTC)")


def shown(url: str) -> str:
    """Without query, fragment and user, where secrets stand.

    >>> shown("https://me@example.org:8000/a.csv?token=1")
    'https://example.org:8000/a.csv'
    """
    parts = urlsplit(url)
    return (
        urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")) if parts.netloc else url.split("?")[0]
    )


def local(url: str, pinned: str | None = None, limit: int = LIMIT) -> Path:
    """The copy that lies here, whatever became of the original since; fetched if there is none. Raises as `current`."""
    path, lock = _place(url) / _name(url), _lock(url)
    usable = lock and path.is_file() and pinned in (None, lock.sha256)
    return path if usable else current(url, pinned, limit)


def current(url: str, pinned: str | None = None, limit: int = LIMIT) -> Path:
    """The file as it is at `url` now; the network is not asked for one that is pinned and lies here.

    Raises `BadInput` where it cannot be had, is larger than `limit` bytes, or is not what `pinned` (sha256) says; then
    nothing of it is kept. Where the original cannot be reached, the copy that lies here is taken, with a message.
    """
    path = _place(url) / _name(url)
    with locked(Workspace.current().create(), f"fetch-{_key(url)}"):
        lock = _lock(url)
        whole = lock is not None and path.is_file() and digest(path) == lock.sha256
        if lock and whole and pinned == lock.sha256:
            return path
        try:
            _update(url, path, lock if whole and pinned is None else None, pinned, limit)
        except Unreachable as error:
            if not (lock and whole and pinned is None):
                raise BadInput(f"cannot reach {shown(url)}: {error}") from error
            say(f"cannot reach {shown(url)} ({error}): the copy of {lock.fetched} is used")
    return path


def _update(url: str, path: Path, previous: Lock | None, pinned: str | None, limit: int) -> None:
    validators = (previous.etag, previous.last_modified) if previous else ("", "")
    with remote_file.opened(_filled(url), shown(url), *validators) as answer:
        if answer is None:
            return
        lock = _download(url, answer, path, pinned, limit)
    if previous and previous.sha256 != lock.sha256:
        say(f"{shown(url)} changed since {previous.fetched}: {previous.sha256[:12]} became {lock.sha256[:12]}")


def _filled(url: str) -> str:
    """With what the environment says for each `${NAME}`; only the request itself ever holds it."""

    def value(match: re.Match[str]) -> str:
        if match[1] not in os.environ:
            raise BadInput(f"{shown(url)} needs the environment variable {match[1]}, which is not set")
        return os.environ[match[1]]

    return re.sub(r"\$\{(\w+)\}", value, url)


def _download(url: str, answer: Answer, path: Path, pinned: str | None, limit: int) -> Lock:
    """Into a file of its own that takes the place of `path` only when it is whole and what it should be."""
    _refuse_larger(url, answer.size or 0, limit)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.parent / f".{uuid.uuid4().hex[:8]}.part"
    try:
        size, sha256 = _write_chunks(part, _watched(url, answer, limit))
        if pinned and sha256 != pinned:
            raise BadInput(f"{shown(url)} has the sha256 {sha256}, expected is {pinned}; nothing of it was kept")
        now = datetime.now(UTC).isoformat(timespec="seconds")
        lock = Lock(url=shown(url), sha256=sha256, etag=answer.etag, last_modified=answer.last_modified, size=size, fetched=now)
        _lock_file(url).unlink(missing_ok=True)  # a kill between the two leaves a file without a lock: it is fetched anew
        os.replace(part, path)
        part.write_text(lock.model_dump_json(indent=1))
        os.replace(part, _lock_file(url))
    finally:
        part.unlink(missing_ok=True)
    return lock


def _write_chunks(part: Path, chunks: Iterable[bytes]) -> tuple[int, str]:
    whole, size = hashlib.sha256(), 0
    with part.open("wb") as handle:
        for chunk in chunks:
            handle.write(chunk)
            whole.update(chunk)
            size += len(chunk)
        handle.flush()
        os.fsync(handle.fileno())
    return size, whole.hexdigest()


def _watched(url: str, answer: Answer, limit: int) -> Iterator[bytes]:
    """Pass the bytes on, say how far it is, and refuse what grows beyond the limit."""
    size, last = 0, time.monotonic()
    of = f" of {answer.size / 1e6:,.1f}" if answer.size else ""
    for chunk in answer.chunks:
        size += len(chunk)
        _refuse_larger(url, size, limit)
        if time.monotonic() - last > EVERY:
            last = time.monotonic()
            say(f"fetching {shown(url)}: {size / 1e6:,.1f}{of} MB")
        yield chunk
    say(f"fetched {shown(url)}: {size / 1e6:,.1f} MB")


def _refuse_larger(url: str, size: int, limit: int) -> None:
    if size > limit:
        raise BadInput(f"{shown(url)} has more than {limit:,} bytes, which is the limit; raise it with --option limit=BYTES")


def _key(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()[:16]


def _place(url: str) -> Path:
    return Workspace.current().state / "fetched" / _key(url)


def _lock_file(url: str) -> Path:
    return _place(url) / ".lock.json"


def _lock(url: str) -> Lock | None:
    file = _lock_file(url)
    return Lock.model_validate_json(file.read_text()) if file.is_file() else None


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError as error:
        raise BadInput(f"the location is not a URL: {error}") from error


def _name(url: str) -> str:
    """The file's name, with the suffix by which it is read."""
    last = unquote(_split(url).path).rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[^\w.-]", "_", last)[-100:].lstrip(".") or "content"
