"""What people say of replies, kept for the next training: a line of JSON each in `feedback/NAME.jsonl` of the workspace.

    {"question": "...", "answer": "...", "given": "...", "good": false, "case": "...", "model": "...", "version": "3",
     "when": "..."}

`answer` is what is right: the reply that was good, or what it should have been; null where only that it was wrong is known.
So the file can be added to the data set (`--content question,answer --keep`), which passes those over.
"""

from __future__ import annotations

import fcntl
import json
import os
from datetime import UTC, datetime
from pathlib import Path

from tasks.use.provenance import Identity

FOLDER = "feedback"


def keep(
    folder: Path,
    identity: Identity,
    question: str,
    given: str,
    good: bool,
    correction: str | None = None,
    case: str | None = None,
) -> Path:
    """Append a line, which is on the disk when this returns; several processes may do so at a time. Gives the file."""
    answer = correction if correction is not None else given if good else None
    line = {"question": question, "answer": answer, "given": given, "good": good, "case": case}
    line |= {"model": identity.model, "version": identity.version, "when": datetime.now(UTC).isoformat(timespec="seconds")}
    payload = json.dumps(line, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{identity.dataset}.jsonl"
    with path.open("ab+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        size = file.seek(0, os.SEEK_END)
        if size:
            file.seek(size - 1)
            payload = payload if file.read(1) == b"\n" else b"\n" + payload  # a line that a crash cut short stays by itself
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())
    return path
