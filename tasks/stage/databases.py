"""The embedded databases, which any process may hold: a command waits for its turn and says so."""

from __future__ import annotations

import os
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from aigc_models.errors import AigcError, BadInput

PATIENCE = 60.0  # seconds
VARIABLE = "AIGC_DATABASE_WAIT"
SILENT = 1.0  # seconds before it is said that a command waits
HELD = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def patience() -> float:
    """For how many seconds to wait: `AIGC_DATABASE_WAIT`, or else a minute."""
    given = os.environ.get(VARIABLE) or PATIENCE
    try:
        return float(given)
    except ValueError as error:
        raise BadInput(f"{VARIABLE}={given!r} is no number of seconds") from error


def wait_for(database: Path) -> None:
    """Return when a database can be written; one that is not there yet can.

    Raises `AigcError` that names it where another process holds it for longer than `patience()`.
    """
    began, limit, announced = time.monotonic(), patience(), False
    while database.exists() and is_held(database, min(SILENT, limit)):
        if time.monotonic() - began >= limit:
            raise AigcError(
                f"{database} is held by another process since {limit:g} s or more: another command, a browser of databases, "
                f"a backup, or one that hangs; `fuser {database}` says which. End it and give the same command again, or wait "
                f"longer with {VARIABLE}=SECONDS"
            )
        if not announced:
            announced = True
            print(f"waiting for {database}, which another process holds ({limit:g} s at most)", file=sys.stderr, flush=True)


def is_held(database: Path, seconds: float) -> bool:
    """Whether for so many seconds nobody else could write; False where there is another reason, which will be told."""
    try:
        with closing(sqlite3.connect(database, timeout=seconds, isolation_level=None)) as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute("ROLLBACK")
    except sqlite3.Error as error:
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in HELD  # the rest says which kind of it
    return False
