"""What becomes of each file that is named on stdin, as a JSON line: run in a process of its own, which may be killed.

A line in is [modality or null, path]; a line out has the outcome (kept, at least a part of it; refused, by `BadInput`; crashed,
where an exception came through that is none of ours), the reasons, the seconds of computing, and the peak of memory in MB over
what was in use before.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyarrow import parquet

from aigc_models.errors import BadInput
from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.tables import shards
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext


def passed(source: SourceSettings, workspace: Workspace) -> tuple[list[str], list[dict[str, Any]]]:
    """The sources of what is kept, and what is rejected, of a source that is ingested and cleaned."""
    context = StageContext(workspace.root, workspace)
    folder = clean.plain(ingest.plain(source, context=context), CleanSettings(), context=context).path(workspace)
    kept = [source for path in shards(folder) for source in parquet.read_table(path)["source"].to_pylist()]
    return kept, [row for path in shards(folder, rejected=True) for row in parquet.read_table(path).to_pylist()]


def outcome(modality: str | None, path: str) -> dict[str, Any]:
    root = Path(tempfile.mkdtemp(prefix="aigc-malformed-"))
    try:
        kept, rejected = passed(SourceSettings(name="one", location=path, modality=modality), Workspace(root))
    except BadInput as error:
        return {"outcome": "refused", "reasons": [str(error)]}
    except BaseException as error:
        return {"outcome": "crashed", "reasons": [f"{type(error).__name__}: {error}"]}
    finally:
        shutil.rmtree(root)
    reasons = sorted({row["reason"] for row in rejected})
    return {"outcome": "kept", "reasons": reasons, "kept": len(kept), "rejected": len(rejected)}


def _peak(field: str) -> int:
    """Bytes, as the kernel counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def measured() -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        modality, path = json.loads(line)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before, began = _peak("VmRSS"), time.process_time()
        told = outcome(modality, path)
        seconds = round(time.process_time() - began, 3)
        yield {"path": path, **told, "seconds": seconds, "megabytes": (_peak("VmHWM") - before) // 1_000_000}


if __name__ == "__main__":
    for found in measured():
        print(json.dumps(found), flush=True)
