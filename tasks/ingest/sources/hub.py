"""A data set of the Hugging Face hub by its name: `hub:OWNER/NAME`, or `hub:OWNER/NAME@REVISION` (branch, tag or commit).

It is kept where Hugging Face's own tools keep it (HF_HOME), and each `aigc data add` fetches only what changed. A private one
is asked for with HF_TOKEN. With HF_HUB_OFFLINE=1, or where the hub cannot be reached, the copy that lies here is read.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from tasks.ingest.readers import fetched, hub_layout, notices, tables
from tasks.ingest.source import UNSTATED, RawItem, SourceSettings, options, plugin

PREFIX = "hub:"
_NAME = re.compile(r"hub:([\w.-]+(?:/[\w.-]+)?)(?:@([\w./-]+))?")
PARTS = ("files", "config", "splits")


class Options(BaseModel):
    """What may be fetched. Further options are those of the folder that it is."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    limit: int = Field(fetched.LIMIT, gt=0, description="most bytes that are fetched")
    files: str = Field("", description="which files are wanted, as a pattern such as en/*.parquet; all if left out")


def accepts(location: str) -> bool:
    return location.startswith(PREFIX)


def description(source: SourceSettings) -> str:
    return source.location


def licence(source: SourceSettings) -> str:
    """As the card of the data set says it."""
    return hub_layout.licence(_local(source)) or UNSTATED


def origin(source: SourceSettings) -> str:
    """Without the revision: another one is a later state of the same data set."""
    return source.location.partition("@")[0]


def fingerprint(source: SourceSettings) -> str:
    """Of the data set as it is there now: this is what asks whether it changed."""
    there = _at(source, _current(source))
    return str(plugin(there).fingerprint(there))


def through(source: SourceSettings) -> SourceSettings:
    """The same with the local copy in place of the name."""
    return _at(source, _local(source))


def modality(source: SourceSettings) -> str:
    there = through(source)
    return str(plugin(there).modality(there))


def read(source: SourceSettings, modality: str) -> Iterator[RawItem]:
    there = through(source)
    yield from plugin(there).read(there, modality)


def _at(source: SourceSettings, folder: Path) -> SourceSettings:
    return tables.without(source, Options).model_copy(
        update={"location": str(folder), "follow_links": True}  # the hub's own cache is made of links
    )


def _current(source: SourceSettings) -> Path:
    """As it is there now; the copy that lies here, with a message, where nobody answers."""
    limit, size, away = options(source, Options).limit, 0, ""
    with _in_words(source) as errors:
        try:
            size = sum(file.file_size for file in _asked(source, dry_run=True) if file.will_download)
        except errors.DryRunError as error:
            away = _first_line(error.__cause__ or error)
        if size > limit:
            raise BadInput(
                f"{source.location} has {size:,} bytes to fetch; the limit is {limit:,}: raise it with --option limit=BYTES, "
                "or name what is wanted with --option files=PATTERN"
            )
        match = Path(_asked(source))
    if away:
        notices.say(f"{source.location} cannot be asked for ({away}): the copy that lies here is used")
    return match


def _local(source: SourceSettings) -> Path:
    """The copy that lies here, whatever became of the original since; fetched if there is none."""
    with _in_words(source) as errors:
        try:
            return Path(_asked(source, local_files_only=True))
        except errors.LocalEntryNotFoundError:
            return _current(source)


def _asked(source: SourceSettings, **how: bool) -> Any:
    from huggingface_hub import snapshot_download

    match = _NAME.fullmatch(source.location)
    if not match:
        raise BadInput(f"{source.location} is no name of a data set; such are hub:OWNER/NAME and hub:OWNER/NAME@REVISION")
    pattern = options(source, Options).files
    wanted = [pattern, hub_layout.CARD] if pattern else None
    download: Callable[..., Any] = snapshot_download  # what it gives depends on `how`
    return download(match[1], repo_type="dataset", revision=match[2], allow_patterns=wanted, **how)


@contextmanager
def _in_words(source: SourceSettings) -> Iterator[Any]:
    """What the hub's library raises, as `BadInput`; gives the library's errors."""
    try:
        from huggingface_hub import errors
    except ImportError as error:
        raise BadInput(f"{source.location} needs `pip install 'aigc-foundry[hub]'`") from error
    where, token = f"https://huggingface.co/datasets/{source.location.removeprefix(PREFIX)}", "give a token with HF_TOKEN"
    try:
        yield errors
    except BadInput:
        raise
    except errors.GatedRepoError as error:
        raise BadInput(f"{source.location} asks for its conditions to be accepted: do so at {where}, and {token}") from error
    except errors.RepositoryNotFoundError as error:
        raise BadInput(f"{source.location} does not exist, or is private: check the name, or {token}") from error
    except errors.RevisionNotFoundError as error:
        raise BadInput(f"{source.location} does not exist: the data set has no such revision") from error
    except errors.HFValidationError as error:
        raise BadInput(f"{source.location} is no name of a data set: {error}") from error
    except Exception as error:  # of the network, of a server or of the disk: each layer below has its own
        raise BadInput(f"{source.location} cannot be fetched, and no whole copy lies here: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0] or type(error).__name__
