"""How models that a library keeps are opened: this package imports none, so whoever has one enters what opens them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from aigc_models.errors import BadInput


class Predicted(NamedTuple):
    """What a model made of texts: `names` of the columns of `values` float (text, name), or none, and a name each."""

    names: tuple[str, ...]
    values: Any


Predict = Callable[[Sequence[str]], Predicted]
Opener = Callable[[str, str, str], Predict]  # of a model's address, its digest (empty: any) and the column that texts stand in
_openers: dict[str, Opener] = {}


def enter(kind: str, opener: Opener) -> None:
    """From now on `opener` opens models of this kind."""
    _openers[kind] = opener


def opener(kind: str) -> Opener:
    """Raises `BadInput` where nobody entered one."""
    if kind not in _openers:
        raise BadInput(f"a model of kind {kind} is opened by the package `tasks`: import it first")
    return _openers[kind]
