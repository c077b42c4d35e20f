"""Where raw content comes from, and what a source plug-in (`tasks/sources/NAME.py`) is given and gives:

accepts(location: str) -> bool
modality(source: SourceSettings) -> str                 text or image, found out without reading all
fingerprint(source: SourceSettings) -> str              changes when the content does
read(source: SourceSettings, modality: str) -> Iterator[RawItem]
content_files(source: SourceSettings) -> list[Path]     optional: the files that hold the content, if it is not one
read_new(source, modality, unchanged: Collection[str])  optional: as `read`, without these of the files that hold it
place(source: SourceSettings) -> str                    optional: the location such that it holds from every folder
through(source: SourceSettings) -> SourceSettings       optional: what is really read, once it lies here
KEEPS: bool                                             optional: what has left the source stays unless `keep` is false
origin(source: SourceSettings) -> str                  optional: the location without what says which state is meant
PARTS: tuple[str, ...]                                  optional: the options that choose a part of what is there
Options                                                 optional: a pydantic model of `SourceSettings.options`
TABLES: tuple[str, ...]                                 optional: the suffixes of the tables that it reads
table(source, file) -> rows, columns                    with TABLES: of such a file, which may lie in memory
LAST: bool                                              optional: asked after all that do not say so
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import BadInput, unknown
from aigc_models.find import find, names
from tasks.stage.addresses import FILLED_IN, KEYS
from tasks.stage.code_version import code_version, reached
from tasks.stage.names import check_name
from tasks.stage.settings import Workspace
from tasks.stage.validation import validated

PACKAGE = "tasks.ingest.sources"
Options = TypeVar("Options", bound=BaseModel)
UNSTATED = "not stated"
# NAME:PASSWORD@ before the host (of a database up to any @, for its passwords may hold a slash; of http anyone, since a
# token may stand there), or a parameter.
_PASSWORD = re.compile(
    r"(?:postgres|mysql|mariadb|mssql|oracle)[\w+]*://[^@:/]*:[^@]*@"
    r"|https?://[^/?#]*@|[\w+.-]+://(?:[^/?#@:]*:[^/?#]*@|.*[?&]\w*(?:password|passwd|pwd)=)",
    re.IGNORECASE,
)
# A parameter of a URL that opens a door, unless it is ${NAME}: taken from the environment when the URL is asked for.
_SECRET = re.compile(
    rf"[\w+.-]+://[^#]*[?&]({KEYS})=(?!{FILLED_IN}(?:&|#|$))[^&#]",
    re.IGNORECASE,
)
MAGIC = re.compile(r"[*?\[]")
LABELS = "folder | column:C | name:REGEX | line:SEP | none"


@dataclass(frozen=True)
class RawItem:
    """One item as it came. `source` is relative to the location and names the row or piece after `#`."""

    payload: bytes
    name: str
    source: str
    label: str | None = None
    group: str | None = None
    split: str | None = None
    time: str | None = None
    prompt: str | None = None
    unread: str | None = None  # the source, or how sources begin (a folder `b/`), that could not be read: those items stay

    @cached_property
    def id(self) -> str:
        """24 hexadecimal digits; the same item has the same id in every run and on every machine."""
        sha256 = hashlib.sha256(self.source.encode("utf-8", "surrogatepass") + b"\0")
        sha256.update(self.payload)  # not copied: it may be large
        return sha256.hexdigest()[:24]


class SourceSettings(BaseModel):
    """A named data set and where its content comes from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="name of the data set: letters from A to Z, digits, '.', '_' and '-'")
    location: str = Field(
        description="path of a folder or a file, URL, URL of a database, hub:NAME, catalog:NAME or embedded:NAME"
    )
    modality: str | None = Field(
        None, description="text, image, audio, series or events; found out from the content if left out"
    )
    label: str | None = Field(None, description=f"{LABELS}; if left out: folder for pictures in sub-folders, else none")
    content: str | None = Field(None, description="column that holds the content (csv, jsonl, parquet)")
    group: str | None = Field(None, description="column whose equal values stay in one split")
    split: str | None = Field(
        None,
        description="column that says train, validation or test; 'folder': the first folder, 'key': a key of a JSON file",
    )
    time: str | None = Field(None, description="column that holds the time of the event")
    licence: str = Field(UNSTATED, description="licence of the content, for the data card")
    follow_links: bool = Field(
        False, description="take what links in a folder lead to outside of it; else they are left out and named"
    )
    keep: bool | None = Field(
        None,
        description="keep what the source no longer holds, as of logs whose old files are removed (yes or no); if left out: "
        "yes for a database, else no",
    )
    options: dict[str, str] = Field({}, description="what this kind of source asks for beside, such as the query of a database")

    @field_validator("name")
    @classmethod
    def _plain_name(cls, name: str) -> str:
        return check_name("a data set", name, there=lambda: _stands(name))

    @field_validator("location")
    @classmethod
    def _no_password(cls, location: str) -> str:
        if _PASSWORD.match(location):  # locations are remembered, logged and shown
            raise BadInput(
                "a password does not belong into the location of a source, nor does a token; leave it out and give it where "
                "the driver looks for it: PGPASSWORD or ~/.pgpass for PostgreSQL, ~/.netrc for http"
            )
        if parameter := _SECRET.match(location):
            raise BadInput(
                f"the parameter {parameter[1]!r} of the URL looks like a secret, and locations are remembered, logged and "
                f"shown; write {parameter[1]}=${{NAME}} and set NAME in the environment, where it is read each time"
            )
        return location

    @field_validator("modality")
    @classmethod
    def _check_modality(cls, modality: str | None) -> str | None:
        modalities = names("aigc_models.modalities")
        if modality is not None and modality not in modalities:
            raise unknown("modality", modality, modalities)
        return modality

    @field_validator("label")
    @classmethod
    def _check_label(cls, label: str | None) -> str | None:
        Labels.parse(label)
        return label

    @property
    def labels(self) -> Labels:
        return Labels.parse(self.label)

    @property
    def path(self) -> Path:
        return Path(self.location).expanduser()

    @property
    def pattern(self) -> str:
        """The part of a location from the first `*`, `?` or `[` on, such as `**/*.png`; empty for one that is a place."""
        if not MAGIC.search(self.location) or self.path.exists():
            return ""
        parts = self.path.parts
        return "/".join(parts[next(at for at, part in enumerate(parts) if MAGIC.search(part)) :])

    @property
    def root(self) -> Path:
        """The folder that the names of the source's files are relative to."""
        if self.pattern:
            return Path(*self.path.parts[: len(self.path.parts) - self.pattern.count("/") - 1])
        return self.path if self.path.is_dir() else self.path.parent

    @property
    def columns(self) -> dict[str, str]:
        """The columns that the user named, by what they are for."""
        label = self.labels.argument if self.labels.kind == "column" else None
        named = {"content": self.content, "label": label, "group": self.group, "split": self.split, "time": self.time}
        return {purpose: column for purpose, column in named.items() if column}


