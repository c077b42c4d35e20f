"""What loading each forged bundle says, as JSON lines: run in a process of its own, for its memory is measured.

A line has the name, the kind of the error (none: it was loaded) and its words, the peak of memory in MB over what was in use
before, and the files outside of the bundle that were opened.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from forgeries import FORGERIES, secret
from forging import Forgery, good, unlinked

from aigc_models.generator import Generator

opened: list[str] = []  # while a bundle is loaded


def _peak(field: str) -> int:
    """Bytes, as the kernel counts them."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def answer(folder: Path) -> dict[str, str]:
    try:
        Generator.load(folder, "cpu")
    except BaseException as error:  # whatever comes is the finding
        return {"error": type(error).__name__, "words": str(error)}
    return {"error": "", "words": ""}


def judged(forgery: Forgery, sources: dict[str, Path], root: Path) -> dict[str, Any]:
    folder, outside = unlinked(sources[forgery.source], root / "bundle"), unlinked(sources["member"], root / "outside")
    secret(outside)
    try:
        forgery.alter(folder, outside)
        Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
        before = _peak("VmRSS")
        opened.clear()
        outcome = answer(folder)
        beyond = [
            path for path in opened if path.startswith(str(root)) and not path.startswith(f"{folder}/") and path != str(folder)
        ]
        return {"name": forgery.name, **outcome, "megabytes": (_peak("VmHWM") - before) // 1_000_000, "outside": beyond}
    finally:
        shutil.rmtree(folder)
        shutil.rmtree(outside)


def all_judged() -> Iterator[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="aigc-forged-") as folder:
        sources = good(Path(folder).resolve() / "good")
        assert all(answer(source) == {"error": "", "words": ""} for source in sources.values())
        sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == "open" and given else None)
        root = Path(folder).resolve() / "forged"
        root.mkdir()
        for forgery in FORGERIES:
            yield judged(forgery, sources, root)


if __name__ == "__main__":
    for line in all_judged():
        print(json.dumps(line), flush=True)
