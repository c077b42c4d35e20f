"""The catalogue of public sets: what each is, under which licence, and its files, checked by sha256.

`AIGC_MIRROR=DIR` takes a set from `DIR/FOLDER`; what is not there is fetched from its address.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import uuid
import zipfile
from functools import cache
from pathlib import Path, PurePosixPath

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, unknown
from tasks.ingest.readers import fetched
from tasks.ingest.readers.rows import digest
from tasks.stage.owner import locked
from tasks.stage.settings import Workspace
from tasks.stage.validation import validated

FILE = Path(__file__).with_name("catalogue.yaml")
MIRROR = "AIGC_MIRROR"
NOTES = ("SOURCE.md", "sha256sums.txt")
SHA256 = "^[0-9a-f]{64}$"


class Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class File(Model):
    """One file; without a sha256 its first fetch is locked."""

    path: str = Field(description="where it lies in the mirror's folder")
    sha256: str | None = Field(None, pattern=SHA256, description="digest of the file")
    md5: str | None = Field(None, pattern="^[0-9a-f]{32}$", description="digest of the file, where its authors give no other")
    url: str | None = Field(None, description="where it comes from; without one it comes from a mirror alone")
    split: str | None = Field(None, description="the split that its items belong to")


class Archive(Model):
    """A zip file that holds a part of a tree."""

    url: str = Field(description="where it comes from")
    sha256: str | None = Field(None, pattern=SHA256, description="digest of the archive; what it unpacks to is checked anyway")
    inside: str = Field("", description="the folder in it that is taken, with a / at its end")
    into: str = Field("", description="the folder of the tree that it becomes, with a / at its end")


class Tree(Model):
    """A folder of many files."""

    path: str = Field(description="where it lies in the mirror's folder")
    sha256: str = Field(pattern=SHA256, description="digest of the folder, as `tree_digest` takes it")
    bytes: int = Field(gt=0, description="size of all files")
    archives: tuple[Archive, ...] = Field((), description="what it is unpacked from; without any it comes from a mirror alone")


class Entry(Model):
    """A public set."""

    about: str = Field(description="what it is, in a line")
    home: str = Field(description="page of those who publish it")
    licence: str = Field(description="licence of the content")
    terms: str = Field("", description="what the licence forbids, in words")
    folder: str = Field("", description="sub-folder of the mirror; the entry's name if left out")
    modality: str = Field(description="text, image, audio, series or events")
    label: str | None = Field(None, description="how labels are found, as in the settings of a source")
    content: str | None = Field(None, description="column that holds the content")
    group: str | None = Field(None, description="column whose equal values stay in one split")
    split: str | None = Field(None, description="column that says the split, folder, or key")
    time: str | None = Field(None, description="column that holds the time")
    options: dict[str, str] = Field({}, description="what that kind of file asks for beside")
    files: tuple[File, ...] = Field((), description="the files, read one after another")
    together: bool = Field(False, description="whether the files are read as one folder")
    tree: Tree | None = Field(None, description="a folder of files in place of `files`")


def entry(name: str) -> Entry:
    """The set of that name; raises `BadInput` naming the nearest one."""
    entries = _entries(FILE)
    if name not in entries:
        raise unknown("catalogue entry", name, entries)
    return entries[name]


def names() -> list[str]:
    return sorted(_entries(FILE))


@cache
def _entries(file: Path) -> dict[str, Entry]:
    import yaml

    values_by_name = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name: validated(Entry, values, f"{file.name}: {name}") for name, values in values_by_name.items()}


def places(name: str) -> list[Path]:
    """The files or the folder of a set, checked; from the mirror, else fetched.

    Raises `BadInput` where a digest is not the entry's, or where neither the mirror nor the network has the set.
    """
    entry_ = entry(name)
    tree = entry_.tree
    if tree is None:
        files = [_checked_file(name, entry_, file) for file in entry_.files]
        return [_gathered(name, files)] if entry_.together else files
    return [_mirrored(name, entry_, tree.path, tree.sha256) or _unpacked(name, tree)]


def _checked_file(name: str, entry_: Entry, file: File) -> Path:
    path = _mirrored(name, entry_, file.path, file.sha256)
    if path:
        _check_md5(name, file, path)
        return path
    if file.url is None:
        raise _only_mirrored(name)
    path = _fetched(name, file.url, file.sha256)
    try:
        _check_md5(name, file, path)
    except BadInput:
        path.unlink()  # it is fetched anew the next time
        raise
    return path


def _check_md5(name: str, file: File, place: Path) -> None:
    """Raises `BadInput` where the digest that the authors publish is not that of the file."""
    if file.md5 is None:
        return
    with place.open("rb") as handle:
        md5 = hashlib.file_digest(handle, "md5").hexdigest()
    if md5 != file.md5:
        raise BadInput(f"catalog:{name}: {file.path} has the md5 {md5}, the catalogue says {file.md5}; fetch it again")


def _gathered(name: str, files: list[Path]) -> Path:
    """The one folder that the files lie in; those that were fetched, each to a place of its own, are linked into one."""
    if len({file.parent for file in files}) == 1:
        return files[0].parent
    folder = Workspace.current().create().state / "fetched" / f"{name}-together"
    with locked(Workspace.current(), f"fetch-{name}"):
        folder.mkdir(exist_ok=True)
        for file in files:
            part = folder / f".{uuid.uuid4().hex[:8]}.part"
            part.symlink_to(file.resolve())
            part.replace(folder / file.name)
    return folder


def _mirrored(name: str, entry_: Entry, path: str, expected: str | None) -> Path | None:
    """What the mirror holds there, None without one."""
    root = os.environ.get(MIRROR)
    place = Path(root).expanduser().resolve() / (entry_.folder or name) / path if root else None
    if place is None or not place.exists():
        return None
    sha256 = tree_digest(place) if place.is_dir() else digest(place)
    if expected and sha256 != expected:
        raise BadInput(
            f"catalog:{name}: {path} in {MIRROR} has the sha256 {sha256}, the catalogue says {expected}; "
            f"put the right copy there, or unset {MIRROR} to fetch it"
        )
    return place


def _fetched(name: str, url: str, pinned: str | None) -> Path:
    try:
        return fetched.current(url, pinned) if pinned else fetched.local(url)
    except BadInput as error:
        raise BadInput(f"catalog:{name}: {_absent(name)}, and it cannot be fetched: {error}") from error


def _absent(name: str) -> str:
    root = os.environ.get(MIRROR)
    folder = entry(name).folder or name
    return f"{MIRROR} has no complete folder {folder!r}" if root else f"{MIRROR} is not set"


def _only_mirrored(name: str) -> BadInput:
    return BadInput(f"catalog:{name}: {_absent(name)}, and it has no address; set {MIRROR} to a folder with it")


def tree_digest(folder: Path) -> str:
    """sha256 of the lines `SHA256  PATH` of all files below, by path; hidden ones and the mirror's notes aside."""
    paths = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    listed = sorted(path.as_posix() for path in paths if path.name not in NOTES and not _hidden(path))
    whole = hashlib.sha256()
    for path in listed:
        whole.update(f"{digest(folder / path)}  {path}\n".encode())
    return whole.hexdigest()