def _stands(name: str) -> bool:
    """Whether the workspace has a data set of this name, made when names could also begin with '_' or '-'."""
    workspace = Workspace.current()
    there = os.path.isdir(workspace.data / name) or os.path.isfile(workspace.state / "datasets" / f"{name}.json")
    return re.fullmatch(r"[\w-][\w.-]*", name, re.ASCII) is not None and ".." not in name and there


@dataclass(frozen=True)
class Labels:
    """How labels are found: one of `LABELS`; `kind` is empty where the user did not say."""

    kind: str = ""
    argument: str = ""

    @classmethod
    def parse(cls, text: str | None) -> Labels:
        kind, colon, argument = (text or "").partition(":")
        plain, with_argument = kind in ("", "folder", "none"), kind in ("column", "name", "line")
        if not (plain or with_argument) or bool(colon) != with_argument or bool(argument) != with_argument:
            raise BadInput(f"label {text!r} is none of {LABELS}")
        if kind == "name":
            _pattern(argument)
        return cls(kind, argument)

    def of_name(self, name: str) -> str | None:
        """The first group of a match of `name:REGEX` on a file's name."""
        match = _pattern(self.argument).search(name) if self.kind == "name" else None
        return match.group(1) if match else None

    def needs(self, kinds: tuple[str, ...], location: str) -> None:
        """Raise `BadInput` where this way of labelling does not fit the source."""
        if self.kind and self.kind not in (*kinds, "none"):
            raise BadInput(f"label {self.kind!r} does not fit {location}; possible here: {', '.join((*kinds, 'none'))}")


