"""Ingest and clean many small pictures, beside Pillow alone that decodes the same files on the same cores.

    AIGC_MIRROR=DIR python benchmarks/pictures_at_size.py --pictures 100000 --out benchmarks/results/pictures_at_size.json

The pictures are PNG files of 32x32 in folders, made from CIFAR-10's: shifted by up to three pixels and with a little noise,
so that no two are the same. Each round measures in turn: Pillow in one process and in as many as there are cores, `open` and
`load` of each file; ours, ingest and clean, with near fingerprints and with these put aside. Ours starts its interpreters
within its time, Pillow's are started before theirs. What counts is the median of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

EACH = 1000  # pictures in a folder
SOURCES = ("folder", "zip", "parquet")


def write_pictures(count: int, mirror: Path, folder: Path) -> None:
    from PIL import Image

    random = np.random.default_rng(0)
    real = [np.asarray(Image.open(file).convert("RGB")) for file in sorted((mirror / "cifar10_subset").rglob("*.jpg"))]
    for at in range(count):
        moved = np.roll(real[at % len(real)], random.integers(-3, 4, 2), (0, 1)).astype(np.int16)
        levels = (moved + random.integers(-3, 4, moved.shape)).clip(0, 255).astype(np.uint8)
        path = folder / f"{at // EACH:03}" / f"{at:06}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(levels).save(path)


def as_source(kind: str, folder: Path) -> Path:
    """The same pictures as a zip archive or a parquet table."""
    path = folder.with_suffix(f".{kind}")
    files = sorted(folder.rglob("*.png"))
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            for file in files:
                archive.write(file, file.relative_to(folder))
    elif kind == "parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.table({"image": [file.read_bytes() for file in files]}), path)
    return folder if kind == "folder" else path


def decode(folder: Path, part: int, parts: int) -> dict[str, float]:
    """Pillow alone: every file of a part of the folder."""
    from PIL import Image

    Image.init()
    files = sorted(folder.rglob("*.png"))[part::parts]
    print("ready", flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    for file in files:
        with Image.open(file) as image:
            image.load()
    return {"seconds": time.monotonic() - began}


def bare_cleaner(modality: str, settings: dict[str, Any]) -> Callable[..., Any]:
    """What cleans, without near fingerprints: each picture has a blank one."""
    from aigc_models.modalities.image import signature
    from tasks.clean.clean import cleaner

    signature.signature = lambda content: bytes(288)
    return cleaner(modality, settings)


def add(source: Path, workspace: Path, hashing: bool) -> dict[str, float]:
    """Ours: the plain functions of the two stages."""
    import pictures_at_size

    from tasks.clean import clean as cleaning
    from tasks.ingest.ingest import ingest
    from tasks.ingest.source import SourceSettings
    from tasks.stage.settings import Workspace
    from tasks.stage.stage import StageContext

    if not hashing:
        cleaning.cleaner = pictures_at_size.bare_cleaner
    folder = workspace / ".aigc" / "stages" / "pictures"
    folder.mkdir(parents=True)
    context = StageContext(folder=folder, workspace=Workspace(workspace))
    content = "image" if source.suffix == ".parquet" else None
    settings = SourceSettings(name="pictures", location=str(source), modality="image", label="none", content=content)
    began = time.monotonic()
    raw = ingest.plain(settings, context)
    ingested = time.monotonic()
    clean = cleaning.clean.plain(raw, cleaning.CleanSettings(), context)
    ended = time.monotonic()
    return {"seconds": ended - began, "ingest": ingested - began, "clean": ended - ingested, "rows": clean.rows}


def started(*arguments: str) -> subprocess.Popen[str]:
    code = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "PYTHONPATH": code}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, __file__, *arguments], text=True, env=environment, **pipes)


def pillow(folder: Path, processes: int) -> float:
    """Seconds of the slowest; all begin together."""
    children = [started("--decode", f"{part}/{processes}", "--source", str(folder)) for part in range(processes)]
    for child in children:
        child.stdout.readline()  # ready
    for child in children:
        child.stdin.write("\n")
        child.stdin.flush()
    return max(json.loads(child.communicate()[0])["seconds"] for child in children)


def ours(source: Path, hashing: bool) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        child = started("--add", folder, "--source", str(source), *([] if hashing else ["--bare"]))
        said = child.communicate()[0]
        return dict(json.loads(said.splitlines()[-1]))


def measured(folder: Path, sources: list[str], count: int, rounds: int, cores: int) -> dict[str, Any]:
    places = {kind: as_source(kind, folder) for kind in sources}
    figures: dict[str, list[float]] = {}

    def note(name: str, seconds: float) -> None:
        figures.setdefault(name, []).append(round(seconds, 3))

    for _ in range(rounds):
        for processes in sorted({1, cores}):
            note(f"pillow_{processes}", pillow(folder, processes))
        for kind, place in places.items():
            for hashing in (False, True):
                found = ours(place, hashing)
                name = f"{kind}_{'hashing' if hashing else 'bare'}"
                note(name, found["seconds"])
                note(f"{name}_ingest", found["ingest"])
                assert found["rows"] == count, found
    bare = {kind: figures[f"{kind}_bare"] for kind in sources}
    ratios = {
        f"{kind}_to_pillow_{processes}": [
            round(one / other, 3) for one, other in zip(figures[f"pillow_{processes}"], bare[kind], strict=True)
        ]
        for kind in sources
        for processes in sorted({1, cores})
    }
    rates = {name: round(count / statistics.median(seconds)) for name, seconds in figures.items()}
    hashing = [
        1e6 * (one - other) / count for one, other in zip(figures[f"{sources[0]}_hashing"], bare[sources[0]], strict=True)
    ]
    return {
        "pictures": count,
        "cores": cores,
        "seconds": figures,
        "items_a_second": rates,
        "throughput_to_pillow": {name: statistics.median(found) for name, found in ratios.items()},
        "ratios": ratios,
        "hashing_us": round(statistics.median(hashing), 1),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--pictures", type=int, default=5000)
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--sources", nargs="+", choices=SOURCES, default=list(SOURCES))
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--decode", help="PART/PARTS")
    arguments.add_argument("--add", type=Path)
    arguments.add_argument("--bare", action="store_true")
    arguments.add_argument("--source", type=Path)
    asked = arguments.parse_args()
    if asked.decode:
        print(json.dumps(decode(asked.source, *map(int, asked.decode.split("/")))))
        return
    if asked.add:
        print(json.dumps(add(asked.source, asked.add, not asked.bare)))
        return
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "pictures"
        write_pictures(asked.pictures, Path(os.environ["AIGC_MIRROR"]), folder)
        result = measured(folder, asked.sources, asked.pictures, asked.rounds, len(os.sched_getaffinity(0)))
    for name, rate in result["items_a_second"].items():
        print(f"{name:28}{rate:>10,} items/s")
    print(json.dumps({name: result[name] for name in ("throughput_to_pillow", "hashing_us")}))
    if asked.out:
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        asked.out.write_text(json.dumps({"machine": machine, **result}, indent=1) + "\n")


if __name__ == "__main__":
    main()
