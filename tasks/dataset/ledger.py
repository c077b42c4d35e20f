"""The versions that a workspace has seen: `.aigc/versions.jsonl`, one line each, oldest first.

Lines are only ever added: at the end, where a version is made, and at the beginning, where a remote has more of them;
so the last line of a data set says what lies in `data/NAME`. A line that cannot be read stays as it is.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tasks.stage.settings import Workspace

MARKS = ("<<<<<<<", "|||||||", "=======", ">>>>>>>")  # that git leaves where it could not merge


class Version(BaseModel):
    """A line of the ledger: `tree` is DVC's own digest of all of `data/` at that time."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str = Field(description="name of the data set")
    version: str = Field(description="digest over the files of data/NAME")
    rows: int = Field(description="items in all splits")
    splits: dict[str, int] = Field(description="items in each split")
    tree: str = Field(description="md5 of the listing in DVC's cache")


def ledger(workspace: Workspace, dataset: str) -> list[Version]:
    """The versions of a data set that this workspace has seen, oldest first; lines that are none are named on stderr."""
    path = _file(workspace)
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []
    return [version for version in parsed(lines, str(path)) if version.dataset == dataset]


def parsed(lines: Iterable[str], where: str) -> Iterator[Version]:
    """The versions that lines hold; one that holds none is passed over and named, once, on stderr."""
    for number, line in enumerate(lines, start=1):
        try:
            yield Version.model_validate_json(line)
        except ValidationError as error:
            if line.strip():
                _name_line(where, number, _fault(line, error))


def record(workspace: Workspace, version: Version) -> None:
    """Add a line to the ledger, unless it says what the data set's last one says."""
    if ledger(workspace, version.dataset)[-1:] == [version]:
        return
    path = _file(workspace)
    held = path.read_bytes() if path.exists() else b""
    with path.open("a", encoding="utf-8") as file:
        file.write("\n" if held and not held.endswith(b"\n") else "")  # after one that was cut
        file.write(as_line(version))


def put_before(workspace: Workspace, versions: Iterable[Version]) -> None:
    """Those of the versions that the ledger has not, before all others: what lies in `data/` stays the newest."""
    path, new = _file(workspace), {(each.version, each.tree): each for each in versions}
    for name in {each.dataset for each in new.values()}:
        for each in ledger(workspace, name):
            new.pop((each.version, each.tree), None)
    more = "".join(map(as_line, new.values()))
    if more:
        part = path.with_suffix(".tmp")
        part.write_bytes(more.encode() + (path.read_bytes() if path.exists() else b""))
        part.replace(path)


def as_line(version: Version) -> str:
    return json.dumps(version.model_dump(), sort_keys=True) + "\n"


def _file(workspace: Workspace) -> Path:
    return workspace.state / "versions.jsonl"


def _fault(line: str, error: ValidationError) -> str:
    if line.startswith(MARKS):
        return "a mark of a merge"
    kinds = {each["type"] for each in error.errors()}
    if "json_invalid" in kinds:
        return "not JSON, perhaps cut off"
    if kinds == {"extra_forbidden"}:
        return f"of a newer release, since it has {', '.join(str(each['loc'][0]) for each in error.errors())}"
    return "not a version"


@cache
def _name_line(where: str, number: int, fault: str) -> None:
    print(f"{where}: line {number} is {fault}; it is passed over and stays as it is", file=sys.stderr, flush=True)
