"""Where the bundle of a registered version lies on this machine, held against what the registry says of it."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from aigc_models.errors import AigcError, BadInput, Damaged
from aigc_models.reading import bundle_files
from aigc_models.reading.bundle_files import CARD
from tasks.registry.register import find_version
from tasks.registry.signing import check_signature, required_key, signature_of
from tasks.stage.owner import locked
from tasks.stage.references import digest_over
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion


def resolve(workspace: Workspace, reference: str) -> Path:
    """The bundle folder of a registered model, as `find_version` reads `reference`.

    A local one is used where it lies; one on a server is downloaded once, into `.aigc/models`.
    """
    store = client(workspace)
    return bundle_folder(workspace, store, find_version(store, reference))


def bundle_folder(workspace: Workspace, store: MlflowClient, version: ModelVersion) -> Path:
    """`registered_folder`, signed by the owner of the key that AIGC_VERIFY_KEY names, where it names one.

    Raises `Damaged` where it is not signed so.
    """
    folder, key = registered_folder(workspace, store, version), required_key()
    if key is not None:
        digest, signed = _tag(version, "aigc.bundle_sha256"), signature_of(folder, version.tags)
        check_signature(f"{version.name}/{version.version}", digest, signed, key)
    return folder


def registered_folder(workspace: Workspace, store: MlflowClient, version: ModelVersion) -> Path:
    """Where a version's bundle lies on this machine, fetched first if need be.

    Its card is the one that was registered, and so are the digests in it, against which loading holds all other files.
    Raises `Damaged` where it is another, `BadInput` where the files are gone.
    """
    location, sha256 = _location(store, version), _tag(version, "aigc.bundle_sha256")
    folder = _local(location)
    if folder is None:
        with locked(workspace, "models"):
            return _fetched(workspace, location, sha256)
    if not (folder / CARD).exists():
        raise BadInput(
            f"{version.name}/{version.version} is needed, but its files are gone from {folder}: restore them, or make "
            f"another version champion (`aigc models show {version.name}`, `aigc models promote {version.name} VERSION`)"
        )
    if stated_digest(folder) != sha256:
        again = f"restore its files, or make another version champion (`aigc models promote {version.name} VERSION`)"
        raise Damaged(f"{folder / CARD} is not what was registered as {version.name}/{version.version}; {again}")
    return folder


def sound_folder(workspace: Workspace, store: MlflowClient, version: ModelVersion) -> Path:
    """`bundle_folder`, once each of its files is what was registered; raises `Damaged` otherwise."""
    folder = bundle_folder(workspace, store, version)
    bundle_files.check(folder)
    return folder


def stated_digest(folder: Path) -> str:
    """What `digest_of` gives for a bundle whose files are those of its card, from the card alone; raises `BadInput`."""
    contents = {folder / name: digest for name, digest in bundle_files.listing(folder).digests.items()}
    contents[folder / CARD] = bundle_files.sha256(folder / CARD)
    return digest_over(dict(sorted(contents.items())), folder)


def is_registered(folder: Path, sha256: str) -> bool:
    """Whether the card in `folder` is that of the bundle with this digest."""
    try:
        return stated_digest(folder) == sha256
    except AigcError:
        return False


def _tag(version: ModelVersion, name: str) -> str:
    if name not in version.tags:
        again = "name another version, or delete this one in MLflow and run again"
        raise BadInput(f"{version.name}/{version.version} has no tag {name}, so that nothing can be held against it; {again}")
    return str(version.tags[name])


def _location(store: MlflowClient, version: ModelVersion) -> str:
    base: str = store.get_model_version_download_uri(version.name, version.version)
    return f"{base.rstrip('/')}/{_tag(version, 'aigc.bundle')}"


def _local(location: str) -> Path | None:
    """The folder of an artifact that lies on this machine's disk."""
    from mlflow.utils.file_utils import local_file_uri_to_path
    from mlflow.utils.uri import is_local_uri

    return Path(local_file_uri_to_path(location)) if is_local_uri(location) else None


def _fetched(workspace: Workspace, location: str, sha256: str) -> Path:
    """The bundle in `.aigc/models`, downloaded whole or not at all, and again where its card was altered since.

    Raises `Damaged` if what is downloaded is not what was registered.
    """
    from mlflow.artifacts import download_artifacts

    folder = workspace.state / "models" / sha256
    if not is_registered(folder, sha256):
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as partial:
            bundle = Path(download_artifacts(location, dst_path=partial, tracking_uri=workspace.tracking_uri))
            if not is_registered(bundle, sha256):
                raise Damaged(f"{location} is not what was registered; restore its files there, or name another version")
            bundle_files.check(bundle)
            shutil.rmtree(folder, ignore_errors=True)
            bundle.rename(folder)
    return folder
