"""The version of the code behind a stage: a digest of the project's files that it reaches by import.

A change in the GAN's file retrains the GAN and leaves the LSTM alone, since plug-ins are imported
by name and only those that a stage's settings name are counted in.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from pydantic import BaseModel

from aigc_models.find import names

PROJECT = frozenset({"aigc_models", "tasks"})
ROOT = Path(__file__).parents[2]
# What wraps, watches and reports a stage has no part in its result.
APART = frozenset(
    {
        "tasks.stage.stage",
        "tasks.stage.process",
        "tasks.stage.tracking",
        "tasks.stage.owner",
        "tasks.stage.code_version",
        "tasks.stage.settings",
        "tasks.stage.execution",
    }
)
LIBRARIES = (
    "torch",
    "numpy",
    "scikit-learn",
    "scipy",
    "pyarrow",
    "charset-normalizer",
    "pandas",
    "pillow",
    "rensa",
    "soundfile",
    "soxr",
    "ftfy",
    "regex",
    "py3langid",
    "pandera",
    "av",
)
PLUGIN_FIELDS = {
    "family": "aigc_models.families",
    "modality": "aigc_models.modalities",
    "method": "aigc_models.ensembles",
    "metrics": "aigc_models.metrics",
    "rules": "tasks.clean.rules",
}


@cache
def source_file(module: str) -> Path | None:
    """The file of a project module; nothing is imported to find it."""
    if module.split(".")[0] not in PROJECT or module in APART:
        return None
    place = ROOT.joinpath(*module.split("."))
    candidates = (place.with_name(f"{place.name}.py"), place / "__init__.py")
    return next((file for file in candidates if file.is_file()), None)


def imported(tree: ast.AST) -> set[str]:
    """The modules that a file imports, inside its functions too; `from a import b` may mean `a.b`."""
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@cache
def imports_of(module: str) -> frozenset[str]:
    file = source_file(module)
    if file is None:
        return frozenset()
    names_ = imported(ast.parse(file.read_bytes()))
    return frozenset(name for name in names_ if name.split(".")[0] in PROJECT and source_file(name))


def reached(modules: Iterable[str]) -> dict[str, Path]:
    """Each project module that `modules` reach by import, with its file."""
    found: dict[str, Path] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        file = source_file(module)
        if file is not None and module not in found:
            found[module] = file
            waiting.extend(imports_of(module))
    return found


def named_plugins(value: object, field: str = "") -> set[str]:
    """The plug-in modules that settings and references name in their fields (`family: gan`)."""
    package = PLUGIN_FIELDS.get(field)
    if isinstance(value, str):
        return {f"{package}.{value}"} if package and value in names(package) else set()
    if isinstance(value, BaseModel):
        return set().union(*(named_plugins(getattr(value, name), name) for name in type(value).model_fields))
    if isinstance(value, Mapping):
        keys = set().union(*(named_plugins(str(key), field) for key in value)) if package else set()
        return keys.union(*(named_plugins(item, str(key)) for key, item in value.items()))
    if isinstance(value, (list, tuple, set, frozenset)):
        return set().union(*(named_plugins(item, field) for item in value))
    return set()


@cache
def libraries() -> str:
    """The versions of the libraries that results depend on."""
    found = []
    for name in LIBRARIES:
        try:
            found.append(f"{name}=={version(name)}")
        except PackageNotFoundError:
            found.append(f"{name} absent")
    return "\n".join(found)


def code_version(modules: Iterable[str]) -> str:
    """sha256 over the files that `modules` reach and the libraries' versions."""
    whole = hashlib.sha256(libraries().encode())
    for module, file in sorted(reached(modules).items()):
        whole.update(f"{module}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return whole.hexdigest()
