"""Plug-ins are found by their file name: a new file is a new family, modality, metric, source or rule."""

from __future__ import annotations

import importlib
from functools import cache
from pathlib import Path
from types import ModuleType

from aigc_models.errors import unknown


@cache
def names(package: str) -> tuple[str, ...]:
    """The plug-ins of `package` (such as `aigc_models.families`), in alphabetical order."""
    folder = Path(str(importlib.import_module(package).__file__)).parent
    packages = (path.parent.name for path in folder.glob("[!_]*/__init__.py"))
    return tuple(sorted({path.stem for path in folder.glob("[!_]*.py")} | set(packages)))


def find(package: str, name: str) -> ModuleType:
    """Import the plug-in `name` of `package`; raises `BadInput` naming the nearest one."""
    if name not in names(package):
        kind = {"families": "family", "modalities": "modality"}.get(package.rsplit(".", 1)[-1])
        raise unknown(kind or package.rsplit(".", 1)[-1].rstrip("s"), name, names(package))
    return importlib.import_module(f"{package}.{name}")
