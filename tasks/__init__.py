"""What the flows are made of; `open_model` is the door for users of Python.

Importing this is cheap: torch and MLflow are imported where a model is opened.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from aigc_models.outside import openers

if TYPE_CHECKING:
    from aigc_models.generator import Generator
    from aigc_models.outside.openers import Predict
    from aigc_models.training.devices import Device


def open_model(reference: str, device: Device = "auto") -> Generator:
    """The registered model that `NAME` (its champion), `NAME@alias` or `NAME/version` means now.

    The registry is that of the current workspace: `AIGC_WORKSPACE`, or else the working folder.
    `device`: where torch computes (auto: the GPU where there is one). Raises `BadInput` where there is no such model.
    """
    from aigc_models.generator import Generator
    from tasks.registry.bundles import resolve
    from tasks.stage.settings import Workspace

    return Generator.load(resolve(Workspace.current(), reference), device)


def _open_mlflow(uri: str, sha256: str, column: str) -> Predict:
    from tasks.registry.outside_model import opened

    return opened(uri, sha256, column)


openers.enter("mlflow", _open_mlflow)  # MLflow itself is imported when a model is opened
