"""What changed between two states of a training, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

SHOWN = 3  # names in a sentence


class Details(BaseModel):
    """What a state looked like when it was decided upon."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    files: dict[str, tuple[int, int, int]] = Field({}, description="source file: bytes, times of its last change (ns)")
    config: dict[str, Any] = Field(description="the recipe")
    code: dict[str, str] = Field(description="module: digest")
    libraries: list[str] = Field(description="NAME==VERSION")
    data: str = Field("", description="fingerprint of the source")
    location: str = Field("", description="where the source lay")


def changes(before: Details, after: Details, parts: Sequence[str]) -> list[str]:
    """A sentence for each of `parts` (data, config, code), which differ."""
    describers = {"data": _data, "config": _config, "code": _code}
    return [describers[part](before, after) for part in parts]


def _data(before: Details, after: Details) -> str:
    new = [name for name in after.files if name not in before.files]
    gone = [name for name in before.files if name not in after.files]
    other = [name for name in after.files if name in before.files and after.files[name] != before.files[name]]
    groups = [(new, "new"), (other, "changed"), (gone, "gone")]
    parts = [f"{len(names)} {what} {'file' if len(names) == 1 else 'files'} ({some(names)})" for names, what in groups if names]
    return f"data: {', '.join(parts) or 'the content of the source changed'}"


def _config(before: Details, after: Details) -> str:
    old, new = dict(_fields(before.config)), dict(_fields(after.config))
    names = sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))
    phrases = [f"{name} {old.get(name, 'default')} -> {new.get(name, 'default')}" for name in names]
    return f"config: {some(phrases, '; ')}"


def _code(before: Details, after: Details) -> str:
    names = sorted(name for name in before.code.keys() | after.code.keys() if before.code.get(name) != after.code.get(name))
    files = [f"{name.replace('.', '/')}.py" for name in names]
    packages = sorted(set(after.libraries) - set(before.libraries))
    return f"code: {some(files + packages) or 'changed'}"


def some(names: Sequence[str], separator: str = ", ") -> str:
    """The first few, and how many more there are."""
    more = len(names) - SHOWN
    return separator.join(names[:SHOWN]) + (f"{separator}{more} more" if more > 0 else "")


def _fields(value: object, path: str = "") -> Iterator[tuple[str, Any]]:
    """Every leaf with its path, such as `training.members.0.family`."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _fields(item, f"{path}.{key}" if path else str(key))
    elif isinstance(value, (list, tuple)):
        for at, item in enumerate(value):
            yield from _fields(item, f"{path}.{at}")
    else:
        yield path, value
