"""Time and memory of a whole command, seen from outside: wall time and the resident memory of all its processes.

    python benchmarks/run_from_outside.py --out benchmarks/results/sample.json -- aigc run sample

Children that started their own process groups count too: they are found by walking the process tree.
The time inside the stages' plain functions is read from the run's report.json; all the rest of the
wall time is overhead.
"""

from __future__ import annotations

import argparse
import json
import platform
import subprocess
import time
from pathlib import Path

import psutil


def tree(process: psutil.Process) -> list[psutil.Process]:
    try:
        return [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def resident(processes: list[psutil.Process]) -> int:
    """Bytes resident in all of them together; pages that they share are counted once for each."""
    total = 0
    for process in processes:
        try:
            total += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
    return total


def measure(command: list[str], every: float = 0.2) -> dict[str, float]:
    """Run `command` and watch it."""
    began = time.monotonic()
    child = subprocess.Popen(command)
    root, peak, most = psutil.Process(child.pid), 0, 0
    while child.poll() is None:
        processes = tree(root)
        used = resident(processes)
        peak, most = max(peak, used), max(most, len(processes))
        time.sleep(every)
    return {"seconds": time.monotonic() - began, "peak_rss_gb": peak / 1e9, "most_processes": most, "status": child.returncode}


def newest_report() -> dict[str, float]:
    """Work and overhead as the newest report in `outputs/` has them."""
    reports = sorted(Path("outputs").glob("*/report.json"), key=lambda path: path.stat().st_mtime)
    if not reports:
        return {}
    report = json.loads(reports[-1].read_text())
    return {"report_seconds": report["seconds"], "report_overhead_seconds": report["overhead_seconds"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    found = measure([word for word in options.command if word != "--"])
    found |= newest_report()
    if "report_seconds" in found:
        work = found["report_seconds"] - found["report_overhead_seconds"]
        found |= {"work_seconds": work, "overhead_seconds": found["seconds"] - work}
        found["overhead_beyond_25s_share"] = max(0.0, found["overhead_seconds"] - 25) / found["seconds"]
    found |= {"cores": psutil.cpu_count(), "machine": platform.processor() or platform.machine()}  # type: ignore[dict-item]
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.parent.mkdir(parents=True, exist_ok=True)
        options.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
