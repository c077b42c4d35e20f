"""Pydantic's errors in the user's words: the field, what is wrong with it, the nearest name."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from aigc_models.errors import BadInput

Model = TypeVar("Model", bound=BaseModel)


def validated(model: type[Model], values: object, where: str) -> Model:
    """`model` from plain values; raises `BadInput` that names the field, the value and what fits."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise bad_input(error, model, where) from error


def bad_input(error: ValidationError, model: type[BaseModel], where: str) -> BadInput:
    """The same as a `BadInput`, one line a field."""
    lines = []
    for problem in error.errors():
        path = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            fields = fields_at(model, problem["loc"][:-1])
            near = get_close_matches(str(problem["loc"][-1]), fields, n=1, cutoff=0.4)
            hint = f"did you mean {near[0]!r}? " if near else ""
            lines.append(f"{where}: unknown field {path!r}; {hint}known: {', '.join(fields) or 'none'}")
        else:
            given = f" (given: {problem['input']!r})" if not isinstance(problem["input"], (dict, BaseModel)) else ""
            lines.append(f"{where}: {path or 'the whole'}: {problem['msg'][0].lower()}{problem['msg'][1:]}{given}")
    return BadInput("\n".join(lines))


def fields_at(model: type[BaseModel], path: tuple[int | str, ...]) -> list[str]:
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
