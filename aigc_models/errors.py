"""What can go wrong, as one small tree of exceptions."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class AigcError(Exception):
    """Something failed; the message says what. The command line ends with status 1."""


class BadInput(AigcError):
    """The user can mend it; the message says what, where and what to do. Status 2."""


class Unreadable(AigcError):
    """One item cannot be used; the message is the reason that goes into the quarantine."""


class Unreachable(AigcError):
    """Something outside did not answer, or not to the end; it may the next time."""


CANNOT = " cannot be read: "


def unusable(name: str, problem: str) -> str:
    """The name of an item that has no content since its source could not read it."""
    return f"{name}{CANNOT}{problem}"


def no_content(name: str) -> Unreadable:
    """Why an item has none: what its source gave as `unusable`, or that there are no bytes.

    >>> str(no_content(unusable("a.csv row 3", "has 2 cells"))), str(no_content("a.txt"))
    ('has 2 cells', 'zero bytes')
    """
    _, _, problem = name.partition(CANNOT)
    return Unreadable(problem or "zero bytes")


class Damaged(AigcError):
    """A file is not what its digest says: a checkpoint, a bundle, a cached output."""


def unknown(kind: str, name: str, choices: Iterable[str]) -> BadInput:
    """A `BadInput` that names the nearest of `choices`.

    >>> str(unknown("family", "gna", ["gan", "vae"]))
    "unknown family 'gna'; did you mean 'gan'? known: gan, vae"
    """
    names = sorted(choices)
    near = get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return BadInput(f"unknown {kind} {name!r}{hint} known: {', '.join(names) or 'none'}")
