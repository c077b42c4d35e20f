"""Where a run comes from: the code's git revision, the pinned packages, the machine."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PROJECT = Path(__file__).parents[2]


def git_revision(folder: Path = PROJECT) -> str:
    """The commit that `folder` is at, with `-dirty` if tracked files were changed; empty outside of git."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=10, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip()


def constraints_digest(path: Path = PROJECT / "constraints.txt") -> str:
    """sha256 of the pinned packages; empty for an installation without that file."""
    return sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def package(name: str) -> str:
    """The installed version of a package, without its local part (`2.13.0+cpu` -> `2.13.0`); empty if absent."""
    try:
        return version(name).split("+")[0]
    except PackageNotFoundError:
        return ""


def system() -> dict[str, str | int]:
    """The machine, in words and bytes."""
    import psutil

    return {
        "platform": platform.platform(),
        "python": platform.python_version(),
        "torch": package("torch"),
        "cores": os.cpu_count() or 1,
        "memory_bytes": psutil.virtual_memory().total,
    }


@cache
def origin() -> dict[str, str]:
    """All of it as MLflow tags, those that are empty left out; asked for once a process."""
    tags = {
        "mlflow.source.git.commit": git_revision(),
        "aigc.constraints": constraints_digest(),
        "aigc.system": json.dumps(system(), sort_keys=True),
    }
    return {key: value for key, value in tags.items() if value}
