"""The items of a data set, one by one: where each came from, where it stands, or why it was put aside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, unknown
from tasks.dataset.datasets import names, summary
from tasks.dataset.refused import file_of
from tasks.dataset.tables import batches, shards
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    import pandas

ROWS = 10_000  # of contents that are in memory at a time
SHOWN = ("id", "split", "label", "group", "source", "rule", "reason")


class ItemsSettings(BaseModel):
    """Which items are looked for; what is left empty does not count."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    split: str = Field("", description="train, validation, test, or quarantine")
    label: str = Field("", description="label, as the data card names it")
    rule: str = Field("", description="rule that put them into quarantine, as the data card names it")
    source: str = Field("", description="piece of the file or row that they came from (text)")
    contains: str = Field("", description="piece of the content (text; of data sets of texts)")


def items(workspace: Workspace, name: str, wanted: ItemsSettings) -> pandas.DataFrame:
    """The items of the version that lies in `data/NAME`, in the order of ingestion, those in quarantine last.

    Of a data set that was refused last (`tasks.dataset.refused`), those that were put aside then are in quarantine.
    Columns are `SHOWN`. Raises `BadInput` for an unknown data set, split or rule.
    """
    table = _all_items(workspace, name)
    for column in ("split", "label", "rule"):
        value = getattr(wanted, column)
        if value and value not in set(table[column].dropna()):
            raise unknown(f"{column} of {name}", value, sorted(set(table[column].dropna())))
        table = table[table[column] == value] if value else table
    if wanted.source:
        table = table[table["source"].str.contains(wanted.source, regex=False)]
    if wanted.contains:
        table = table[table["id"].isin(_containing(workspace, name, wanted.contains))]
    return table[list(SHOWN)].astype(object).where(table[list(SHOWN)].notna(), None)


def _all_items(workspace: Workspace, name: str) -> pandas.DataFrame:
    import pandas

    folder, aside = workspace.data / name, file_of(workspace, name)
    if name not in names(workspace) and not aside.is_file():
        raise unknown("data set", name, names(workspace))
    parts = [_placed(folder)] if name in names(workspace) else []
    put_aside = aside if aside.is_file() else folder / "quarantine.parquet"
    parts.append(pandas.read_parquet(put_aside).assign(split="quarantine", group=None))
    return pandas.concat(parts, ignore_index=True)


def _placed(folder: Path) -> pandas.DataFrame:
    import pandas

    columns = ["id", "source", "label", "group"]
    clean = pandas.concat([pandas.read_parquet(shard, columns=columns) for shard in shards(folder / "clean")])
    return clean.merge(pandas.read_parquet(folder / "splits.parquet", columns=["id", "split"]), on="id")


def _containing(workspace: Workspace, name: str, text: str) -> set[str]:
    """Ids of clean texts that hold `text`, upper or lower case."""
    if summary(workspace, name)["modality"] != "text":
        raise BadInput(f"{name} holds no texts, so no content can be looked for; --source looks for a file or row")
    ids: set[str] = set()
    for part in batches(shards(workspace.data / name / "clean"), ["id", "content"], ROWS):
        pairs = zip(part["id"], part["content"], strict=True)
        ids.update(key for key, content in pairs if text.casefold() in content.decode().casefold())
    return ids
