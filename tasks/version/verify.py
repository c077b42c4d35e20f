"""Whether what the cache keeps of a data set's versions is what was put there."""

from __future__ import annotations

from collections.abc import Callable

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.dataset.forgotten import purged
from tasks.dataset.ledger import Version, ledger
from tasks.stage.settings import Workspace
from tasks.version.cache import damaged, entries, object_of


class Verified(BaseModel):
    """The state of one version in the cache; it can be restored if nothing is damaged or missing."""

    model_config = ConfigDict(frozen=True)

    dataset: str
    version: str
    files: int = Field(description="of the version")
    damaged: tuple[str, ...] = Field((), description="files whose content in the cache is not what was put there")
    missing: tuple[str, ...] = Field((), description="files that the cache does not hold")

    @property
    def intact(self) -> bool:
        return not self.damaged and not self.missing


def verify(workspace: Workspace, name: str, progress: Callable[[int, int], None] = lambda done, total: None) -> list[Verified]:
    """Read every file of every version of a data set once, oldest first; changes nothing. Forgotten ones are left out."""
    gone = purged(workspace, name)
    kept = (version for version in ledger(workspace, name) if version.version not in gone)
    versions = list({version.version: version for version in kept}.values())
    seen: dict[str, bool] = {}
    checks = []
    for number, version in enumerate(versions, start=1):
        checks.append(_one(workspace, version, seen))
        progress(number, len(versions))
    return checks


def _one(workspace: Workspace, version: Version, seen: dict[str, bool]) -> Verified:
    """`seen`: md5 -> whether it is damaged, of what versions share."""
    identity = {"dataset": version.dataset, "version": version.version}
    listing = object_of(workspace, version.tree)
    if not listing.is_file() or damaged(listing, version.tree):
        what = {"damaged": ("listing",)} if listing.is_file() else {"missing": ("listing",)}
        return Verified(**identity, files=0, **what)
    files = entries(workspace, version)
    held = {entry: object_of(workspace, entry.md5) for entry in files}
    for entry, place in held.items():
        if place.is_file() and entry.md5 not in seen:
            seen[entry.md5] = damaged(place, entry.md5)
    return Verified(
        **identity,
        files=len(files),
        damaged=tuple(entry.path for entry, place in held.items() if place.is_file() and seen[entry.md5]),
        missing=tuple(entry.path for entry, place in held.items() if not place.is_file()),
    )


def drop_damaged(workspace: Workspace, version: Version) -> int:
    """Take damaged files of a version out of the cache, so that a remote's are fetched; gives how many.

    Raises `BadInput` where one cannot be removed.
    """
    listing = object_of(workspace, version.tree)
    bad = [listing] if listing.is_file() and damaged(listing, version.tree) else []
    if listing.is_file() and not bad:
        places = {entry.md5: object_of(workspace, entry.md5) for entry in entries(workspace, version)}
        bad = [place for md5, place in places.items() if place.is_file() and damaged(place, md5)]
    for place in bad:
        try:
            place.unlink()
        except OSError as error:
            raise BadInput(f"{place} is damaged and cannot be removed: {error.strerror}") from error
    return len(bad)
