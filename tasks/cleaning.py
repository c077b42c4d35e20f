"""Raw shards into clean ones: read, validate, apply the rules of `tasks/clean/`, normalise, fingerprint.

A cleaning rule is one file:

    MODALITIES: frozenset[str]
    class Settings(BaseModel)                                   frozen, with defaults
    apply(item: Item, settings: Settings) -> Item | Rejected
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import BadInput, Unreadable, unknown
from aigc_models.find import find, names
from tasks.code_version import code_version
from tasks.ingest import count_rows, publish, write_table, written
from tasks.references import CleanRef, RawRef, digest_of
from tasks.stage import StageContext, stage
from tasks.tables import shards

if TYPE_CHECKING:
    import pyarrow

PACKAGE = "tasks.clean"
CLEAN = ("id", "content", "label", "group", "split", "time", "source", "exact", "near")
REJECTED = ("id", "source", "label", "rule", "reason")


@dataclass(frozen=True)
class Item:
    """What a rule sees: the content as its modality reads it (str, or uint8 (height, width, channel))."""

    content: Any
    name: str
    modality: str
    label: str | None = None


@dataclass(frozen=True)
class Rejected:
    """Why an item is not used."""

    reason: str


class CleanSettings(BaseModel):
    """Which rules clean the content, and their settings where they differ from the defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: dict[str, dict[str, Any]] = Field(default={}, description="settings by rule name, such as too_short: {bytes: 10}")
    without: tuple[str, ...] = Field(default=(), description="names of rules that are left out")

    @field_validator("rules", "without")
    @classmethod
    def _known(cls, value: Any) -> Any:
        for name in value:
            if name not in names(PACKAGE):
                raise unknown("cleaning rule", name, names(PACKAGE))
            if isinstance(value, Mapping):
                find(PACKAGE, name).Settings.model_validate(value[name])
        return value

    def chosen(self, modality: str) -> dict[str, tuple[ModuleType, BaseModel]]:
        """The rules for a modality with their settings, in alphabetical order."""
        modules = {name: find(PACKAGE, name) for name in names(PACKAGE) if name not in self.without}
        return {
            name: (module, module.Settings.model_validate(self.rules.get(name, {})))
            for name, module in modules.items()
            if modality in module.MODALITIES
        }


@dataclass
class Cleaned:
    """The rows of one shard, kept and rejected."""

    kept: list[dict[str, Any]] = field(default_factory=list)
    rejected: list[dict[str, Any]] = field(default_factory=list)


def made_by(raw: RawRef, settings: CleanSettings) -> str:
    """Digest of the rules' settings and of the code that cleans this modality."""
    rules = settings.chosen(raw.modality)
    values = {name: value.model_dump() for name, (_, value) in rules.items()}
    code = code_version([f"aigc_models.modalities.{raw.modality}", *(module.__name__ for module, _ in rules.values())])
    return hashlib.sha256(f"{json.dumps(values, sort_keys=True)}\n{code}".encode()).hexdigest()


@stage(fingerprint=made_by)
def clean(raw: RawRef, settings: CleanSettings, context: StageContext) -> CleanRef:
    """One clean and one rejected shard for each raw shard; those that these settings and this code made stay.

    An item that cannot be used is written down with its rule and reason, and the rest goes on.
    Raises `BadInput` if no item is left.
    """
    with written(f"the data set {raw.dataset}"):
        workspace = context.workspace.create()
        folder = workspace.data / raw.dataset / "clean"
        journal = Journal(workspace.state / "clean" / f"{raw.dataset}.json", folder, made_by(raw, settings))
        given = shards(raw.path(workspace))
        _drop_strays(folder, {shard.stem for shard in given})
        done = 0
        for shard in given:
            if not journal.holds(shard.stem):
                _clean_shard(shard, raw.modality, settings, workspace.state / "tmp", folder)
                journal.add(shard.stem)
            done += count_rows(shard)
            context.progress(done, raw.rows)
        return _result(raw, folder, context)


def _result(raw: RawRef, folder: Path, context: StageContext) -> CleanRef:
    from pyarrow import parquet

    bad = [parquet.read_table(path, columns=["rule", "reason"]) for path in shards(folder, rejected=True)]
    rules = Counter(rule for table in bad for rule in table["rule"].to_pylist())
    rejected = sum(rules.values())
    kept = sum(count_rows(path) for path in shards(folder))
    if not kept:
        reasons = Counter(reason for table in bad for reason in table["reason"].to_pylist())
        _undo(folder)
        told = "; ".join(f"{count} x {reason}" for reason, count in reasons.most_common(3))
        raise BadInput(f"no item of {raw.dataset} can be used: all {rejected} were rejected ({told})")
    context.log(rows=kept, rejected=rejected, **{f"rejected_{rule}": count for rule, count in sorted(rules.items())})
    return CleanRef.to(context.workspace, folder, dataset=raw.dataset, modality=raw.modality, rows=kept, rejected=rejected)


