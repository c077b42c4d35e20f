"""What can go wrong, as one small tree of exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any

NAMES = 60  # that a message lists
SHOWN = 60  # characters of a wrong value
ALONE = {"missing": "is missing", "extra_forbidden": "is unknown"}  # whatever the value
NEEDED = {  # what pydantic's kinds of errors begin with
    "int": "a whole number",
    "float": "a number",
    "bool": "true or false",
    "string": "a text",
    "tuple": "a list",
    "list": "a list",
    "dict": "a mapping of fields",
    "model": "a mapping of fields",
}


class AigcError(Exception):
    """Something failed; the message says what. The command line ends with status 1."""


class BadInput(AigcError):
    """The user can mend it; the message says what, where and what to do. Status 2."""


class Unreadable(AigcError):
    """One item cannot be used; the message is the reason that goes into the quarantine."""


class Unreachable(AigcError):
    """Something outside did not answer, not to the end, or not in sense; it may the next time."""


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
    more = f" and {len(names) - NAMES:,} more" if len(names) > NAMES else ""
    return BadInput(f"unknown {kind} {name!r}{hint} known: {', '.join(names[:NAMES]) or 'none'}{more}")


def fault(problem: Mapping[str, Any]) -> str:
    """What is wrong with a value, in a few words, from an entry of pydantic's `ValidationError.errors()`.

    >>> fault({"type": "int_parsing", "msg": "Input should be a valid integer", "input": "many"})
    "needs a whole number (given: 'many')"
    """
    kind, value, context = problem["type"], problem.get("input"), problem.get("ctx", {})
    if kind in ALONE:
        return ALONE[kind]
    if kind == "json_invalid":
        return str(problem["msg"])
    if kind == "too_short":
        return f"is too short: it needs {context['min_length']} or more (given: {context['actual_length']})"
    first, _, rest = kind.partition("_")
    message = problem["msg"].removeprefix("Value error, ")
    if first in NEEDED and rest in {"type", "parsing", "from_float", "attributes_type"}:
        text = f"needs {NEEDED[first]}"
    else:
        text = re.sub(r"^Input should be", "has to be", message)
        text = text[:1].lower() + text[1:]
    near = get_close_matches(str(value), re.findall(r"'([^']*)'", str(context.get("expected", ""))), n=1)
    return f"{text} (given: {shortened(value)}{f'; did you mean {near[0]!r}?' if near else ''})"


def shortened(value: object) -> str:
    """A value as a message shows it: of a collection its kind alone.

    >>> shortened({"a": 1}), shortened([1]), shortened("x" * 9)
    ('a mapping', 'a list', "'xxxxxxxxx'")
    """
    if isinstance(value, (list, tuple, set, frozenset)):
        return "a list"
    text = repr(value)
    if isinstance(value, Mapping) or hasattr(value, "model_fields"):
        return "a mapping"
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."
