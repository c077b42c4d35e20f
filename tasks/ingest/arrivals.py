"""Which items that arrive are new, and which correct the label of an item that the data set has.

An item is its source and its content, so a label that was corrected in a table is the same item with another label, and
a file that was moved to another class, or a row below one that was put in, is the same content at another source.
"""

from __future__ import annotations

import hashlib
import unicodedata
import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aigc_models.errors import BadInput
from tasks.dataset.forgotten import Forgotten
from tasks.dataset.ids import Ids
from tasks.dataset.tables import CONTENTS, batches, read, shards
from tasks.ingest.source import RawItem, SourceSettings

MOST_NAMES = 10_000  # labels that are compared with each other


@dataclass
class Arrivals:
    """The items of one source, one after the other; `labels` has the mark of each label that the raw shards hold."""

    source: SourceSettings
    labels: Ids
    gone: Forgotten
    seen: Ids = field(default_factory=Ids)
    corrected: set[str] = field(default_factory=set)
    left_out: set[str] = field(default_factory=set)  # digests of what was forgotten and arrived
    count: int = 0  # of such items
    unread: set[str] = field(default_factory=set)  # what could not be read this time (`RawItem.unread`)
    names: set[str] = field(default_factory=set)  # labels, of many the first ones

    def takes(self, item: RawItem) -> bool:
        """Whether the item belongs into a new shard; of `corrected` ones the row that is there has to go.

        An item without a label corrects one only where the source says how its items are labelled: else a label would
        be lost where `--label` was left out.
        """
        if item.unread is not None:
            self.unread.add(item.unread)
        if item.label is not None and len(self.names) < MOST_NAMES:
            self.names.add(item.label)
        reasons = self.gone.reasons(item)
        if reasons:
            self.left_out |= reasons
            self.count += 1
        if reasons or not self.seen.add(item.id):
            return False
        before = self.labels.mark(item.id)
        if before is None:
            return True
        stated = item.label is not None or self.source.labels.kind not in ("", "none")
        if not stated or before == label_mark(item.label):
            return False
        self.corrected.add(item.id)
        return True


def alike(labels: Collection[str]) -> list[list[str]]:
    """Labels that differ by the case of letters, by white space or by Unicode's compatible forms alone.

    >>> alike(["cat", "Cat", "dog", " dog", "cow"])
    [[' dog', 'dog'], ['Cat', 'cat']]
    """
    groups: dict[str, list[str]] = {}
    for label in sorted(labels):
        groups.setdefault(unicodedata.normalize("NFKC", " ".join(label.split())).casefold(), []).append(label)
    return [group for group in groups.values() if len(group) > 1]


def label_mark(label: str | None) -> int:
    """A label as a number of 32 bits; 0 for none."""
    return 0 if label is None else zlib.crc32(label.encode("utf-8", "backslashreplace")) or 1


def label_marks(folder: Path, kind: str, name: str) -> Ids:
    """Id and label of every raw item; raises `BadInput` where the shards hold another modality than `kind`."""
    from pyarrow import parquet

    ids = Ids()
    for shard in shards(folder):
        table = parquet.read_table(shard, columns=["id", "label"])
        held = (table.schema.metadata or {}).get(b"modality", kind.encode()).decode()
        if held != kind:
            raise BadInput(f"the data set {name} holds the modality {held}, the source {kind}; give it another name")
        ids.sort_in(table["id"].to_pylist(), [label_mark(label) for label in table["label"].to_pylist()])
    return ids


def moved(folder: Path, new_shards: list[Path], files: Collection[str], seen: Ids) -> set[str]:
    """Ids of raw items that are no longer where they were, and whose content arrived elsewhere with another label.

    `files` are those that were read, or are gone since the last time; `seen` the ids of all that was read. Where the
    content was there with that label too, it was no correction, and nothing goes.
    """
    vanished = _vanished(folder, files, seen) if new_shards and files else {}
    outdated: set[str] = set()
    for part in batches(new_shards, ["payload", "label"], CONTENTS) if vanished else ():
        for payload, label in zip(part["payload"], part["label"], strict=True):
            before = vanished.get(hashlib.sha256(payload).digest(), {})
            if label is not None and label not in before.values():
                outdated.update(before)
    return outdated


def _vanished(folder: Path, files: Collection[str], seen: Ids) -> dict[bytes, dict[str, str | None]]:
    """Digest of the content -> id -> label, of the raw items of these files that were not seen."""
    by_content: dict[bytes, dict[str, str | None]] = {}
    for shard in shards(folder):
        rows = read([shard], ["id", "source", "label"])
        labels = {
            key: label
            for key, source, label in zip(rows["id"], rows["source"], rows["label"], strict=True)
            if (source in files or source.rpartition("#")[0] in files) and key not in seen
        }
        for key, payload in _payloads(shard) if labels else ():
            if payload and key in labels:
                by_content.setdefault(hashlib.sha256(payload).digest(), {})[key] = labels[key]
    return by_content


def _payloads(shard: Path) -> Iterator[tuple[str, bytes]]:
    for part in batches([shard], ["id", "payload"], CONTENTS):
        yield from zip(part["id"], part["payload"], strict=True)
