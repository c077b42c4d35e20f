"""One file behind a URL, asked for only if it changed: http and https by httpx, all else by fsspec."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_models.errors import BadInput

if TYPE_CHECKING:
    import httpx

CHUNK = 1 << 20  # bytes
PATIENCE = 30.0  # seconds without an answer
UNCHANGED = 304


class Unreachable(Exception):
    """Nobody answered, or not to the end."""


@dataclass(frozen=True)
class Answer:
    """What there is: its bytes, how many are promised, and what tells later whether it changed."""

    chunks: Iterator[bytes]
    size: int | None
    etag: str = ""
    last_modified: str = ""


@contextmanager
def opened(url: str, name: str, etag: str = "", last_modified: str = "") -> Iterator[Answer | None]:
    """The file, or None if it is still the one that `etag` and `last_modified` tell of; messages call it `name`.

    Raises `Unreachable`, and `BadInput` where the answer is no.
    """
    way = _http if url.lower().startswith(("http://", "https://")) else _other
    with way(url, name, etag, last_modified) as answer:
        yield answer


@contextmanager
def _http(url: str, name: str, etag: str, last_modified: str) -> Iterator[Answer | None]:
    import httpx

    asked = {"If-None-Match": etag, "If-Modified-Since": last_modified, "Accept-Encoding": "identity"}
    headers = {key: value for key, value in asked.items() if value}
    try:
        with (
            httpx.Client(follow_redirects=True, timeout=PATIENCE, auth=_netrc()) as client,
            client.stream("GET", url, headers=headers) as response,
        ):
            yield None if response.status_code == UNCHANGED and (etag or last_modified) else _answer(response, name)
    except httpx.InvalidURL as error:
        raise BadInput(f"{name} is not a URL: {error}") from error
    except httpx.HTTPError as error:
        raise Unreachable(str(error) or type(error).__name__) from error


def _netrc() -> httpx.NetRCAuth | None:
    """User and password by host, from `~/.netrc` or the file that NETRC names."""
    import httpx

    file = Path(os.environ.get("NETRC") or "~/.netrc").expanduser()
    return httpx.NetRCAuth(str(file)) if file.is_file() else None


def _answer(response: httpx.Response, name: str) -> Answer:
    if not response.is_success:
        raise BadInput(f"{name} answers {response.status_code} {response.reason_phrase}; check the address and who may read it")
    head = response.headers
    plain = head.get("Content-Encoding", "identity") == "identity"
    size = head.get("Content-Length", "") if plain else ""
    chunks = response.iter_bytes(CHUNK)
    return Answer(chunks, int(size) if size.isdigit() else None, head.get("ETag", ""), head.get("Last-Modified", ""))


@contextmanager
def _other(url: str, name: str, etag: str, last_modified: str) -> Iterator[Answer | None]:
    """What fsspec's checksum of the file's entry says stands for the ETag."""
    system, path, info = _looked_up(url, name)
    if info.get("type") == "directory":
        raise BadInput(f"{name} is a folder; name one file in it")
    told = str(system.checksum(path))
    if told == etag:
        yield None
        return
    try:
        with system.open(path, "rb", block_size=CHUNK) as handle:
            yield Answer(iter(lambda: handle.read(CHUNK), b""), info.get("size"), told)
    except PermissionError as error:
        raise BadInput(f"{name} may not be read: {error}") from error


def _looked_up(url: str, name: str) -> tuple[Any, str, dict[str, Any]]:
    from fsspec.core import url_to_fs

    try:
        system, path = url_to_fs(url)
        system.invalidate_cache()
        return system, path, system.info(path)
    except (ImportError, ValueError) as error:
        raise BadInput(f"{name} cannot be opened: {error}") from error
    except FileNotFoundError as error:
        raise BadInput(f"{name} does not exist") from error
    except PermissionError as error:
        raise BadInput(f"{name} may not be read: {error}") from error
    except OSError as error:
        raise Unreachable(str(error) or type(error).__name__) from error
