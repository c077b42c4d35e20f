"""Where things live, read from the environment when asked for; nothing happens at import."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import ClassVar

from aigc_models.errors import BadInput


@dataclass(frozen=True)
class Workspace:
    """The folder that a team works in; all local state is in its `.aigc/`."""

    STATE: ClassVar[str] = ".aigc"
    root: Path

    @classmethod
    def current(cls) -> Workspace:
        """`AIGC_WORKSPACE`, or else the folder that the command was started in."""
        return cls(Path(os.environ.get("AIGC_WORKSPACE") or Path.cwd()).resolve())

    @property
    def state(self) -> Path:
        return self.root / self.STATE

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def outputs(self) -> Path:
        return self.root / "outputs"

    @property
    def stages(self) -> Path:
        return self.state / "stages"

    def holds_models(self) -> bool:
        """Whether there is a registry to ask: the embedded database, once it was made, or a server."""
        shared = os.environ.get("MLFLOW_REGISTRY_URI") or os.environ.get("MLFLOW_TRACKING_URI")
        return bool(shared) or self.database.exists()

    @property
    def database(self) -> Path:
        """MLflow's, where nothing else is configured."""
        return self.state / "mlflow.db"

    @property
    def embedded(self) -> bool:
        """Whether runs are tracked in the embedded database, and not on a server or elsewhere."""
        return self.tracking_uri == f"sqlite:///{self.database}"

    @property
    def tracking_uri(self) -> str:
        """`MLFLOW_TRACKING_URI`, or else the embedded database."""
        return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{self.database}"

    def path(self, relative: str) -> Path:
        return self.root / relative

    def relative(self, path: Path) -> str:
        """`path` as it is written into references: relative to the root, so that a workspace can move."""
        return path.resolve().relative_to(self.root).as_posix()

    def create(self) -> Workspace:
        """Make `.aigc/`; raises `BadInput` where that is not allowed."""
        make_writable(self.state)
        return self


@contextmanager
def allowed(path: Path) -> Iterator[None]:
    """Turn what the file system refuses about `path` into a `BadInput`."""
    try:
        yield
    except OSError as error:
        hint = "change its rights, move it away, make room, or choose another folder with AIGC_WORKSPACE"
        raise BadInput(f"cannot write to {path}: {error.strerror}; {hint}") from error


def make_writable(folder: Path) -> None:
    """Make a folder and try whether files can be written there; raises `BadInput` where they cannot."""
    with allowed(folder):
        folder.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=folder, suffix=".tmp"):
            return


def write_whole(path: Path, text: str) -> None:
    """Put a text in the place of a file, whole or not at all, also where several processes do so at once."""
    with allowed(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, suffix=".tmp", delete=False) as part:
            part.write(text)
        Path(part.name).replace(path)


@contextmanager
def scratch_folder(workspace: Workspace) -> Iterator[Path]:
    """A folder on the file system of `data/`, so that what is made in it can be put in place by renaming."""
    parent = workspace.create().state / "tmp"
    parent.mkdir(exist_ok=True)
    with TemporaryDirectory(dir=parent) as folder:
        yield Path(folder)
