"""What the page of a data card shows: the card, and the items that it names, read from the tables of the version."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import Field

from aigc_models.errors import Unreadable
from aigc_models.find import find
from tasks.dataset.named_items import examples
from tasks.dataset.tables import shards
from tasks.report.contents import Frozen
from tasks.report.gather import discarded

LONGEST = 500  # characters of a text that are shown
ROOM = 6_000_000  # characters of all previews together; what comes after them has its name alone
PRIVATE = frozenset({"personal_data", "word_list"})  # rules that threw away what nobody should have to see


class Shown(Frozen):
    """An item by name, with a preview where it can be read; `html` is the modality's, which escapes what it shows."""

    id: str
    source: str
    label: str | None = None
    reason: str = ""
    html: str = ""


class Thrown(Frozen):
    """What one rule threw away."""

    rule: str
    stage: str = Field(description="clean, duplicate, bridge or split")
    count: int
    examples: tuple[Shown, ...]


class Cluster(Frozen):
    """A group of near-duplicates with its first items."""

    size: int
    items: tuple[Shown, ...]


class DataCard(Frozen):
    """A version of a data set as a reader sees it."""

    name: str
    modality: str
    version: str
    card: dict[str, Any] = Field(description="data/NAME/card.json")
    examples: tuple[Shown, ...] = ()
    thrown: tuple[Thrown, ...] = ()
    clusters: tuple[Cluster, ...] = ()
    drift: dict[str, Any] | None = Field(
        None, description="against the training data of the champion, as tasks.drift.drift tells it"
    )
    note: str = Field("", description="why there is no drift to show")


def gathered(folder: Path, version: str, drift: Mapping[str, Any] | None = None, note: str = "") -> DataCard:
    """Read `folder` (data/NAME), one shard of it in memory at a time, and of that only the items to be shown."""
    card = json.loads((folder / "card.json").read_text(encoding="utf-8"))
    named = card.get("examples") or examples(folder / "splits.parquet", folder / "quarantine.parquet")
    groups = card.get("clusters", [])
    look = Look(find("aigc_models.modalities", card["modality"]))
    kept = {key for group in groups for key in group["ids"]} | {*named["train"]}
    clean = rows(folder / "clean", kept | {key for keys in named["rejected"].values() for key in keys}, ("content",))
    return DataCard(
        name=card["name"],
        modality=card["modality"],
        version=version,
        card=card,
        examples=tuple(look.kept(clean[key]) for key in named["train"] if key in clean),
        thrown=thrown(folder, named["rejected"], clean, look),
        clusters=tuple(
            Cluster(size=group["size"], items=tuple(look.kept(clean[key]) for key in group["ids"] if key in clean))
            for group in groups
        ),
        drift=dict(drift) if drift else None,
        note=note,
    )


def thrown(folder: Path, named: Mapping[str, Sequence[str]], clean: Mapping[str, Any], look: Look) -> tuple[Thrown, ...]:
    """Each rule's count, the largest first, and its examples: from the clean tables, else from the payloads as they came."""
    wanted = {key for keys in named.values() for key in keys}
    rejections = rows(folder, wanted, ("rule", "reason"), "quarantine.parquet")
    raw = rows(folder / "raw", wanted - clean.keys(), ("payload", "name"))
    groups = []
    for group in discarded(folder / "quarantine.parquet", examples=0):
        keys = [key for key in named.get(group.rule, ()) if key in rejections]
        shown = [look.rejected(rejections[key], clean.get(key), raw.get(key)) for key in keys]
        groups.append(Thrown(rule=group.rule, stage=group.stage, count=group.count, examples=tuple(shown)))
    return tuple(groups)


class Look:
    """How items look, as long as there is `ROOM` for it on the page."""

    def __init__(self, modality: ModuleType) -> None:
        self.modality, self.room = modality, ROOM

    def kept(self, row: Mapping[str, Any]) -> Shown:
        """An item of the clean tables."""
        html = self.preview(self.modality.unpack(row["content"]))
        return Shown(id=row["id"], source=row["source"], label=row["label"], html=html)

    def rejected(self, row: Mapping[str, Any], clean: Mapping[str, Any] | None, raw: Mapping[str, Any] | None) -> Shown:
        """An item of the quarantine, which stands in a clean table, or in a raw one."""
        shown = Shown(id=row["id"], source=row["source"], label=row["label"], reason=row["reason"] or "")
        if row["rule"] in PRIVATE:
            return shown
        content = self.modality.unpack(clean["content"]) if clean else self._read(raw) if raw else None
        return shown if content is None else shown.model_copy(update={"html": self.preview(content)})

    def preview(self, content: Any) -> str:
        """Empty where there is no room left."""
        if isinstance(content, str) and len(content) > LONGEST:
            content = content[:LONGEST].rstrip() + " …"
        html = str(self.modality.preview(content)) if self.room > 0 else ""
        self.room -= len(html)
        return html

    def _read(self, raw: Mapping[str, Any]) -> Any:
        """The content of a payload; None for one that is no content."""
        try:
            content = self.modality.read(raw["payload"], raw["name"])
        except Unreadable:
            return None
        return self.modality.normalise(content) if self.modality.validate(content) is None else None


def rows(folder: Path, ids: Collection[str], columns: Sequence[str], file: str = "") -> dict[str, dict[str, Any]]:
    """By id, where they come from, their label and `columns`: from one table of `folder`, or from all of its shards."""
    names = ["id", "source", "label", *columns]
    paths = [folder / file] if file else shards(folder)
    return {row["id"]: row for path in paths for row in _rows(path, ids, names)} if ids else {}


def _rows(path: Path, ids: Collection[str], columns: list[str]) -> Iterator[dict[str, Any]]:
    import pyarrow
    import pyarrow.compute as compute
    from pyarrow import dataset

    wanted = compute.field("id").isin(pyarrow.array(sorted(ids), pyarrow.string()))
    yield from dataset.dataset(path, format="parquet").to_table(columns=columns, filter=wanted).to_pylist()
