"""Is a bundle what was registered, whole, and signed? And the signing of one that is."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict

from aigc_models.errors import AigcError, BadInput
from aigc_models.reading.bundle_files import CARD, SIGNATURE, check
from tasks.registry.bundles import registered_folder, stated_digest
from tasks.registry.register import find_version
from tasks.registry.signing import TAG, check_signature, public_key, required_key, signature, signature_of
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion


class Soundness(BaseModel):
    """What was fields: `name` is NAME/version or the folder; `problem` says in a sentence why it is not sound."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    kind: Literal["version", "folder"]
    folder: str
    bundle_sha256: str
    signature: Literal["valid", "not checked", "none", "not valid"]
    sound: bool
    problem: str = ""


def verify(workspace: Workspace, target: str, key: Path | None = None) -> Soundness:
    """Hold a registered version, or a bundle's folder, against its digests, the registry's, and its signature.

    `key`: the public key by which it has to be signed; none: the one of AIGC_VERIFY_KEY, if that is set. Raises `BadInput`
    where there is no such bundle or key.
    """
    key = key or required_key()
    if key is not None:
        public_key(key)
    version = None if is_folder(target) else _version(workspace, target)
    fields = {"name": _name(target, version), "kind": "version" if version else "folder", "folder": "", "bundle_sha256": ""}
    signed, state = "", "none"
    try:
        folder = registered_folder(workspace, client(workspace), version) if version else Path(target)
        fields |= {"folder": str(folder), "bundle_sha256": stated_digest(folder)}
        check(folder)
        signed = signature_of(folder, version.tags if version else {})
        if key is not None:
            state = "not valid" if signed else "none"
            check_signature(fields["name"], fields["bundle_sha256"], signed, key)
            state = "valid"
        elif signed:
            state = "not checked"
    except AigcError as error:
        return Soundness.model_validate({**fields, "signature": state, "sound": False, "problem": str(error)})
    return Soundness.model_validate({**fields, "signature": state, "sound": True})


def sign(workspace: Workspace, target: str, private: Path) -> Soundness:
    """Sign a sound bundle: a version by a tag in the registry, a folder by the file `bundle.sig` in it.

    Raises `Damaged` where it is not sound.
    """
    version = None if is_folder(target) else _version(workspace, target)
    store = client(workspace) if version else None
    folder = registered_folder(workspace, store, version) if version and store else Path(target)
    check(folder)
    digest = stated_digest(folder)
    signed = signature(digest, private)
    if version and store:
        store.set_model_version_tag(version.name, str(version.version), TAG, signed)
    else:
        (folder / SIGNATURE).write_text(f"{signed}\n")
    fields = {"name": _name(target, version), "kind": "version" if version else "folder", "folder": str(folder)}
    return Soundness.model_validate({**fields, "bundle_sha256": digest, "signature": "valid", "sound": True})


def is_folder(target: str) -> bool:
    """Whether a bundle's folder is meant, and no registered model; raises `BadInput` of a file."""
    path = Path(target)
    if path.is_file():
        raise BadInput(f"{target} is a file, and a bundle is a folder with {CARD}; name the folder, or NAME of a model")
    return (path / CARD).exists() or (path / CARD).is_symlink()


def _version(workspace: Workspace, target: str) -> ModelVersion:
    if Path(target).is_dir() and not workspace.holds_models():
        raise BadInput(f"{target} is no bundle: it has no {CARD}")
    return find_version(client(workspace), target)


def _name(target: str, version: ModelVersion | None) -> str:
    return f"{version.name}/{version.version}" if version else target
