"""What DVC's cache holds of a version: the files of a data set, by name and content.

The cache keeps each file once, under the md5 of its content, and for each state of `data/` a listing of its files.
A version is read from there without touching `data/`, whether it was committed to git or not.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from aigc_models.errors import BadInput, unknown
from tasks.dataset.forgotten import purged
from tasks.dataset.ledger import Version, ledger
from tasks.stage.settings import Workspace
from tasks.version.version import cache_folder


@dataclass(frozen=True)
class Entry:
    """A file of a version: its path below `data/NAME`, and the md5 of its content."""

    path: str
    md5: str


def find_version(workspace: Workspace, name: str, wanted: str = "") -> Version:
    """The version that begins with `wanted`, or the newest; raises `BadInput` naming those that there are."""
    versions = ledger(workspace, name)
    if not versions:
        raise BadInput(f"{name} has no version here; `aigc data list` shows what there is, `aigc data pull` fetches a remote's")
    if not wanted:
        return versions[-1]
    matches = [version for version in versions if version.version.startswith(wanted)]
    if not matches:
        raise unknown(f"version of {name}", wanted, list(dict.fromkeys(version.version for version in versions)))
    if len({version.version for version in matches}) > 1:
        raise BadInput(f"{wanted!r} fits several versions of {name}: {', '.join(sorted({v.version for v in matches}))}")
    return matches[-1]


def object_of(workspace: Workspace, md5: str) -> Path:
    """Where the cache keeps what has this md5; listings end in `.dir`."""
    return cache_folder(workspace) / "files" / "md5" / md5[:2] / md5[2:]


def entries(workspace: Workspace, version: Version) -> list[Entry]:
    """The files of a version in the order of their names; raises `BadInput` where the cache has no listing of it."""
    try:
        listing = json.loads(object_of(workspace, version.tree).read_bytes())
    except FileNotFoundError:
        raise BadInput(_missing(version, "its listing is")) from None
    except ValueError:
        raise BadInput(
            f"the listing of {version.dataset} {version.version} is damaged in the cache; {_advice(version)}"
        ) from None
    prefix = f"{version.dataset}/"
    records = (each for each in listing if each["relpath"].startswith(prefix))
    return sorted((Entry(each["relpath"].removeprefix(prefix), each["md5"]) for each in records), key=lambda entry: entry.path)


def present(workspace: Workspace, version: Version) -> dict[str, Path]:
    """Each file of a version by name, and where the cache keeps it; raises `BadInput` where it lacks some."""
    check_not_purged(workspace, version)
    places = {entry.path: object_of(workspace, entry.md5) for entry in entries(workspace, version)}
    missing = [path for path, place in places.items() if not place.is_file()]
    if missing:
        raise BadInput(_missing(version, f"{len(missing)} of {len(places)} files ({', '.join(missing[:3])}) are"))
    return places


def check_not_purged(workspace: Workspace, version: Version) -> None:
    """Raises `BadInput` for a version that held items which were forgotten since."""
    if version.version in purged(workspace, version.dataset):
        message = f"{version.dataset} {version.version} held items that were forgotten since, so it cannot be restored"
        raise BadInput(f"{message}; `aigc data versions {version.dataset}` shows the others")


def damaged(path: Path, md5: str) -> bool:
    """Whether a file of the cache is not what its name says."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest() != md5.removesuffix(".dir")


def _missing(version: Version, what: str) -> str:
    return f"{version.dataset} {version.version} cannot be restored: {what} not in the cache; {_advice(version)}"


def _advice(version: Version) -> str:
    return f"`aigc data pull {version.dataset} {version.version}` fetches it from the remote"