def _pattern(text: str) -> re.Pattern[str]:
    try:
        pattern = re.compile(text)
    except re.error as error:
        raise BadInput(f"label name:{text}: not a regular expression: {error}") from error
    if not pattern.groups:
        raise BadInput(f"label name:{text}: the expression needs a group, such as name:^([a-z]+)_")
    return pattern


def plugin(source: SourceSettings) -> ModuleType:
    """The source plug-in that takes this location; raises `BadInput` if there is none."""
    modules = [find(PACKAGE, name) for name in names(PACKAGE)]
    for module in sorted(modules, key=lambda module: bool(getattr(module, "LAST", False))):
        if module.accepts(source.location):
            if source.options and not hasattr(module, "Options"):
                raise BadInput(f"option {next(iter(source.options))!r} does not fit {source.location}: it has no options")
            return module
    embedded = ", ".join(f"embedded:{name}" for name in names("tasks.ingest.embedded"))
    if source.location.startswith("embedded:"):
        raise BadInput(f"{source.location} is not known; there are {embedded}")
    if source.path.exists():
        raise BadInput(f"{source.location} is no file but a pipe, a socket or a device; put what comes out of it into a file")
    raise BadInput(f"{source.location} does not exist; name a folder, a file, a URL, or one of {embedded}")


def options(source: SourceSettings, model: type[Options]) -> Options:
    """`source.options` as the plug-in's own model; raises `BadInput` that names the option and what fits."""
    return validated(model, source.options, f"option of {source.location}")


def fingerprint(source: SourceSettings) -> str:
    """Changes when the content at the source does, or the code that reads it; the cache key of ingestion is made of it."""
    return f"{reading_code(source)}-{content_digest(source)}"


def reading_code(source: SourceSettings) -> str:
    """Digest of the code that reads this source."""
    return code_version(readers(source))


def readers(source: SourceSettings) -> list[str]:
    """The plug-in that takes a source and, where it only fetches, those that read what it fetched or holds."""
    module = plugin(source)
    further = readers(module.through(source)) if hasattr(module, "through") else []
    if "tasks.ingest.readers.tables" in reached([module.__name__]):  # it reads tables by their suffix
        further += [f"{PACKAGE}.{name}" for name in names(PACKAGE) if hasattr(find(PACKAGE, name), "TABLES")]
    return [module.__name__, *further]


def content_digest(source: SourceSettings) -> str:
    """Changes when the content at the source does, whatever code reads it."""
    return _call_plugin(source, lambda: str(plugin(source).fingerprint(source)))


def listing(source: SourceSettings) -> dict[str, tuple[int, int, int]]:
    """The files of the source, relative to it: bytes, and when content and entry last changed (ns). None: not files."""
    module = plugin(source)
    files = module.content_files(source) if hasattr(module, "content_files") else [source.path] if source.path.is_file() else []
    root = f"{source.root}/"
    stats = [(str(file).removeprefix(root), file.stat()) for file in files]
    return {name: (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in stats}


def modality(source: SourceSettings) -> str:
    """What the user said, or what the content is; raises `BadInput` on a mixture."""
    return source.modality or _call_plugin(source, lambda: str(plugin(source).modality(source)))


def read(source: SourceSettings, modality: str, unchanged: Collection[str] = ()) -> Iterator[RawItem]:
    """All items, in an order that depends on the content alone; of files that are `unchanged` none where they can be left
    out (names as in `listing`)."""
    module = plugin(source)
    leaves_out = unchanged and hasattr(module, "read_new")
    yield from module.read_new(source, modality, unchanged) if leaves_out else module.read(source, modality)


def licence(source: SourceSettings) -> str:
    """What the user stated, or what an embedded source knows of itself."""
    licence_of = getattr(plugin(source), "licence", None) if source.licence == UNSTATED else None
    return str(licence_of(source)) if licence_of else source.licence


def description(source: SourceSettings) -> str:
    """What the plug-in says of it, or the location without its parents: a data card is the same on every machine."""
    description_of = getattr(plugin(source), "description", None)
    return str(description_of(source)) if description_of else source.path.absolute().name


def _call_plugin(source: SourceSettings, action: Callable[[], str]) -> str:
    try:
        return action()
    except OSError as error:
        raise BadInput(f"cannot read {error.filename or source.location}: {error.strerror}") from error
