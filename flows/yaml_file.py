"""A file of settings: its values, and the line on which each of them stands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from aigc_models.errors import BadInput

SUFFIXES = (".yaml", ".yml")


def mapping(path: Path, name: str) -> dict[str, Any]:
    """What the file at `path` holds; raises `BadInput` that begins with `name` where that is no mapping of settings."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.MarkedYAMLError as error:
        line = f":{error.problem_mark.line + 1}" if error.problem_mark else ""
        raise BadInput(f"{name}{line}: not valid YAML: {error.problem or error.context}") from error
    except UnicodeDecodeError as error:
        raise BadInput(f"{name}: not UTF-8 at byte {error.start}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a ValueError: a date that is none
        raise BadInput(f"{name}: not valid YAML: {str(error).splitlines()[0]}") from error
    if not isinstance(values, dict):
        raise BadInput(f"{name}: a mapping of settings is needed, such as `extends: text`; see docs/configuration.md")
    return values


def line_of(name: str, place: tuple[int | str, ...]) -> str:
    """`FILE:LINE` of what stands at `place`, or of the nearest above it that the file has; of a preset its name alone."""
    if not name.endswith(SUFFIXES):
        return name
    node, line = yaml.compose(Path(name).read_text(encoding="utf-8"), Loader=yaml.SafeLoader), 0
    for part in place:
        if isinstance(node, yaml.MappingNode):
            keys = {key.value: (key, value) for key, value in node.value}
            if str(part) not in keys:
                break
            key, node = keys[str(part)]
            line = key.start_mark.line + 1
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            node = node.value[part]
            line = node.start_mark.line + 1
        else:
            break
    return f"{name}:{line}" if line else name
