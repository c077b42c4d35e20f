"""Raw shards into clean ones: read, validate, apply the rules of `tasks/clean/`, normalise, fingerprint.

A cleaning rule is one file:

    MODALITIES: frozenset[str]
    class Settings(BaseModel)                                   frozen, with defaults
    apply(item: Item, settings: Settings) -> Item | Rejected    the item itself where there is nothing to change
    DEFAULT = False             optional: on only where `rules` names it
    ORDER = -1                  optional: lower comes first; 0 where there is none, then in alphabetical order
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import rmtree
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import BadInput, Unreadable, unknown
from aigc_models.find import find, names
from aigc_models.reading.words import plain
from tasks.clean.parts import CLEAN, REJECTED, cleaned_shards, table
from tasks.clean.shard_journal import Journal, targets
from tasks.dataset.data_lock import writing
from tasks.dataset.refused import keep as keep_aside
from tasks.dataset.tables import QUARANTINE, Writer, count_rows, shards
from tasks.dataset.withdrawn import count_current, count_marks, current, keep, withdrawn
from tasks.ingest.ingest import file_errors, publish, write_table
from tasks.stage.code_version import code_version
from tasks.stage.references import CleanRef, RawRef
from tasks.stage.settings import Workspace, scratch_folder
from tasks.stage.stage import StageContext, stage
from tasks.stage.validation import validated

if TYPE_CHECKING:
    import pyarrow

PACKAGE = "tasks.clean.rules"
UNFORESEEN = (ArithmeticError, LookupError, MemoryError, RecursionError, ValueError)


@dataclass(frozen=True)
class Item:
    """What a rule sees: the content as its modality reads it (str, or uint8 (height, width, channel))."""

    content: Any
    name: str
    modality: str
    label: str | None = None
    noticed: tuple[str, ...] = ()  # what rules found in it and the data card counts, such as `e-mail`


@dataclass(frozen=True)
class Rejected:
    """Why an item is not used."""

    reason: str


class CleanSettings(BaseModel):
    """Which rules clean the content, and their settings where they differ from the defaults."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rules: dict[str, dict[str, Any]] = Field(
        default={},
        description="settings by rule name, such as too_short: {characters: 10}; naming one switches it on",
    )
    without: tuple[str, ...] = Field(default=(), description="names of rules that are left out")

    @field_validator("rules", "without")
    @classmethod
    def _check_names(cls, value: Any) -> Any:
        for name in value:
            if name not in names(PACKAGE):
                raise unknown("cleaning rule", name, names(PACKAGE))
            if isinstance(value, Mapping):
                validated(find(PACKAGE, name).Settings, value[name], f"cleaning rule {name}")
        return value

    def chosen(self, modality: str) -> dict[str, tuple[ModuleType, BaseModel]]:
        """The rules for a modality with their settings, in the order in which they are applied."""
        modules = {name: find(PACKAGE, name) for name in names(PACKAGE) if name not in self.without}
        ordered = sorted(modules.items(), key=lambda named: (getattr(named[1], "ORDER", 0), named[0]))
        return {
            name: (module, module.Settings.model_validate(self.rules.get(name, {})))
            for name, module in ordered
            if modality in module.MODALITIES and (name in self.rules or getattr(module, "DEFAULT", True))
        }


@dataclass
class Cleaned:
    """Rows, kept and rejected."""

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
    with file_errors(f"the data set {raw.dataset} in {context.workspace.data}"):
        workspace = context.workspace.create()
        folder = workspace.data / raw.dataset / "clean"
        journal = Journal(workspace.state / "clean" / f"{raw.dataset}.json", folder, made_by(raw, settings))
        given = shards(raw.path(workspace))
        with writing(workspace), scratch_folder(workspace) as scratch:
            _drop_strays(folder, {shard.stem for shard in given})
            keep(folder, withdrawn(raw.path(workspace)), scratch)
        todo = [shard for shard in given if not journal.holds(shard.stem)]
        done = max(0, raw.rows - sum(map(count_rows, todo)))
        with cleaned_shards(todo, cleaner, [raw.modality, settings.model_dump(mode="json")], context.stop) as cleaned:
            for shard, tables in cleaned:
                _publish(shard, tables, workspace, folder)
                journal.add(shard.stem)
                done += sum(rows.num_rows for rows in tables)
                context.progress(min(done, raw.rows), raw.rows)
        return _result(raw, folder, context)


