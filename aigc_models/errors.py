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


class Damaged(AigcError):
    """A file is not what its digest says: a checkpoint, a bundle, a cached output."""


def unknown(kind: str, name: str, known: Iterable[str]) -> BadInput:
    """A `BadInput` that names the nearest of `known`.

    >>> str(unknown("family", "gna", ["gan", "vae"]))
    "unknown family 'gna'; did you mean 'gan'? known: gan, vae"
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ";"
    return BadInput(f"unknown {kind} {name!r}{hint} known: {', '.join(names) or 'none'}")
