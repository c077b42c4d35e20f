"""Who answers for an ensemble: it itself, or a member that has the capability."""

from __future__ import annotations

from typing import Any, NamedTuple

from aigc_models.capabilities import PROTOCOLS, Outside


class Able(NamedTuple):
    """A model with a capability; `name` is a member's, or empty where the model itself answers."""

    name: str
    model: Any


def able(model: Any, protocol: type) -> Able | None:
    """`model` itself, or of its members that have the capability the one with the largest weight; None: nobody has it."""
    if isinstance(model, protocol):
        return Able("", model)
    answers = [(name, able(member, protocol)) for name, member in getattr(model, "members", {}).items()]
    who = [Able(name, answer.model) for name, answer in answers if answer]
    return max(who, key=lambda one: getattr(model, "weights", {}).get(one.name, 0.0), default=None)


def abilities(model: Any) -> tuple[str, ...]:
    """The names of what `model` or one of its members can do, such as `("generates", "classifies")`.

    `streams` and `generates` are an ensemble's own or nobody's: one member's items are not the ensemble's.
    """
    direct = {"streams", "generates", "scores"}
    return tuple(
        name
        for name, protocol in PROTOCOLS.items()
        if (isinstance(model, protocol) if name in direct else able(model, protocol) is not None)
    )


def outside(model: Any, name: str = "") -> dict[str, Outside]:
    """The models among `model` and its members that lie elsewhere, by their names; `name`: that of `model` itself."""
    if isinstance(model, Outside):
        return {name: model}
    members = getattr(model, "members", {})
    return {inner: one for member in members for inner, one in outside(members[member], member).items()}