def _result(raw: RawRef, folder: Path, context: StageContext) -> CleanRef:
    rules = Counter(rule for part in current(folder, ["rule"], rejected=True) for rule in part["rule"])
    rejected, kept = rules.total(), count_current(folder)
    if not kept:
        reasons = plain(_reasons(folder))
        kept_aside = _kept_aside(raw, folder, context)
        with writing(context.workspace):
            _undo(folder)
        raise BadInput(f"no item of {raw.dataset} can be used: all {rejected:,} were rejected ({reasons}){kept_aside}")
    changed = count_marks(folder, "changed")
    figures = {f"rejected_{rule}": count for rule, count in sorted(rules.items())}
    context.log(rows=kept, rejected=rejected, **figures, **{f"changed_{rule}": count for rule, count in changed.items()})
    return CleanRef.to(context.workspace, folder, dataset=raw.dataset, modality=raw.modality, rows=kept, rejected=rejected)


def _kept_aside(raw: RawRef, folder: Path, context: StageContext) -> str:
    """Where all that was rejected can be looked at; the data set itself is no more."""
    with scratch_folder(context.workspace) as scratch, Writer(scratch / "quarantine.parquet", QUARANTINE) as quarantine:
        for part in current(folder, list(REJECTED), rejected=True):
            quarantine.add(part | {"stage": ["clean"] * len(part["id"])})
        quarantine.file.close()
        keep_aside(context.workspace, raw.dataset, scratch / "quarantine.parquet")
    return f"; `aigc data items {raw.dataset} --split quarantine` lists them until the next add"


def _reasons(folder: Path) -> str:
    """The most frequent reasons, each with the first item that it is of."""
    counts, examples = Counter[str](), dict[str, str]()
    for part in current(folder, ["reason", "source"], rejected=True):
        counts.update(part["reason"])
        for reason, source in zip(part["reason"], part["source"], strict=True):
            examples.setdefault(reason, source)
    return "; ".join(f"{count:,} x {reason} ({examples[reason]})" for reason, count in counts.most_common(3))


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


def _publish(shard: Path, tables: Sequence[pyarrow.Table], workspace: Workspace, folder: Path) -> None:
    """Write what became of a raw shard: kept and rejected rows, both or neither for who reads under the lock."""
    with scratch_folder(workspace) as scratch:
        parts = targets(scratch, shard.stem)
        for rows, path in zip(tables, parts, strict=True):
            write_table(rows, path)
        with writing(workspace):
            publish(zip(parts, targets(folder, shard.stem), strict=True))


def cleaner(modality: str, settings: Mapping[str, Any]) -> Callable[[pyarrow.Table], list[pyarrow.Table]]:
    """What makes kept and rejected rows of raw ones; `settings` are the fields of `CleanSettings`."""
    module = find("aigc_models.modalities", modality)
    rules = CleanSettings.model_validate(settings).chosen(modality)

    def cleaned(rows: pyarrow.Table) -> list[pyarrow.Table]:
        outcome = Cleaned()
        for row in rows.to_pylist():
            _clean_row(row, module, modality, rules, outcome)
        return [table(outcome.kept, CLEAN), table(outcome.rejected, REJECTED)]

    return cleaned


def _clean_row(row: dict[str, Any], module: ModuleType, modality: str, rules: Mapping[str, Any], cleaned: Cleaned) -> None:
    def reject(rule: str, reason: str) -> None:
        stated = {name: row[name] for name in ("id", "source", "label")}
        cleaned.rejected.append(stated | {"rule": rule, "reason": plain(reason)})

    try:
        read = module.read(row["payload"], row["name"])
        invalid = module.validate(read)
    except Unreadable as error:
        return reject("unreadable", str(error))
    except UNFORESEEN as error:  # one file that nobody thought of must not end the cleaning of a million others
        return reject("unreadable", f"makes no sense to its reader ({type(error).__name__}: {error})")
    if invalid:
        return reject("invalid", invalid)
    item, changed = Item(read, row["name"], modality, row["label"]), []
    for name, (rule, settings) in rules.items():
        after = rule.apply(item, settings)
        if isinstance(after, Rejected):
            return reject(name, after.reason)
        if after.content is not item.content:
            changed.append(name)
        item = after
    content = module.normalise(item.content)
    changed += module.lost(row["payload"]) if hasattr(module, "lost") else []
    changed += module.altered(item.content, content) if hasattr(module, "altered") else []
    prints = module.fingerprint(content)
    kept = {name: row[name] for name in ("id", "label", "group", "split", "time", "source")}
    kept |= {"exact": prints.exact, "near": prints.near, "changed": changed, "noticed": list(item.noticed)}
    as_it_is = content is read and hasattr(module, "is_packed") and module.is_packed(row["payload"])
    cleaned.kept.append({**kept, "content": row["payload"] if as_it_is else module.pack(content)})
    return None
