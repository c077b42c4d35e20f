"""A folder into which others write: which files are complete, and when they came."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from aigc_models.errors import BadInput

UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", "~")
Print = tuple[int, int]  # size in bytes, last change in nanoseconds since 1970


@dataclass(frozen=True)
class Arrival:
    """A complete file; `came` is in seconds since 1970."""

    name: str
    path: Path
    print: Print
    came: float


@dataclass
class Inbox:
    """`ready` gives each state of each file once.

    A file that changed less than `every` seconds ago, or that somebody has open for writing, is left
    until it comes to rest; so are `*.tmp`, `*.part` and hidden files until they are renamed. Folders in it are left alone.
    """

    folder: Path
    every: float
    clock: Callable[[], float] = time.time
    waiting: int = 0  # files that were not at rest when last looked
    _handled: dict[str, Print] = field(default_factory=dict)
    _before: dict[str, Print] = field(default_factory=dict)

    def mark_handled(self, name: str, state: Print) -> None:
        """This state of a file was dealt with before."""
        self._handled[name] = state

    def ready(self) -> list[Arrival]:
        """What is new and complete, the oldest first; raises `BadInput` where the folder is gone."""
        now, arrivals, seen, there = self.clock(), [], {}, {}
        for name, path, status in self._files():
            state = there[name] = (status.st_size, status.st_mtime_ns)
            if self._handled.get(name) == state:
                continue
            seen[name] = state
            rested = self._before.get(name) == state or now - status.st_mtime >= self.every
            if rested and not open_for_writing(path):
                arrivals.append(Arrival(name, path, state, max(status.st_ctime, status.st_mtime)))
        self._before, self.waiting = seen, len(seen) - len(arrivals)
        self._handled = {name: state for name, state in self._handled.items() if name in there}
        self._handled |= {arrival.name: arrival.print for arrival in arrivals}
        return sorted(arrivals, key=lambda arrival: (arrival.came, arrival.name))

    def _files(self) -> Iterator[tuple[str, Path, os.stat_result]]:
        try:
            entries = sorted(os.scandir(self.folder), key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise BadInput(f"{self.folder}: no such folder; make it, and let files arrive in it") from error
        for entry in entries:
            if entry.name[0] == "." or entry.name.lower().endswith(UNFINISHED):
                continue
            try:
                if entry.is_file():  # a pipe would never end, and a folder is none of ours
                    yield entry.name, Path(entry.path), entry.stat()
            except FileNotFoundError:  # taken away since, or a link to nowhere
                continue


def open_for_writing(path: Path) -> bool:
    """Whether a process has the file open for writing; False where this system cannot tell.

    Linux gives a read lease (fcntl(2), F_SETLEASE) only on a file that nobody writes to. Whoever opens it
    for writing in that instant waits for the lease's end, and its holder gets SIGIO, which is ignored.
    """
    if not hasattr(fcntl, "F_SETLEASE") or threading.current_thread() is not threading.main_thread():
        return False
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    except OSError:
        return False
    try:
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(handle, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:
        return True
    except OSError:  # somebody else's file, or a file system without leases
        return False
    finally:
        os.close(handle)
        signal.signal(signal.SIGIO, before)
    return False
