"""The small typed values that tasks hand each other: where something lies and what its digest is.

Never a tensor, a table or a model: a reference is a few hundred bytes of JSON.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple, Self

from pydantic import BaseModel, ConfigDict

from aigc_models.reading.bundle_files import SIGNATURE
from tasks.dataset.ledger import ledger
from tasks.stage.settings import Workspace

LARGE = 1_000_000  # bytes, from which on a digest is remembered
SETTLED = 2_000_000_000  # ns: a file that changed later than this may change again with the same time
_State = tuple[int, int, int, int]  # bytes, inode, when content and entry last changed (ns)
_digests: dict[Path, tuple[_State, str]] = {}  # of large files, as the index of git, for the length of this process


def digest_of(paths: Iterable[Path], root: Path) -> str:
    """sha256 over the names (relative to `root`) and the bytes of files; folders are walked.

    Unfinished work (`*.tmp`), checkpoints, byte code and signatures are no part of a result. A large file that was read
    before by this process is read again only when the file system says that it may have changed.
    """
    return digest_over(contents_of(paths, root), root)


def contents_of(paths: Iterable[Path], root: Path) -> dict[Path, str]:
    """The sha256 of each file that is a part of a result, in the order of their paths."""
    files = sorted({file for path in paths for file in ([path] if path.is_file() else path.rglob("*"))})
    return {file: _content(file) for file in files if file.is_file() and _counts(file.relative_to(root))}


def digest_over(contents: Mapping[Path, str], root: Path) -> str:
    """One digest of what `contents_of` gave, by names relative to `root`."""
    whole = hashlib.sha256()
    for file, content in contents.items():
        whole.update(f"{'/'.join(file.relative_to(root).parts)}\0{content}\n".encode())
    return whole.hexdigest()


def _counts(name: Path) -> bool:
    return not {"checkpoints", "__pycache__", SIGNATURE} & set(name.parts) and name.suffix != ".tmp"


def _content(file: Path) -> str:
    stat = file.stat()
    state = (stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns)
    if _digests.get(file, ("", ""))[0] == state:
        return _digests[file][1]
    with file.open("rb") as handle:
        sha256 = hashlib.file_digest(handle, "sha256").hexdigest()
    if stat.st_size >= LARGE and max(state[2:]) < time.time_ns() - SETTLED:
        _digests[file] = state, sha256
    return sha256


def encode(value: Any) -> Any:
    """References and settings as JSON that names their class; the inverse of `decode`."""
    if isinstance(value, BaseModel):
        return {"__class__": f"{type(value).__module__}.{type(value).__qualname__}", "data": value.model_dump(mode="json")}
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """What `encode` (or Prefect's `json` serializer) wrote; raises ValueError for any other class."""
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "__class__" not in value:
        return {key: decode(item) for key, item in value.items()}
    module, _, name = value["__class__"].rpartition(".")
    model = getattr(import_module(module), name)
    if not issubclass(model, BaseModel):
        raise ValueError(f"{value['__class__']} is neither a reference nor settings")
    return model.model_validate(value["data"])


class Reference(BaseModel):
    """`outputs` are paths relative to the workspace; `sha256` is `digest_of` them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    outputs: tuple[str, ...]
    sha256: str

    @classmethod
    def to(cls, workspace: Workspace, *paths: Path, **fields: object) -> Self:
        """Refer to files and folders that are complete."""
        outputs = tuple(workspace.relative(path) for path in paths)
        return cls.model_validate({"outputs": outputs, "sha256": digest_of(paths, workspace.root), **fields})

    def path(self, workspace: Workspace) -> Path:
        """The first output."""
        return workspace.path(self.outputs[0])

    def intact(self, workspace: Workspace) -> bool:
        """Whether all is still there, byte for byte, as far as `digest_of` looks."""
        paths = [workspace.path(output) for output in self.outputs]
        return all(path.exists() for path in paths) and digest_of(paths, workspace.root) == self.sha256


class RawRef(Reference):
    """`data/NAME/raw`: parquet shards of payloads as they came."""

    dataset: str
    modality: str
    rows: int


class CleanRef(Reference):
    """`data/NAME/clean`: one shard for each raw shard, and what its rules rejected."""

    dataset: str
    modality: str
    rows: int
    rejected: int


class DuplicatesRef(Reference):
    """`duplicates.parquet`: `exact` copies (with another label: `conflicts`), near-duplicate `groups` of `grouped` items,
    and `superseded` states of files that have grown."""

    dataset: str
    exact: int
    conflicts: int
    groups: int
    grouped: int
    superseded: int = 0


class SplitRef(Reference):
    """`data/NAME` with `splits.parquet`, `quarantine.parquet` and `card.json`."""

    dataset: str
    modality: str
    rows: int
    quarantined: int
    duplicates: int
    splits: dict[str, int]
    labels: tuple[str, ...]


class VersionRef(SplitRef):
    """A split that DVC keeps; `version` is the digest of the files of `data/NAME`."""

    version: str

    def intact(self, workspace: Workspace) -> bool:
        """Whether all is still there and is what the ledger and `data.dvc` say: another version may have been put there
        in between."""
        newest = ledger(workspace, self.dataset)[-1:]
        return [line.version for line in newest] == [self.version] and super().intact(workspace)


class CorpusRef(Reference):
    """Folders `train`, `validation` and `test` of encoded arrays, and `latest` where items are divided by time;
    `format` is the modality's own, `task` what its models are asked."""

    dataset: str
    modality: str
    version: str
    labels: tuple[str, ...]
    format: dict[str, object]
    splits: dict[str, int]
    licence: str = ""
    task: str = "generate"


class ModelRef(Reference):
    """A bundle folder: a member, a pretrained body or a baseline."""

    name: str
    family: str
    modality: str
    params: int
    steps: int = 0
    validation_loss: float | None = None
    run_id: str = ""


class EnsembleRef(Reference):
    """A bundle folder whose members are bundles."""

    method: str
    modality: str
    weights: dict[str, float]


class EvaluationRef(Reference):
    """`metrics.json` and `samples/`; `items` says which items the splits held (see `tasks.judge.champion.items_of`)."""

    metrics: dict[str, float]
    items: str = ""


class RegisteredRef(BaseModel):
    """A version of a registered model in MLflow."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    version: int
    run_id: str
    bundle_sha256: str

    def intact(self, workspace: Workspace) -> bool:
        """Whether the registry still has this version, of this bundle."""
        from mlflow.exceptions import MlflowException

        from tasks.stage.tracking import client

        try:
            tags = client(workspace).get_model_version(self.model, str(self.version)).tags
        except MlflowException as error:
            if error.error_code == "RESOURCE_DOES_NOT_EXIST":
                return False
            raise
        return bool(tags.get("aigc.bundle_sha256") == self.bundle_sha256)


class GenerationRef(Reference):
    """A folder of generated items with `manifest.jsonl`."""

    count: int


class LeftOut(NamedTuple):
    """A member or plain method that lies elsewhere and did not answer when it was made."""

    family: str
    reason: str


@dataclass(frozen=True)
class TrainedRef:
    """All that a training made."""

    corpus: CorpusRef
    body: ModelRef | None
    members: list[ModelRef]
    baseline: ModelRef
    ensemble: EnsembleRef
    evaluation: EvaluationRef
    left_out: Mapping[str, LeftOut] = field(default_factory=dict)  # who did not answer, by name
