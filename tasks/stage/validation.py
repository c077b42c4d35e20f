"""Pydantic's errors in the user's words: the field, what is wrong with it, the nearest name."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from itertools import takewhile
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from aigc_models.errors import BadInput, fault

Model = TypeVar("Model", bound=BaseModel)
Place = tuple[int | str, ...]
MOST = 4  # problems of one input that are named; the rest are counted


class Problem(NamedTuple):
    """Where in the input, as names of fields and numbers of a list's items, and what is wrong there."""

    place: Place
    text: str


def validated(model: type[Model], values: object, where: str) -> Model:
    """`model` from plain values; raises `BadInput` that names the field, the value and what fits."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise bad_input(error, model, where) from error


def bad_input(error: ValidationError, model: type[BaseModel], where: str | Callable[[Place], str]) -> BadInput:
    """The same as a `BadInput`: a line a field, five at most. `where` begins each, or says with what each begins."""
    lines = [f"{where(one.place) if callable(where) else where}: {one.text}" for one in problems(error, model)]
    more = [f"and {len(lines) - MOST} more"] if len(lines) > MOST else []
    return BadInput("\n".join([*lines[:MOST], *more]))


def problems(error: ValidationError, model: type[BaseModel]) -> list[Problem]:
    """What is wrong, each cause once: not what only follows from it, nor what the other types of a union say of it."""
    entries = [(_place(model, entry), entry) for entry in error.errors()]
    places = {place for place, _ in entries}
    causes = [one for one in entries if not any(other[: len(one[0])] == one[0] != other for other in places)]
    nearest = {
        (*place[:-1], near[0])  # who has mistyped a name that is needed has not left it out
        for place, entry in causes
        if entry["type"] == "extra_forbidden" and (near := _near(str(place[-1]), fields_at(model, place[:-1])))
    }
    texts: dict[Place, str] = {}
    for place, entry in sorted(causes, key=lambda one: one[1]["type"].endswith("_type")):  # what is nearest to right first
        if entry["type"] == "extra_forbidden":
            texts[place] = _unknown(model, place, entry["input"])
        elif place not in texts and not (entry["type"] == "missing" and place in nearest):
            texts[place] = f"{'.'.join(map(str, place)) or 'the whole'}: {fault(entry)}"
            if entry["type"] == "model_type" and (fields := fields_at(model, place)):
                texts[place] += f"; known: {', '.join(fields)}"
    return [Problem(place, text) for place, text in texts.items()]


def _unknown(model: type[BaseModel], place: Place, value: object) -> str:
    """An unknown field, with the nearest beside it, or else anywhere in `model`."""
    fields = fields_at(model, place[:-1])
    near = _near(str(place[-1]), fields)
    while not near and isinstance(value, Mapping) and len(value) == 1:  # what --set made on the way to what was meant
        (name, value), *_ = value.items()
        place = (*place, str(name))
    near = near or _elsewhere(model, place) or _near(str(place[-1]), fields, cutoff=0.47)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown field {'.'.join(map(str, place))!r}; {hint}known: {', '.join(fields) or 'none'}"


def _near(name: str, fields: list[str], cutoff: float = 0.6) -> list[str]:
    return get_close_matches(name, fields, n=1, cutoff=cutoff)


def _elsewhere(model: type[BaseModel], place: Place) -> list[str]:
    """The path in `model` whose last name is nearly that of `place`; of several one that begins alike, or else a short one."""
    paths = list(_paths(model))
    names = get_close_matches(str(place[-1]), {path[-1] for path in paths}, n=1, cutoff=0.75)
    alike = [path for path in paths if path[-1] in names]
    alike.sort(key=lambda path: (-_shared(path, place), len(path)))
    return [".".join(path) for path in alike[:1]]


def _shared(first: Place, second: Place) -> int:
    """How many parts two places begin with alike."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _paths(model: type[BaseModel]) -> Iterator[tuple[str, ...]]:
    """All settings of a model but those of parts that may be left out as a whole; NAME stands for an item of a list."""
    for name, field in model.model_fields.items():
        yield (name,)
        inner = _model_in(field.annotation)
        if inner and type(None) not in get_args(field.annotation):
            many = ("NAME",) if "tuple[" in str(field.annotation) else ()
            yield from ((name, *many, *path) for path in _paths(inner))


def _place(model: type[BaseModel], entry: Mapping[str, Any]) -> Place:
    """Where the problem is, without what pydantic adds for the types of a union and for a mapping's keys."""
    place: list[int | str] = []
    current: type[BaseModel] | None = model
    for number, part in enumerate(entry["loc"], start=1):
        is_last_and_unknown = number == len(entry["loc"]) and entry["type"] == "extra_forbidden"
        field = current.model_fields.get(part) if current and isinstance(part, str) else None
        if field:
            current = _model_in(field.annotation)
        elif not isinstance(part, int) and not is_last_and_unknown and (part == "[key]" or (current and place)):
            continue
        place.append(part)
    return tuple(place)


def fields_at(model: type[BaseModel], path: Place) -> list[str]:
    """The field names of the model that stands at `path` inside `model`."""
    current: Any = model
    for part in path:
        if isinstance(part, int):
            continue
        field = getattr(current, "model_fields", {}).get(part)
        current = _model_in(field.annotation) if field else None
        if current is None:
            return []
    return sorted(current.model_fields)


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The first model inside an annotation such as `tuple[MemberSettings, ...]` or `X | None`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        nested = _model_in(inner)
        if nested is not None:
            return nested
    return None
