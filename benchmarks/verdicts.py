"""Whether the same command ends in the same models and the same verdicts, however busy the machine is.

    python benchmarks/verdicts.py --seeds 0 1 2 3 4

runs the sample twice for each seed, each time in a fresh clone of the last commit: once alone and once beside a process that
keeps one core busy. Compares the champions' files and the decisions, and writes benchmarks/results/verdicts.json and .md after
each pair, so that a run that is cut has shown something. Ten runs take about an hour on two cores.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aigc_models.card import read_card
from flows.reproduction import compared
from tasks.registry.bundles import resolve
from tasks.stage.settings import Workspace

PROJECT, RESULTS = Path(__file__).parents[1], Path(__file__).parent / "results"
AIGC = "import sys; from flows.command_line.app import main; sys.argv[0] = 'aigc'; main()"


@contextmanager
def busy_core(wanted: bool) -> Iterator[None]:
    """Another process that computes all the time."""
    other = subprocess.Popen([sys.executable, "-c", "while True: pass"]) if wanted else None
    try:
        yield
    finally:
        if other:
            other.kill()
            other.wait()


def run(folder: Path, seed: int, busy: bool, settings: list[str]) -> dict[str, Any]:
    """A fresh clone, the sample run in it, and what became of each data set."""
    subprocess.run(["git", "clone", "-q", str(PROJECT), str(folder)], check=True)
    sets = [part for setting in [f"training.seed={seed}", *settings] for part in ("--set", setting)]
    began = time.monotonic()
    with busy_core(busy):
        done = subprocess.run(
            [sys.executable, "-c", AIGC, "run", "sample", "--json", *sets],
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(folder)},
            capture_output=True,
            text=True,
        )
    seconds = time.monotonic() - began
    if done.returncode:
        raise SystemExit(f"{folder} ended with status {done.returncode}:\n{done.stderr[-3000:]}")
    parts = json.loads(done.stdout)["runs"]
    return {
        "seconds": round(seconds, 1),
        "datasets": {part["dataset"]["name"]: outcome(folder, part) for part in parts},
    }


def outcome(folder: Path, part: dict[str, Any]) -> dict[str, Any]:
    """The decision, who serves, and the digest of its files."""
    name, promotion = part["dataset"]["name"], part["promotion"]
    bundle = resolve(Workspace(folder), name)
    card = read_card(bundle)
    evaluating = [stage["seconds"] for stage in part["stages"] if stage["name"].startswith("evaluate")]
    return {
        "decision": promotion["decision"],
        "champion": promotion["version"],
        "serves": " + ".join(card.members),
        "digest": hashlib.sha256(json.dumps(sorted(card.digests.items())).encode()).hexdigest()[:12],
        "seconds_to_evaluate": round(sum(evaluating), 1),
        "seconds_of_stages": round(sum(stage["seconds"] for stage in part["stages"]), 1),
        "reason": promotion.get("reason", ""),
        "bundle": str(bundle),
    }


def rows(seed: int, quiet: dict[str, Any], beside: dict[str, Any]) -> list[dict[str, Any]]:
    """One for each data set: both runs, and which files differ between their champions."""
    made = []
    for name, first in quiet["datasets"].items():
        second = beside["datasets"][name]
        differing, files = compared(Path(first.pop("bundle")), Path(second.pop("bundle")))
        same = not differing and (first["decision"], first["serves"]) == (second["decision"], second["serves"])
        made.append(
            {
                "seed": seed,
                "dataset": name,
                "same": same,
                "files": files,
                "differing": differing,
                "quiet": first,
                "busy": second,
            }
        )
    return made


def table(record: dict[str, Any]) -> str:
    lines = [
        "| seed | data set | decision | serves | files | quiet | beside a busy core | same |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {row['seed']} | {row['dataset']} | {row['quiet']['decision']} | {row['quiet']['serves']} | {row['files']} "
        f"| `{row['quiet']['digest']}` | `{row['busy']['digest']}` | {'yes' if row['same'] else 'NO'} |"
        for row in record["rows"]
    ]
    walls = ", ".join(f"{pair['quiet']:.0f} s and {pair['busy']:.0f} s" for pair in record["seconds"])
    return "\n".join([*lines, "", f"Wall time, quiet and beside a busy core: {walls}.", ""])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--set", action="append", default=[], dest="settings", help="further settings of the run")
    parser.add_argument("--out", type=Path, default=RESULTS / "verdicts.json")
    options = parser.parse_args()
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=True)
    record: dict[str, Any] = {"commit": commit.stdout.strip(), "cores": os.cpu_count(), "machine": platform.machine()}
    record |= {"settings": options.settings, "rows": [], "seconds": []}
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            quiet, beside = (run(Path(folder) / name, seed, name == "busy", options.settings) for name in ("quiet", "busy"))
            record["rows"] += rows(seed, quiet, beside)
        record["seconds"].append({"seed": seed, "quiet": quiet["seconds"], "busy": beside["seconds"]})
        options.out.write_text(json.dumps(record, indent=1) + "\n")
        options.out.with_suffix(".md").write_text(table(record))
        print(table(record), flush=True)


if __name__ == "__main__":
    main()
