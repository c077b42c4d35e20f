"""The answers to a followed folder (`tasks/use/follow.py`) as posts, in the order of time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aigc_models.errors import BadInput
from tasks.use.arrivals.answers import ANSWER
from tasks.use.arrivals.journal import JOURNAL


@dataclass(frozen=True)
class Post:
    """One text with the label that it was given; `place`: its answer's folder and row, by which it is found again."""

    place: str
    time: datetime
    text: str
    label: str
    probability: float
    topic: str = ""
    source: str = ""


def posts(out: Path) -> list[Post]:
    """All that were answered into `out`; raises `BadInput` where it is no such folder."""
    journal = out / JOURNAL
    if not journal.is_file():
        raise BadInput(f"{out} holds no answers: there is no {JOURNAL}")
    read = [post for line in journal.read_text(encoding="utf-8").splitlines() for post in _of_file(out, json.loads(line))]
    return sorted(read, key=lambda post: (post.time, post.place))


def _of_file(out: Path, line: dict[str, Any]) -> Iterator[Post]:
    came = moment(line["came"])
    manifest = json.loads((out / line["answer"] / ANSWER).read_text(encoding="utf-8"))
    for row in manifest["rows"]:
        for item in row.get("items", []):
            if "text" in item and "label" in item:
                yield Post(
                    place=f"{line['answer']}:{row['row']}",
                    time=moment(item["time"], came) if "time" in item else came,
                    text=item["text"],
                    label=item["label"],
                    probability=item["probability"],
                    topic=item.get("topic", ""),
                    source=item.get("source", ""),
                )


def moment(text: str, otherwise: datetime | None = None) -> datetime:
    """ISO 8601, without a zone in UTC; `otherwise` for what is none."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        if otherwise is None:
            raise
        return otherwise
    return read if read.tzinfo else read.replace(tzinfo=UTC)
