"""Each candidate of an evaluation asked once about the same items, whatever it is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray
from torch import Tensor


@runtime_checkable
class Pools(Protocol):
    """An ensemble whose answers are a function of its members'."""

    @property
    def asked(self) -> tuple[str, ...]:
        """The members that it needs."""

    def combined(self, parts: Mapping[str, Tensor]) -> Tensor:
        """Its answers, item first, from theirs."""


def asked(
    models: Mapping[str, Any],
    say: Callable[[Any], Tensor],
    combined: frozenset[str] = frozenset(),
    progress: Callable[..., None] = lambda *args: None,
) -> dict[str, NDArray[np.float64]]:
    """What `say(model)` gives for each candidate, float64 with the item first; one and the same model is asked once.

    A candidate that is `combined` of others is not asked where theirs serve.
    """
    origins = {name: next(first for first, other in models.items() if other is model) for name, model in models.items()}
    distinct = dict.fromkeys(origins.values())
    pools = {
        name: m
        for name in distinct
        if name in combined and isinstance(m := models[name], Pools) and set(m.asked) <= set(models)
    }
    said: dict[str, Tensor] = {}
    for name in (name for name in distinct if name not in pools):
        said[name] = say(models[name])
        progress(len(said), len(distinct))
    for name, pool in pools.items():
        said[name] = pool.combined({member: said[origins[member]] for member in pool.asked}).double()
    return {name: said[origin].numpy() for name, origin in origins.items()}
