"""Content that comes with the installed libraries or is made here, so that a first run needs no download.

`embedded:NAME` is a file of `tasks/embedded`, which holds:

    MODALITY: str
    LIBRARIES: tuple[str, ...]      whose versions the content depends on
    licence() -> str
    items() -> Iterator[RawItem]

Its docstring's first line is what the data card says of the source.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from importlib.metadata import version
from types import ModuleType

from aigc_models.find import find, names
from tasks.ingest.source import RawItem, SourceSettings
from tasks.stage.code_version import code_version

PACKAGE = "tasks.ingest.embedded"


def accepts(location: str) -> bool:
    return location.startswith("embedded:") and location.removeprefix("embedded:") in names(PACKAGE)


def modality(source: SourceSettings) -> str:
    return str(_content(source).MODALITY)


def licence(source: SourceSettings) -> str:
    """The licence of the content, as it states it itself."""
    return str(_content(source).licence())


def description(source: SourceSettings) -> str:
    """`embedded:NAME` and what that is."""
    return f"{source.location}: {str(_content(source).__doc__).splitlines()[0].rstrip('.')}"


def fingerprint(source: SourceSettings) -> str:
    content = _content(source)
    versions = "\n".join(f"{library} {version(library)}" for library in content.LIBRARIES)
    return hashlib.sha256(f"{code_version([content.__name__])}\n{versions}".encode()).hexdigest()


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    source.labels.needs(("",), source.location)
    yield from _content(source).items()


def _content(source: SourceSettings) -> ModuleType:
    return find(PACKAGE, source.location.removeprefix("embedded:"))
