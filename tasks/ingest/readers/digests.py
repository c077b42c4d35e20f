"""Digests of files: each is read in full once, and again only when the file system says that it may have changed.

`.aigc/digests.db` keeps size, inode, and the times of content and entry (ns) beside the digest, as the index of git does.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from tasks.ingest.readers.rows import digest
from tasks.stage.settings import Workspace

SETTLED = 2_000_000_000  # ns; a file that changed later than this may change again with the same time
UNREAD = "unread"
TABLE = "create table if not exists digests (path primary key, size, inode, mtime, ctime, sha256) without rowid"


def digests(files: Iterable[Path]) -> Iterator[str]:
    """The sha256 of each file in order; one that is as it was when it was read last is not read again. Of one that cannot
    be read there is `UNREAD`: what that means for its items is for who reads them to say."""
    state = Workspace.current().state
    if not state.is_dir():
        yield from map(_digest, files)
        return
    with closing(_opened(state / "digests.db")) as store, store:
        for file in files:
            yield _cached_digest(store, file)


def _digest(file: Path) -> str:
    try:
        return digest(file)
    except OSError:
        return UNREAD


def _opened(path: Path) -> sqlite3.Connection:
    """The database; one that cannot be read is made anew, since all in it can be."""
    store = sqlite3.connect(path, timeout=60)
    try:
        store.execute(TABLE)
    except sqlite3.DatabaseError:
        store.close()
        path.unlink()
        store = sqlite3.connect(path, timeout=60)
        store.execute(TABLE)
    return store


def _cached_digest(store: sqlite3.Connection, file: Path) -> str:
    place, stat = os.fsencode(file.absolute()), file.stat()
    state = (stat.st_size, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns)
    kept = store.execute("select size, inode, mtime, ctime, sha256 from digests where path = ?", (place,)).fetchone()
    if kept and kept[:4] == state:
        return str(kept[4])
    sha256 = _digest(file)
    if sha256 != UNREAD and max(stat.st_mtime_ns, stat.st_ctime_ns) < time.time_ns() - SETTLED:
        store.execute("insert or replace into digests values (?, ?, ?, ?, ?, ?)", (place, *state, sha256))
    return sha256