def _hidden(path: Path | PurePosixPath) -> bool:
    return any(part.startswith(".") for part in path.parts)


def _unpacked(name: str, tree: Tree) -> Path:
    """The tree as its archives hold it, unpacked once into the workspace; a wrong one is not kept."""
    if not tree.archives:
        raise _only_mirrored(name)
    place = Workspace.current().create().state / "fetched" / f"{name}-{tree.sha256[:12]}"
    with locked(Workspace.current(), f"fetch-{name}"):
        if place.is_dir() and tree_digest(place) == tree.sha256:
            return place
        part = place.with_name(f".{uuid.uuid4().hex[:8]}.part")
        try:
            for archive in tree.archives:
                _unpack(_fetched(name, archive.url, archive.sha256), archive, part, tree.bytes)
            sha256 = tree_digest(part)
            if sha256 != tree.sha256:
                raise BadInput(f"catalog:{name}: what was fetched has the sha256 {sha256}, the catalogue says {tree.sha256}")
            shutil.rmtree(place, ignore_errors=True)
            part.rename(place)
        finally:
            shutil.rmtree(part, ignore_errors=True)
    return place


def _unpack(path: Path, archive: Archive, target: Path, most: int) -> None:
    """The files of one folder of a zip; raises `BadInput` for one that is none, leads out of it or is larger than stated."""
    left = most
    try:
        with zipfile.ZipFile(path) as content:
            for member in content.infolist():
                place = PurePosixPath(archive.into + member.filename.removeprefix(archive.inside))
                if member.is_dir() or not member.filename.startswith(archive.inside) or _hidden(place):
                    continue
                left -= member.file_size
                if left < 0 or place.is_absolute() or ".." in place.parts:
                    raise BadInput(f"{path.name} is not the archive that the catalogue means: {member.filename!r}")
                (target / place).parent.mkdir(parents=True, exist_ok=True)
                (target / place).write_bytes(content.read(member))
    except (zipfile.BadZipFile, RuntimeError) as error:
        raise BadInput(f"{path.name} is not a zip file that can be read: {error}") from error
