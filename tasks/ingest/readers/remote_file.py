"""One file behind a URL, asked for only if it changed: http and https by httpx, all else by fsspec.

An object store is asked as its own tools are, with credentials and address from its usual places: for S3 the variables
AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_PROFILE, AWS_ENDPOINT_URL (of a server that is not Amazon's) or ~/.aws.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from aigc_models.errors import BadInput, Unreachable

if TYPE_CHECKING:
    import httpx

CHUNK = 1 << 20  # bytes
PATIENCE = 30.0  # seconds without an answer
UNCHANGED = 304
BUSY = 429
EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gs", "gcs": "gs"}  # by the scheme of a URL


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
    if response.is_server_error or response.status_code == BUSY:
        raise Unreachable(f"it answers {response.status_code} {response.reason_phrase}")
    if not response.is_success:
        raise BadInput(f"{name} answers {response.status_code} {response.reason_phrase}; check the address and who may read it")
    head = response.headers
    plain = head.get("Content-Encoding", "identity") == "identity"
    size = head.get("Content-Length", "") if plain else ""
    chunks = response.iter_bytes(CHUNK)
    return Answer(chunks, int(size) if size.isdigit() else None, head.get("ETag", ""), head.get("Last-Modified", ""))


@contextmanager
def _other(url: str, name: str, etag: str, last_modified: str) -> Iterator[Answer | None]:
    """What fsspec's checksum of the file's entry says (of S3 its ETag) stands for the ETag."""
    from fsspec.core import url_to_fs

    with _access_errors(name, url):
        system, path = url_to_fs(url)
        system.invalidate_cache()
        info = system.info(path)
        checksum = str(system.checksum(path))
        missing = checksum != etag and info.get("type") != "directory"
        handle = system.open(path, "rb", block_size=CHUNK) if missing else None
    if info.get("type") == "directory":
        raise BadInput(f"{name} is a folder; name one file in it")
    if handle is None:
        yield None
        return
    with handle:
        yield Answer(_chunks(handle, name, url), info.get("size"), checksum)


def _chunks(handle: IO[bytes], name: str, url: str) -> Iterator[bytes]:
    with _access_errors(name, url):
        yield from iter(lambda: handle.read(CHUNK), b"")


@contextmanager
def _access_errors(name: str, url: str) -> Iterator[None]:
    """What a file system raises as `BadInput` where its answer is no, else as `Unreachable`."""
    try:
        yield
    except FileNotFoundError as error:
        raise BadInput(f"{name} does not exist") from error
    except PermissionError as error:
        raise BadInput(f"{name} may not be read: {error}") from error
    except (ImportError, ValueError) as error:
        extra = EXTRAS.get(url.partition("://")[0].lower())
        advice = f"; `pip install 'aigc-foundry[{extra}]'`" if extra and isinstance(error, ImportError) else ""
        raise BadInput(f"{name} cannot be opened: {error}{advice}") from error
    except Exception as error:  # each kind of storage fails in its own way, and few of these are an OSError
        raise Unreachable(str(error) or type(error).__name__) from error
