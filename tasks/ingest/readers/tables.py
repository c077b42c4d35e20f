"""A table by the suffix of its file, read by the source plug-in that names it in `TABLES`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePath
from types import ModuleType

from pydantic import BaseModel

from aigc_models.errors import BadInput
from aigc_models.find import find, names
from tasks.ingest.readers.held import Held
from tasks.ingest.readers.rows import Row
from tasks.ingest.source import PACKAGE, SourceSettings


def reader(name: str) -> ModuleType:
    """The plug-in that reads tables of this suffix; raises `BadInput` where none does."""
    suffix = PurePath(name).suffix.lower()
    modules = [find(PACKAGE, each) for each in names(PACKAGE)]
    plugin = next((module for module in modules if suffix in getattr(module, "TABLES", ()) and hasattr(module, "table")), None)
    if plugin is None:
        raise BadInput(f"{name} is no table that can be read")
    return plugin


def table(source: SourceSettings, file: Held) -> tuple[Iterator[Row], list[str]]:
    """The rows and the columns of a file, read with the options of the source."""
    module = reader(file.name)
    if source.options and not hasattr(module, "Options"):
        raise BadInput(f"option {next(iter(source.options))!r} does not fit {file.name}: it has no options")
    rows_and_columns: tuple[Iterator[Row], list[str]] = module.table(source, file)
    return rows_and_columns


def without(source: SourceSettings, options: type[BaseModel]) -> SourceSettings:
    """The same without the options of the plug-in that holds the tables."""
    further = {key: value for key, value in source.options.items() if key not in options.model_fields}
    return source.model_copy(update={"options": further})
