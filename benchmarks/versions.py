"""What a version costs: the time that DVC takes, beside hashing the new bytes once, and what its cache grows by.

    python benchmarks/versions.py --megabytes 50 200 --out benchmarks/results/versions.json

A data set of pictures of noise (50 kB each, so that nothing is compressed away) is added, cleaned, divided and given a
version; then a twentieth more. New bytes are those of files that the version before had not: new shards, and the tables
of the whole data set, which are written anew; `new_items` are the new shards alone. Hashing once is md5, as DVC does it,
in this process.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SIDE = 128  # pixels
SHARE = 0.05  # of new items


def write_pictures(folder: Path, first: int, count: int) -> None:
    from PIL import Image

    for at in range(first, first + count):
        levels = np.random.default_rng(at).integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        path = folder / f"{at // 1000:03}" / f"{at:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels).save(path, compress_level=0)


def prepared(content: Path, workspace: Any) -> Any:
    """The plain functions of the stages up to the split."""
    from tasks.clean.clean import CleanSettings, clean
    from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
    from tasks.ingest.ingest import ingest
    from tasks.ingest.source import SourceSettings
    from tasks.split.split import SplitSettings, split

    source = SourceSettings(name="pictures", location=str(content), label="none")
    raw = ingest.plain(source, context(workspace))
    cleaned = clean.plain(raw, CleanSettings(), context(workspace))
    found = deduplicate.plain(cleaned, DeduplicateSettings(near=False), context(workspace))
    return split.plain(cleaned, found, SplitSettings(), context(workspace))


def context(workspace: Any) -> Any:
    from tasks.stage.stage import StageContext

    folder = workspace.stages / str(time.monotonic_ns())
    folder.mkdir(parents=True)
    return StageContext(folder=folder, workspace=workspace)


def contents(folder: Path) -> dict[str, bytes]:
    """md5 of each file by name."""
    found = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.md5(path.read_bytes()).digest() for path in found}


def cache_bytes(root: Path) -> int:
    return sum(path.stat().st_size for path in (root / ".dvc" / "cache").rglob("*") if path.is_file())


def hashed_once(folder: Path, names: list[str]) -> float:
    began = time.monotonic()
    for name in names:
        with (folder / name).open("rb") as file:
            hashlib.file_digest(file, "md5")
    return time.monotonic() - began


def one_version(content: Path, workspace: Any, before: dict[str, bytes]) -> dict[str, Any]:
    from tasks.version.version import version

    split = prepared(content, workspace)
    folder = workspace.data / "pictures"
    after = contents(folder)
    new = [name for name, digest in after.items() if digest not in before.values()]
    sizes = {name: (folder / name).stat().st_size for name in new}
    grown, plain = cache_bytes(workspace.root), hashed_once(folder, new)
    time.sleep(2.1)  # a file that was written a moment ago may be written again: nobody trusts its time yet
    began = time.monotonic()
    version.plain(split, context(workspace))
    seconds = time.monotonic() - began
    grown = cache_bytes(workspace.root) - grown
    shards = sum(size for name, size in sizes.items() if name.startswith(("raw/", "clean/")))
    return {
        "new_megabytes": round(sum(sizes.values()) / 1e6, 2),
        "new_items_megabytes": round(shards / 1e6, 2),
        "hashing_once": round(plain, 3),
        "seconds": round(seconds, 2),
        "allowed_seconds": round(3 + 1.3 * plain, 2),
        "cache_grew_megabytes": round(grown / 1e6, 2),
        "grown_to_new": round(grown / sum(sizes.values()), 4),
        "grown_to_new_items": round(grown / shards, 4),
        "files": after,
    }


def measured(megabytes: int) -> dict[str, Any]:
    from tasks.stage.settings import Workspace

    with tempfile.TemporaryDirectory() as scratch:
        root, content = Path(scratch) / "workspace", Path(scratch) / "content"
        root.mkdir()
        os.environ["AIGC_WORKSPACE"] = str(root)
        workspace = Workspace(root).create()
        count = round(megabytes * 1e6 / (3 * SIDE**2))
        write_pictures(content, 0, count)
        first = one_version(content, workspace, {})
        write_pictures(content, count, round(SHARE * count))
        second = one_version(content, workspace, first.pop("files"))
        second.pop("files")
        return {"megabytes": megabytes, "items": count, "first": first, "five_percent_more": second}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--megabytes", type=int, nargs="+", default=[50, 200])
    arguments.add_argument("--out", type=Path)
    asked = arguments.parse_args()
    runs = []
    for megabytes in asked.megabytes:
        runs.append(measured(megabytes))
        print(json.dumps(runs[-1], indent=1), flush=True)
    slow = [
        f"{run['megabytes']} MB"
        for run in runs
        for one in (run["first"], run["five_percent_more"])
        if one["seconds"] > one["allowed_seconds"]
    ]
    if asked.out:
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        asked.out.write_text(json.dumps({"machine": machine, "runs": runs}, indent=1) + "\n")
    if slow:
        sys.exit(f"slower than allowed: {', '.join(slow)}")


if __name__ == "__main__":
    main()
