"""What each family gives has the shape that stands in its signature, and so has all that passes its layers on the way."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps
from inspect import isfunction, signature
from types import ModuleType, NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

import numpy as np
import pytest
import torch
from jaxtyping import jaxtyped

from aigc_models.capabilities import PROTOCOLS, Fits, Learns, Shape, capabilities
from aigc_models.corpus import Batch, Corpus
from aigc_models.find import find, names
from aigc_models.forecasting import quantiles
from aigc_models.modalities import text
from aigc_models.outside import FAMILIES as OUTSIDE
from aigc_models.training.learner import batches_of
from aigc_models.training.randomness import seeded

WITHIN = ("aigc_models.layers", "aigc_models.forecasting")
METHODS = {
    "scores": "log_likelihood",
    "encodes": "embed",
    "classifies": "classify",
    "reconstructs": "reconstruct",
    "denoises": "denoise",
    "forecasts": "forecast",
    "generates": "generate",
    "assigns": "assign",
    "regresses": "regress",
    "recommends": "recommend",
    "matches": "match",
}
PAINTED = [name for name in names("aigc_models.families") if "image" in find("aigc_models.families", name).MODALITIES]
OF_SERIES = [name for name in names("aigc_models.families") if "series" in find("aigc_models.families", name).MODALITIES]
OF_HISTORIES = ["popularity", "transitions", "ease", "neighbours", "item_attention"]
OF_TEXT = [
    name
    for name in names("aigc_models.families")
    if "text" in find("aigc_models.families", name).MODALITIES and name not in OUTSIDE  # who need somebody to ask
]


def fits(value: Any, hint: Any) -> bool:
    """Whether a value has the shapes of a type hint; a hint without shapes takes anything."""
    if hasattr(hint, "dims") or hint is NoneType:
        return isinstance(value, hint)
    if isinstance(hint, UnionType):
        return any(fits(value, one) for one in get_args(hint))
    if get_origin(hint) is list:
        return all(fits(one, *get_args(hint)) for one in value)
    if hasattr(hint, "_fields"):
        with jaxtyped("context"):  # a record names its axes for itself
            return all(map(fits, value, get_type_hints(hint).values()))
    return not isinstance(value, tuple) or all(map(fits, value, get_args(hint)))


def held(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, which fails where an argument or what it gives has not the shape in its signature."""
    hints = get_type_hints(function, localns={"Format": Any})

    @wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        given = signature(function).bind(*args, **options).arguments
        with jaxtyped("context"):
            for name, value in given.items():
                assert fits(value, hints.get(name)), f"{function.__qualname__}: {name} is not {hints[name]}"
            answer = function(*args, **options)
            assert fits(answer, hints["return"]), f"{function.__qualname__} does not give {hints['return']}"
        return answer

    return call


def looked_up() -> Iterator[tuple[Any, str, Callable[..., Any]]]:
    """Each function and method of the layers and of forecasting, with the module or class in which it is looked up."""
    modules = [module for name, module in sys.modules.items() if name.startswith("aigc_models.")]
    owners = {one for module in modules for one in (module, *vars(module).values()) if isinstance(one, (type, ModuleType))}
    for owner in owners:
        for name, one in vars(owner).items():
            if isfunction(one) and one.__module__.startswith(WITHIN) and not name.startswith("__"):
                yield owner, name, one


@pytest.fixture(autouse=True)
def shapes_are_held(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in names("aigc_models.families"):
        find("aigc_models.families", name)
    for owner, name, function in list(looked_up()):
        monkeypatch.setattr(owner, name, held(function))


def test_another_shape_is_noticed() -> None:
    with pytest.raises(AssertionError, match="crps: target is not"):
        quantiles.crps(torch.zeros(2, 1, 6, 3), torch.zeros(2, 1, 5), torch.tensor([0.1, 0.5, 0.9]))


def texts() -> tuple[Corpus, Shape]:
    form, letters = text.Format(length=16), np.random.default_rng(0).choice(list("abcd"), (40, 11))
    values = text.encode(["".join(row) for row in letters], form)
    return Corpus("text", values, np.arange(40, dtype=np.int64) % 2), Shape("text", ("a", "b"), form)


def arguments(capability: str, model: Any, batch: Batch, context: int) -> tuple[tuple[Any, ...], dict[str, Any]]:
    seeds, series = torch.arange(len(batch)), batch.values.ndim == 3 and context
    past = batch.values[..., :context]
    calls: dict[str, tuple[Any, ...]] = {
        "reconstructs": (batch.values,),
        "denoises": (past if series else batch.values, batch.conditions, 0.1),
        "forecasts": (past, batch.conditions, torch.tensor([0.1, 0.5, 0.9])),
        "generates": (batch.conditions, seeds),
        "matches": (batch, batch.part(slice(0, 4))),
    }
    return calls.get(capability, (batch,)), {"past": past} if series and capability == "generates" else {}


def check(name: str, train: Corpus, shape: Shape) -> None:
    family = find("aigc_models.families", name)
    if name == "constant":  # of other tasks it says nothing
        shape, train = replace(shape, task="regress"), replace(train, targets=np.zeros((len(train), 1), np.float32))
    with seeded(0):
        model = family.build(family.SIZES["debug"], shape)
        if isinstance(model, Fits):
            model.fit(train, train, lambda *args, **figures: None)
        if isinstance(model, Learns):
            for player in model.players():
                player.loss(batches_of(model, train, 6, 0)(0))
        batch, context = train.batch(np.arange(6)), getattr(shape.format, "context", 0)
        methods = {METHODS[each]: each for each in capabilities(model) if each in METHODS}
        assert methods or "streams" in capabilities(model) or name.startswith("masked")
        for method, capability in methods.items():
            expected = get_type_hints(getattr(type(model), method))["return"]
            assert hasattr(expected, "dims"), f"{name}.{method} states no shape"
            given, options = arguments(capability, model, batch, context)
            with torch.no_grad():
                values = getattr(model, method)(*given, **options)
            assert isinstance(values, expected), f"{name}.{method} gives {tuple(values.shape)}, not {expected}"
            stated = get_type_hints(getattr(PROTOCOLS[capability], method))["return"]
            assert isinstance(values, stated), f"{method} of {PROTOCOLS[capability]} is {stated}, {name} gives {values.shape}"


@pytest.mark.parametrize("name", PAINTED)
def test_of_pictures(name: str, digits: Any) -> None:
    check(name, digits.train.take(np.arange(200)), digits.shape)


@pytest.mark.parametrize("name", OF_SERIES)
def test_of_series(name: str, waves: Any) -> None:
    check(name, waves.train.take(np.arange(120)), waves.shape)


@pytest.mark.parametrize("name", OF_TEXT)
def test_of_texts(name: str) -> None:
    check(name, *texts())


@pytest.mark.parametrize("name", OF_HISTORIES)
def test_of_histories(name: str, strolls: Any) -> None:
    check(name, strolls.train, strolls.shape)
