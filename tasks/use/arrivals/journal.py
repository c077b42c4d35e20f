"""Which arrived files were answered: a line for each, on the disk before the next file is begun."""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from aigc_models.errors import BadInput
from tasks.use.arrivals.inbox import Arrival, Inbox

JOURNAL = "journal.jsonl"
PATIENCE, NAP = 10.0, 0.2  # seconds that a predecessor that was killed gets to be gone, and between two tries
REMEMBERED = 10_000  # latencies, for the median


@dataclass
class Journal:
    """`done` holds names and digests; latencies count from a file's arrival, or from our start where it was there before."""

    file: IO[bytes]
    began: float = field(default_factory=time.time)
    done: set[tuple[str, str]] = field(default_factory=set)
    looks: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: deque[float] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    answered: int = 0
    failed: int = 0
    items: int = 0

    def __post_init__(self) -> None:
        """Take in what was answered before; a line that a kill cut short is cut off."""
        self.file.seek(0)
        whole = 0
        for line in self.file:
            try:
                record = json.loads(line)
                self.done.add((record["input"], record["sha256"]))
                self.looks[record["input"]] = (record["size"], record["modified"])
            except (ValueError, KeyError, TypeError):
                break
            whole += len(line)
        self.file.truncate(whole)
        self.file.seek(whole)

    def tell(self, inbox: Inbox) -> None:
        """Files that look as they did when they were answered need not be read again."""
        for name, look in self.looks.items():
            inbox.mark_handled(name, look)

    def add(self, arrival: Arrival, sha256: str, answer: str, manifest: dict[str, Any]) -> None:
        """Write the line that makes it so; `answer`: the folder, relative to the journal's."""
        now = time.time()
        latency = now - max(arrival.came, self.began)
        line = {
            "input": arrival.name,
            "sha256": sha256,
            "size": arrival.print[0],
            "modified": arrival.print[1],
            "answer": answer,
            "ok": manifest["ok"],
            "items": sum(len(row.get("items", [])) for row in manifest["rows"]),
            "came": moment(arrival.came),
            "answered": moment(now),
            "seconds": round(latency, 3),
        }
        self.file.write(json.dumps(line).encode() + b"\n")
        self.file.flush()
        os.fsync(self.file.fileno())
        self.done.add((arrival.name, sha256))
        self.seconds.append(latency)
        self.answered += 1
        self.failed += not manifest["ok"]
        self.items += line["items"]

    def latency(self, share: float) -> float | None:
        """The quantile of the latencies, in seconds."""
        ordered = sorted(self.seconds)
        return round(ordered[int(share * (len(ordered) - 1))], 3) if ordered else None


def moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


@contextmanager
def opened(folder: Path) -> Iterator[Journal]:
    """The folder's journal, locked; raises `BadInput` where another process answers into it."""
    with (folder / JOURNAL).open("a+b") as file:
        until = time.monotonic() + PATIENCE
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError as error:
                if time.monotonic() > until:
                    raise BadInput(f"another command answers into {folder}; wait for it or choose another --out") from error
                time.sleep(NAP)
        yield Journal(file)


def count(folder: Path) -> int:
    """How many files were answered, by all commands together."""
    path = folder / JOURNAL
    return path.read_bytes().count(b"\n") if path.exists() else 0
