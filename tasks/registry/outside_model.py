"""Models of MLflow that are no bundles: where they lie, which version an address means, and how they are opened.

What is accepted of one: texts go in as a list or, where its signature names columns, as a table with one of them; out come
labels (a list, an array, a series, or a table with a column `label`), or a table with a column of probabilities for each
label. An array of probabilities is one where the model itself says its `classes_`, as scikit-learn's do.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput, Unreachable
from aigc_models.outside.openers import Predict, Predicted
from tasks.registry.register import find_version
from tasks.stage.owner import locked
from tasks.stage.references import contents_of, digest_over
from tasks.stage.settings import Workspace, write_whole
from tasks.stage.tracking import client, environment
from tasks.train.members import MemberSettings

FAMILY = "mlflow_model"
REGISTERED = "models:/"
STAMP = "registered_model_meta"  # MLflow leaves it beside what it loads
TRUSTED, VARIABLE = "trusted_models.json", "AIGC_TRUSTED_MODELS"  # a file of the workspace, and digests with commas
ALLOWED = "MLFLOW_ALLOW_PICKLE_DESERIALIZATION"


def pinned(workspace: Workspace, member: MemberSettings) -> MemberSettings:
    """The member with the version that its address means now and the digest of its files; any other family's as it is.

    Raises `BadInput` where there is no such model, or it is not what the digest in the settings says.
    """
    uri = member.settings.get("uri")
    if member.family != FAMILY or not isinstance(uri, str) or not uri:
        return member
    folder, exact = located(workspace, uri)
    sha256, stated = digest(folder), member.settings.get("sha256")
    if stated and stated != sha256:
        raise BadInput(f"member {member.name!r}: the files of {uri} are no longer those that were measured (sha256 {stated})")
    if member.settings.get("trusted") is True:
        trust(workspace, sha256)
    return member.model_copy(update={"settings": {**member.settings, "uri": exact, "sha256": sha256}})


def trust(workspace: Workspace, sha256: str) -> None:
    """From now on models with these files are loaded in this workspace."""
    with locked(workspace, "models"):
        if sha256 not in (digests := trusted(workspace)):
            write_whole(workspace.state / TRUSTED, json.dumps(sorted({*digests, sha256}), indent=1) + "\n")


def trusted(workspace: Workspace) -> set[str]:
    """The digests of the models whose code may be run here: those of recipes of this workspace, and of AIGC_TRUSTED_MODELS."""
    file = workspace.state / TRUSTED
    kept: list[str] = json.loads(file.read_text()) if file.is_file() else []
    return {*kept, *os.environ.get(VARIABLE, "").replace(",", " ").split()}


def located(workspace: Workspace, uri: str) -> tuple[Path, str]:
    """The folder of a model of MLflow, fetched first if need be, and its address with a number in place of an alias."""
    if not uri.startswith(REGISTERED):
        folder = workspace.root / Path(uri).expanduser()
        if not (folder / "MLmodel").is_file():
            raise BadInput(f"{uri} is no model of MLflow: it has no file MLmodel; write models:/NAME/VERSION or such a folder")
        return folder, uri
    store = client(workspace)
    version = find_version(store, uri)
    location = store.get_model_version_download_uri(version.name, version.version)
    return _local(workspace, location, f"{version.name}-{version.version}"), f"{REGISTERED}{version.name}/{version.version}"


def _local(workspace: Workspace, location: str, name: str) -> Path:
    from mlflow.artifacts import download_artifacts
    from mlflow.utils.file_utils import local_file_uri_to_path
    from mlflow.utils.uri import is_local_uri

    if is_local_uri(location):
        return Path(local_file_uri_to_path(location))
    folder = workspace.state / "models" / f"outside-{name}"
    with locked(workspace, "models"):
        if not folder.is_dir():
            folder.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=folder.parent) as partial_folder:
                Path(download_artifacts(location, dst_path=partial_folder, tracking_uri=workspace.tracking_uri)).rename(folder)
    return folder


def digest(folder: Path) -> str:
    """One sha256 over the files of a model."""
    contents = {file: sha256 for file, sha256 in contents_of([folder], folder).items() if file.name != STAMP}
    return digest_over(contents, folder)


def opened(uri: str, sha256: str, column: str) -> Predict:
    """What the model at `uri` makes of texts; raises `Unreachable` where its files are not those of `sha256`.

    To load it is to run the code in it. That a bundle calls it trusted does not count, since whoever made the bundle wrote
    that: raises `BadInput` of files that nobody has trusted here.
    """
    workspace = Workspace.current()
    if sha256 not in trusted(workspace):
        raise BadInput(f"{uri} is not trusted on this machine: where you know who made it, set {VARIABLE}={sha256 or 'SHA256'}")
    folder, _ = located(workspace, uri)
    if digest(folder) != sha256:
        raise Unreachable(f"the files of {uri} are no longer those that were measured")
    environment()
    import mlflow.pyfunc

    with _pickles():
        model = mlflow.pyfunc.load_model(str(folder))
    return partial(_predicted, model, column)


@contextmanager
def _pickles() -> Iterator[None]:
    """Let MLflow load them within the block."""
    before = os.environ.get(ALLOWED)
    os.environ[ALLOWED] = "true"
    try:
        yield
    finally:
        if before is None:
            del os.environ[ALLOWED]
        else:
            os.environ[ALLOWED] = before


def _predicted(model: Any, column: str, contents: Sequence[str]) -> Predicted:
    return _plain(model.predict(_given(model, column, contents)), model)


def _given(model: Any, column: str, contents: Sequence[str]) -> Any:
    """As the model's signature wants them."""
    import pandas as pd

    schema = model.metadata.get_input_schema() if model.metadata is not None else None
    names = schema.input_names() if schema is not None and schema.has_input_names() else []
    if not names:
        return list(contents)
    if len(names) > 1 and column not in names:
        raise BadInput(f"it takes the columns {', '.join(names[:10])}: say in which of them texts stand (column)")
    return pd.DataFrame({names[0] if len(names) == 1 else column: list(contents)})


def _plain(answer: Any, model: Any) -> Predicted:
    """Labels, or a table by label; raises `BadInput` that says what came."""
    import numpy as np
    import pandas as pd

    if isinstance(answer, pd.DataFrame):
        if "label" in answer.columns or len(answer.columns) == 1:
            return Predicted((), answer["label" if "label" in answer.columns else answer.columns[0]].tolist())
        return Predicted(tuple(map(str, answer.columns)), answer.to_numpy())
    if isinstance(answer, np.ndarray) and answer.ndim == 2:
        classes = getattr(_raw(model), "classes_", None)
        if classes is None or len(classes) != answer.shape[1]:
            raise BadInput(f"it answers an array of {answer.shape[1]} columns without names: answer a table named by label")
        return Predicted(tuple(map(str, classes)), answer)
    if isinstance(answer, (list, tuple, pd.Series)) or (isinstance(answer, np.ndarray) and answer.ndim == 1):
        return Predicted((), list(answer))
    raise BadInput(f"it answers a {type(answer).__name__}: labels, or a table of probabilities by label are needed")


def _raw(model: Any) -> Any:
    try:
        return model.get_raw_model()
    except Exception:  # not every kind of model has one
        return None
