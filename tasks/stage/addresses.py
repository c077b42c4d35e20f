"""Addresses as they may be shown and stored: without users, passwords and keys.

A connection is made with the whole address; what goes into a report, a database, a log or a message goes through
`without_secrets` first.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

HIDDEN = "***"
# Parameters of an address that open a door, by their names.
KEYS = (
    r"[^=&#\s]*(?:token|secret|signature|credential|password|passwd|pwd|api[-_]?key|access[-_]?key(?:[-_]?id)?"
    r"|subscription[-_]?key)|sig|key|auth"
)
FILLED_IN = r"\$\{\w+\}"  # stands for a value of the environment, and is none
_PARAMETER = re.compile(rf"([?&#](?:{KEYS})=)(?!{FILLED_IN}(?:[&#\s]|$))[^&#\s\"'<>]+", re.IGNORECASE)
_SCHEME = r"[a-z][\w+.-]{0,20}://"
_ADDRESS = re.compile(rf"{_SCHEME}(?:(?!{_SCHEME})[^\s\"<>])+", re.IGNORECASE)  # up to where another begins


def without_secrets(text: str) -> str:
    """A text whose addresses have lost their user and password, and the values of their keys.

    >>> without_secrets("http://me:secret@mlflow.example/#/runs/1 and s3.example/a?X-Amz-Signature=0f1e&part=2")
    'http://mlflow.example/#/runs/1 and s3.example/a?X-Amz-Signature=***&part=2'
    """
    shown = _PARAMETER.sub(rf"\1{HIDDEN}", text) if "=" in text else text
    return _ADDRESS.sub(_without_user, shown) if "://" in shown else shown


def _without_user(match: re.Match[str]) -> str:
    address = match[0]
    try:
        parts = urlsplit(address)
        assert parts.port is None or parts.port >= 0  # asking for it is what finds out
    except ValueError:  # the password has characters that would have to be escaped, such as a slash
        scheme, _, rest = address.partition("://")
        return f"{scheme}://{rest.rpartition('@')[2]}"
    user, at, _ = parts.netloc.rpartition("@")
    return address.replace(f"{user}{at}", "", 1) if at else address


def holds_secret(address: str) -> bool:
    """Whether a URL has a password or a key in it; a user's name alone is none."""
    try:
        password = urlsplit(address).password
    except ValueError:
        return True
    return password is not None or _PARAMETER.search(address) is not None


def clean(error: BaseException) -> None:
    """Take the secrets out of an error's texts, and out of those of the errors that led to it; it stays the same error.

    Prefect keeps the message of an error that ends a flow, and its log the traceback.
    """
    seen: set[int] = set()
    left: list[BaseException | None] = [error]
    while left:
        current = left.pop()
        if current is None or id(current) in seen:
            continue
        seen.add(id(current))
        if current.args != (args := tuple(map(_shown, current.args))):
            current.args = args
        if isinstance(message := getattr(current, "message", None), str) and message != without_secrets(message):
            current.message = without_secrets(message)  # type: ignore[attr-defined]  # of MLflow's and others
        left += [current.__cause__, current.__context__]


def _shown(value: Any) -> Any:
    """Itself, unless its text shows a secret."""
    text = str(value)
    return value if (shown := without_secrets(text)) == text else shown


@contextmanager
def clean_errors() -> Iterator[None]:
    """What is raised within the block leaves it without secrets."""
    try:
        yield
    except BaseException as error:
        clean(error)
        raise


def clean_logs() -> None:
    """From now on no record of any log holds a secret; once a process."""
    before = logging.getLogRecordFactory()
    if not isinstance(before, _Records):
        logging.setLogRecordFactory(_Records(before))


class _Records:
    """Makes records of logs as `make` does."""

    def __init__(self, make: Callable[..., logging.LogRecord]) -> None:
        self.make = make

    def __call__(self, *args: Any, **kwargs: Any) -> logging.LogRecord:
        record = self.make(*args, **kwargs)
        record.msg = _shown(record.msg)
        if isinstance(record.args, tuple):
            record.args = tuple(map(_shown, record.args))
        if record.exc_info and record.exc_info[1]:
            clean(record.exc_info[1])
        return record
