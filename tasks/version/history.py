"""The ledger on its way: a remote keeps the lines of a data set's versions beside the data, each in a file of its own.

`REMOTE/aigc/NAME/000003-<version>-<tree>.json`: two who push at the same time write different files, and none is lost.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aigc_models.errors import AigcError
from tasks.dataset.ledger import Version, as_line, ledger, parsed
from tasks.stage.settings import Workspace
from tasks.version.storage import storage_of


def send_history(workspace: Workspace, name: str, url: str, options: Mapping[str, str]) -> None:
    """All that this workspace's ledger says of a data set; raises `AigcError` where the remote takes no files."""
    with _reaching(url, "the data are there, but not the list of their versions"):
        storage, root = storage_of(url, dict(options))
        folder = _folder(root, name)
        storage.makedirs(folder, exist_ok=True)
        there = {path.rpartition("/")[2].partition("-")[2] for path in storage.find(folder)}
        for number, version in enumerate(ledger(workspace, name)):
            key = f"{version.version}-{version.tree[:8]}.json"
            if key not in there:
                storage.pipe_file(f"{folder}/{number:06}-{key}", as_line(version).encode())


def read_history(name: str, url: str, options: Mapping[str, str]) -> list[Version]:
    """The versions of a data set that a remote has lines of, oldest first; raises `AigcError` where it cannot be asked."""
    with _reaching(url, "its list of versions cannot be read"):
        storage, root = storage_of(url, dict(options))
        folder = _folder(root, name)
        paths = sorted(storage.find(folder)) if storage.exists(folder) else []
        lines = [storage.cat_file(path).decode("utf-8", "replace") for path in paths if path.endswith(".json")]
    return list(parsed(lines, f"{url}/aigc/{name}"))


@contextmanager
def _reaching(url: str, what: str) -> Iterator[None]:
    """Any fault of a kind of storage as `AigcError` that names the remote."""
    try:
        yield
    except Exception as error:  # each kind of storage fails in its own way
        raise AigcError(f"{url}: {what} ({type(error).__name__}: {error})") from error


def _folder(root: str, name: str) -> str:
    return f"{root.rstrip('/')}/aigc/{name}"