@dataclass(frozen=True)
class Journal:
    """Which clean shards were made by which settings and code, kept beside the data and not in it."""

    path: Path
    folder: Path
    made_by: str

    def holds(self, stem: str) -> bool:
        """Whether both files of the shard are there as this code wrote them."""
        return self._files_exist(stem) and self._entries().get(stem) == [self.made_by, self._digest(stem)]

    def add(self, stem: str) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        entries = {**self._entries(), stem: [self.made_by, self._digest(stem)]}
        part = self.path.with_suffix(".tmp")
        part.write_text(json.dumps(entries, indent=1, sort_keys=True))
        part.replace(self.path)

    def _entries(self) -> dict[str, list[str]]:
        try:
            return dict(json.loads(self.path.read_text()))
        except (FileNotFoundError, ValueError):
            return {}

    def _files_exist(self, stem: str) -> bool:
        return all(path.is_file() for path in _targets(self.folder, stem))

    def _digest(self, stem: str) -> str:
        return digest_of(_targets(self.folder, stem), self.folder)


def _targets(folder: Path, stem: str) -> tuple[Path, Path]:
    return folder / f"{stem}.parquet", folder / f"{stem}.rejected.parquet"


def _drop_strays(folder: Path, stems: set[str]) -> None:
    """Remove the clean shards of raw shards that are no more, and the folder if it is left empty."""
    for path in list(folder.glob("*.parquet")):
        if path.name.split(".")[0] not in stems:
            path.unlink()
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _undo(folder: Path) -> None:
    """Of a data set that never had a usable item nothing stays; one that was split before keeps its raw shards."""
    _drop_strays(folder, set())
    if {path.name for path in folder.parent.iterdir()} == {"raw"}:
        rmtree(folder.parent)


def _clean_shard(shard: Path, modality: str, settings: CleanSettings, temporary: Path, folder: Path) -> None:
    module, rules, cleaned = find("aigc_models.modalities", modality), settings.chosen(modality), Cleaned()
    for row in _read_rows(shard):
        _clean_row(row, module, modality, rules, cleaned)
    temporary.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=temporary) as scratch:
        parts = _targets(Path(scratch), shard.stem)
        write_table(_table(cleaned.kept, CLEAN), parts[0])
        write_table(_table(cleaned.rejected, REJECTED), parts[1])
        publish(zip(parts, _targets(folder, shard.stem), strict=True))


def _read_rows(shard: Path) -> Iterator[dict[str, Any]]:
    from pyarrow import parquet

    with parquet.ParquetFile(shard) as file:
        for batch in file.iter_batches(batch_size=1000):
            yield from batch.to_pylist()


def _clean_row(row: dict[str, Any], module: ModuleType, modality: str, rules: Mapping[str, Any], cleaned: Cleaned) -> None:
    def reject(rule: str, reason: str) -> None:
        cleaned.rejected.append({**{name: row[name] for name in ("id", "source", "label")}, "rule": rule, "reason": reason})

    try:
        content = module.read(row["payload"], row["name"])
    except Unreadable as error:
        return reject("unreadable", str(error))
    invalid = module.validate(content)
    if invalid:
        return reject("invalid", invalid)
    item: Item | Rejected = Item(content, row["name"], modality, row["label"])
    for name, (rule, settings) in rules.items():
        item = rule.apply(item, settings)
        if isinstance(item, Rejected):
            return reject(name, item.reason)
    content = module.normalise(item.content)  # type: ignore[union-attr]
    prints = module.fingerprint(content)
    kept = {name: row[name] for name in ("id", "label", "group", "split", "time", "source")}
    cleaned.kept.append({**kept, "content": module.pack(content), "exact": prints.exact, "near": prints.near})
    return None


def _table(rows: list[dict[str, Any]], columns: tuple[str, ...]) -> pyarrow.Table:
    import pyarrow

    types = [pyarrow.binary() if name in ("content", "near") else pyarrow.string() for name in columns]
    arrays = [pyarrow.array([row[name] for row in rows], kind) for name, kind in zip(columns, types, strict=True)]
    return pyarrow.table(arrays, names=list(columns))
