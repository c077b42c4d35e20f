"""The parts of a modality's package import each other, and never the package that imports them."""

from __future__ import annotations

import ast
from pathlib import Path

import aigc_models.modalities as modalities

FOLDER = Path(str(modalities.__file__)).parent


def circles(part: Path) -> list[str]:
    """What a part imports of its package's `__init__`, under `TYPE_CHECKING` too."""
    package = f"aigc_models.modalities.{part.parent.name}"
    imports = [node for node in ast.walk(ast.parse(part.read_text())) if isinstance(node, ast.ImportFrom)]
    names = [alias.name for node in imports if node.module == package for alias in node.names]
    return [f"{part.parent.name}/{part.name}: {name}" for name in names if not (part.parent / f"{name}.py").exists()]


def test_no_part_imports_its_package() -> None:
    parts = [part for part in FOLDER.glob("*/*.py") if part.name != "__init__.py"]
    assert len(parts) > 20
    assert [circle for part in parts for circle in circles(part)] == []
