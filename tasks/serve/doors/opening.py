"""How a server is opened: to whom, under which names, within which limits. Made before it listens, or refused."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, unknown
from tasks.serve.doors.access import LOOPBACK
from tasks.serve.doors.access_log import log_to
from tasks.serve.doors.keys import Keyring, path_of
from tasks.serve.doors.limits import Limits
from tasks.stage.settings import Workspace
from tasks.stage.validation import validated


class Tls(BaseModel):
    """The files that a server shows who it is with."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    certificate: Path = Field(description="PEM, the chain of certificates too")
    key: Path = Field(description="PEM, without a password")


class Doors(NamedTuple):
    """What `create_app` takes of it, and the files for https."""

    options: dict[str, Any]
    tls: Tls | None = None

    @classmethod
    def of(
        cls,
        workspace: Workspace,
        host: str,
        limits: Sequence[str] = (),
        hosts: Sequence[str] = (),
        without_keys: bool = False,
        access_log: str | None = None,
        certificate: Path | None = None,
        key: Path | None = None,
    ) -> Doors:
        """`limits`: as `name=value`; `hosts`: beside the loopback's and `host`; `access_log`: a file, or `-` for stderr.

        Raises `BadInput` where other machines could ask without a key, and for limits and files that cannot be used.
        """
        from tasks.registry.promote import promote_version
        from tasks.use.feedback import FOLDER

        keyring, beyond = Keyring(path_of(workspace)), not _is_loopback(host)
        if beyond and not without_keys and not any(not each.revoked for each in keyring.keys.values()):
            hint = "make a key first: `aigc keys add NAME`, or say --without-keys"
            raise BadInput(f"--host {host}: every machine that reaches it could ask; {hint}")
        named = ("*",) if beyond and not hosts else (*LOOPBACK, host, *hosts)
        options: dict[str, Any] = {"limits": limits_of(limits), "hosts": tuple(name.lower() for name in named)}
        options |= {"keyring": None if without_keys else keyring, "promote": partial(promote_version, workspace)}
        options |= {"feedback": workspace.root / FOLDER}
        tls = tls_of(certificate, key)
        log_to(None if access_log == "-" else Path(access_log or workspace.state / "logs" / "access.jsonl"))
        return cls(options, tls)


def limits_of(given: Sequence[str]) -> Limits:
    """The limits that are named, the others as they are; raises `BadInput`."""
    values: dict[str, str] = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or name not in Limits.model_fields:
            raise unknown("limit", name, Limits.model_fields) if equals else BadInput(f"--limit {each}: write name=value")
        values[name] = value
    return validated(Limits, values, "--limit")


def tls_of(certificate: Path | None, key: Path | None) -> Tls | None:
    """The files, once they are a certificate and its key; raises `BadInput`."""
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        raise BadInput("https takes both --tls-cert and --tls-key")
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:  # an SSLError is an OSError
        raise BadInput(f"--tls-cert {certificate} --tls-key {key}: no certificate and its key in PEM: {error}") from error
    return Tls(certificate=certificate, key=key)


def _is_loopback(host: str) -> bool:
    """Whether only this machine reaches a socket that is bound to it."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:  # a name may mean anything
        return False
