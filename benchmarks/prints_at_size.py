"""Near-duplicates of pictures and sounds among very many: time, peak memory, recall of planted pairs.

    AIGC_MIRROR=DIR python benchmarks/prints_at_size.py --items 250000 1000000 --out benchmarks/results/prints_at_size.json

Fingerprints are made from those of real items (CIFAR-10's pictures, spoken digits), each a blend of two with noise of its
own, since a million real files are not at hand; one in twenty is a near copy of an earlier one, and a hundredth have one
and the same blank fingerprint. Each search runs in an interpreter of its own, so that its peak is its own.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

SOURCES = {"image": ("cifar10_subset", "*.jpg", 2000), "audio": ("fsdd", "*.wav", 1000)}  # folder, files, how many
CHANGED = {"image": slice(0, 256), "audio": slice(8, 392)}  # bytes: the lightness, the levels
NOISE = {"image": 2, "audio": 4}  # steps of 255 that a near copy is changed by
COPIES, BLANK = 0.05, 0.01
PART = 20_000


def real_prints(kind: str, mirror: Path) -> np.ndarray:
    """uint8 (item, byte) of real files, evenly taken."""
    from aigc_models.find import find

    modality = find("aigc_models.modalities", kind)
    folder, pattern, most = SOURCES[kind]
    files = sorted((mirror / folder).rglob(pattern))
    chosen = files[:: max(1, len(files) // most)][:most]
    contents = (modality.normalise(modality.read(file.read_bytes(), file.name)) for file in chosen)
    return np.stack([np.frombuffer(modality.fingerprint(content).near, dtype=np.uint8) for content in contents])


def blended(real: np.ndarray, kind: str, count: int, random: np.random.Generator) -> np.ndarray:
    """New fingerprints from pairs of real ones; waves, which cannot be blended, are random."""
    one, other = (real[random.integers(0, len(real), count)] for _ in range(2))
    weights = random.uniform(0.2, 0.8, (count, 1))
    mixed = (weights * one + (1 - weights) * other + random.normal(0, 8, one.shape)).clip(0, 255).astype(np.uint8)
    if kind == "audio":
        levels = one[:, CHANGED[kind]] + equalised(count, random)
        mixed[:, :8], mixed[:, CHANGED[kind]] = one[:, :8], levels.clip(0, 255)
        mixed[:, 392:] = random.integers(0, 256, (count, one.shape[1] - 392))
    return mixed


def equalised(count: int, random: np.random.Generator) -> np.ndarray:
    """Float (item, level): smooth courses over slices and bands, 12 decibels (102 steps) strong, as other voices and rooms."""
    from scipy.ndimage import zoom

    rough = random.normal(0, 102, (count, 4, 6))
    return np.asarray(zoom(rough, (1, 3, 32 / 6), order=1).reshape(count, -1))


def write_prints(kind: str, items: int, mirror: Path, path: Path) -> np.ndarray:
    """Write the fingerprints; int64 (pair, 2): the planted copies that are alike, the earlier first."""
    from aigc_models.find import find

    random, real = np.random.default_rng(0), real_prints(kind, mirror)
    modality, planted = find("aigc_models.modalities", kind), []
    with path.open("wb") as file:
        for start in range(0, items, PART):
            rows = blended(real, kind, min(PART, items - start), random)
            copies = np.flatnonzero(random.random(len(rows)) < COPIES)
            copies = copies[copies > len(rows) // 2]
            origins = random.integers(0, len(rows) // 2, len(copies))
            noise = random.integers(-NOISE[kind], NOISE[kind] + 1, rows[copies, CHANGED[kind]].shape)
            rows[copies] = rows[origins]
            rows[copies, CHANGED[kind]] = (rows[copies, CHANGED[kind]].astype(int) + noise).clip(0, 255)
            blank = random.random(len(rows)) < BLANK
            rows[blank] = real[0]
            kept = ~blank[copies] & ~blank[origins] & modality.alike_prints(rows[origins], rows[copies])
            planted.append(np.stack([origins[kept], copies[kept]], axis=1) + start)
            file.write(rows.tobytes())
    return np.concatenate(planted)


def search(kind: str, path: Path, width: int) -> None:
    """The pairs beside the fingerprints; seconds and peak memory go to stdout as JSON."""
    from aigc_models.find import find
    from tasks.deduplicate.near_prints import Prints, near_pairs

    prints = Prints(path)
    prints.width = width
    began = time.monotonic()
    pairs = near_pairs(prints, find("aigc_models.modalities", kind))
    seconds = round(time.monotonic() - began, 1)
    np.save(path.with_suffix(".npy"), pairs)
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    print(json.dumps({"seconds": seconds, "peak_gb": round(int(status["VmHWM"].split()[0]) / 1e6, 3)}))


def measured(kind: str, items: int, mirror: Path) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "prints"
        planted = write_prints(kind, items, mirror, path)
        width = path.stat().st_size // items
        command = [sys.executable, __file__, "--search", kind, "--path", str(path), "--width", str(width)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found = {(int(one), int(other)) for one, other in np.load(path.with_suffix(".npy"))}
    wanted = {(int(one), int(other)) for one, other in planted}
    recall = round(len(wanted & found) / len(wanted), 4)
    figures = json.loads(done.stdout.splitlines()[-1])
    return {"modality": kind, "items": items, **figures, "planted": len(wanted), "found": len(found), "recall": recall}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--items", type=int, nargs="+", default=[100_000])
    arguments.add_argument("--modality", nargs="+", default=list(SOURCES), choices=list(SOURCES))
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--search", choices=list(SOURCES))
    arguments.add_argument("--path", type=Path)
    arguments.add_argument("--width", type=int)
    asked = arguments.parse_args()
    if asked.search:
        search(asked.search, asked.path, asked.width)
        return
    results = []
    for kind in asked.modality:
        for items in asked.items:
            results.append(measured(kind, items, Path(os.environ["AIGC_MIRROR"])))
            print(json.dumps(results[-1]), flush=True)
    if asked.out:
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        asked.out.write_text(json.dumps({"machine": machine, "runs": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
