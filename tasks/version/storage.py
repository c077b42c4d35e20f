"""The file system behind a remote of DVC, asked with what DVC's configuration says of it."""

from __future__ import annotations

from typing import Any

S3 = {"profile": "profile", "access_key_id": "key", "secret_access_key": "secret", "session_token": "token"}
S3_CLIENT = {"endpointurl": "endpoint_url", "region": "region_name"}


def storage_of(url: str, options: dict[str, str]) -> tuple[Any, str]:
    """fsspec's file system and the path in it; nothing that was listed before is believed.

    Raises `ImportError` where the file system's package is missing.
    """
    from fsspec.core import url_to_fs

    storage, root = url_to_fs(url, **(_of_s3(options) if url.startswith("s3://") else {}))
    storage.invalidate_cache()
    return storage, root


def _of_s3(options: dict[str, str]) -> dict[str, Any]:
    """DVC's options as parameters of s3fs; what is not set, such as credentials, is taken from where Amazon's tools look.

    >>> _of_s3({"url": "s3://bucket", "endpointurl": "http://127.0.0.1:9000", "profile": "team"})
    {'profile': 'team', 'client_kwargs': {'endpoint_url': 'http://127.0.0.1:9000'}}
    """
    client = {parameter: options[option] for option, parameter in S3_CLIENT.items() if option in options}
    named = {parameter: options[option] for option, parameter in S3.items() if option in options}
    return {**named, **({"client_kwargs": client} if client else {})}
