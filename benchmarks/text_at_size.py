"""Ingest, clean, near-duplicates and split of many text rows: time and peak memory of each stage, recall and precision.

    AIGC_MIRROR=DIR python benchmarks/text_at_size.py --rows 50000 --out benchmarks/results/text_at_size.json

The rows are made of real sentences (financial_phrasebank, tinyshakespeare, bitext_sample), about 500 bytes each; one in
twenty is an exact copy of an earlier one, one in twenty a near copy, in which words are replaced until just above 0.8 of the
five-byte shingles are shared (Jaccard). Each stage runs in an interpreter of its own, so that its peak is its own.

With `--peer ROWS` the plain way (`plain_text.py`: pandas and datasketch) prepares the same rows in the same run, one after
the other on the same machine, and its seconds, recall and precision stand beside ours.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

STAGES = ("ingest", "clean", "deduplicate", "split")
WAYS = ("loop", "batch", "recall")  # see plain_text.py
EXACT, NEAR = 0.05, 0.05
Pairs = tuple[set[tuple[int, int]], dict[int, int]]  # near pairs, and exact copies (later: first)
LEAST = 0.8  # Jaccard similarity of planted near-duplicates


def sentences(mirror: Path) -> list[str]:
    """The real material, one sentence or line each."""
    finance = (mirror / "financial_phrasebank" / "Sentences_50Agree.txt").read_text("latin-1").splitlines()
    plays = (mirror / "tinyshakespeare" / "input.txt").read_text("utf-8").splitlines()
    (service,) = (mirror / "bitext_sample").glob("*.csv")
    with service.open(encoding="utf-8-sig", newline="") as file:
        asked = [row["utterance"] for row in csv.DictReader(file)]
    found = [line.rpartition("@")[0] for line in finance] + plays + asked
    return sorted({line.strip() for line in found if 30 <= len(line.strip()) <= 200})


def shingles(text: str) -> set[str]:
    plain = " ".join(text.casefold().split())
    return {plain[at : at + 5] for at in range(len(plain) - 4)}


def near_copy(text: str, random_: random.Random, words: list[str]) -> str:
    """Words replaced one after the other, as long as the copy stays similar enough."""
    own, copy = shingles(text), text
    for _ in range(12):
        parts = copy.split(" ")
        parts[random_.randrange(len(parts))] = random_.choice(words)
        tried = " ".join(parts)
        other = shingles(tried)
        if len(own & other) / len(own | other) < LEAST + 0.01:
            break
        copy = tried
    return copy


def write_rows(rows: int, mirror: Path, path: Path) -> dict[str, list[tuple[int, int]]]:
    """Write the csv file; the planted pairs (earlier row, later row), by kind."""
    random_, material = random.Random(0), sentences(mirror)
    words = sorted({word for line in material[:5000] for word in line.split()})
    texts: list[str] = []
    planted: dict[str, list[tuple[int, int]]] = {"exact": [], "near": []}
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["text"])
        for at in range(rows):
            draw = random_.random() if at > 100 else 1.0
            origin = random_.randrange(max(1, len(texts)))
            if draw < EXACT:
                texts.append(texts[origin])
                planted["exact"].append((origin, at))
            elif draw < EXACT + NEAR:
                texts.append(near_copy(texts[origin], random_, words))
                planted["near"].append((origin, at))
            else:
                chosen = [random_.choice(material) for _ in range(8)]
                texts.append(" ".join(chosen)[:500].strip())
            out.writerow([texts[-1]])
    return planted


def run_stage(name: str, workspace: Path, source: Path) -> None:
    """One stage's plain function; what it says goes to stdout as JSON, references beside the workspace."""
    from tasks.clean.clean import CleanSettings, clean
    from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
    from tasks.ingest.ingest import ingest
    from tasks.ingest.source import SourceSettings
    from tasks.split.split import SplitSettings, split
    from tasks.stage.references import decode, encode
    from tasks.stage.settings import Workspace
    from tasks.stage.stage import StageContext

    folder = workspace / ".aigc" / "stages" / name
    folder.mkdir(parents=True, exist_ok=True)
    context = StageContext(folder=folder, workspace=Workspace(workspace))

    def known(stage: str) -> object:
        return decode(json.loads((workspace / f"{stage}.json").read_text()))

    settings = SourceSettings(name="rows", location=str(source), content="text", label="none")
    calls = {
        "ingest": lambda: ingest.plain(settings, context),
        "clean": lambda: clean.plain(known("ingest"), CleanSettings(), context),
        "deduplicate": lambda: deduplicate.plain(known("clean"), DeduplicateSettings(), context),
        "split": lambda: split.plain(known("clean"), known("deduplicate"), SplitSettings(), context),
    }
    began = time.monotonic()
    result = calls[name]()
    seconds = time.monotonic() - began
    (workspace / f"{name}.json").write_text(json.dumps(encode(result)))
    print(json.dumps({"seconds": round(seconds, 2), "peak_gb": peak_gb()}))


def run_plain(way: str, workspace: Path, source: Path) -> None:
    """The plain way with one manner of feeding the MinHash; its pairs go beside the workspace."""
    import plain_text

    result = plain_text.prepare(source, workspace / f"{way}.parquet", way)
    found = {"near": result.pop("near"), "exact": list(result.pop("exact").items())}
    (workspace / f"{way}.json").write_text(json.dumps(found))
    print(json.dumps({**result, "peak_gb": peak_gb()}))


def peak_gb() -> float:
    """Of this process; `ru_maxrss` would start with the parent's, from which it was forked."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
    return round(int(status["VmHWM"].split()[0]) / 1e6, 3)


def measured(stage: str, workspace: Path, source: Path) -> dict[str, float]:
    command = [sys.executable, __file__, "--stage", stage, "--workspace", str(workspace), "--source", str(source)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    together = 0.0
    while process.poll() is None:
        together = max(together, family_gb(process.pid))
        time.sleep(0.1)
    if process.returncode:
        raise SystemExit(f"{stage} failed with status {process.returncode}")
    found = dict(json.loads(process.communicate()[0].splitlines()[-1]))
    return {**found, "peak_gb": round(max(found["peak_gb"], together), 3)}


def family_gb(pid: int) -> float:
    """What a process and those that it started hold together, each page as often as it is mapped."""
    import psutil

    try:
        root = psutil.Process(pid)
        return sum(each.memory_info().rss for each in (root, *root.children(recursive=True))) / 1e9
    except psutil.Error:  # one of them ended meanwhile
        return 0.0


def found_pairs(workspace: Path) -> Pairs:
    """Near pairs and exact copies (later: first) by the number of the row, from 0."""
    import pyarrow.parquet as parquet

    clean = sorted(path for path in (workspace / "data/rows/clean").glob("*.parquet") if "rejected" not in path.name)
    row_of = {}
    for path in clean:
        table = parquet.read_table(path, columns=["id", "source"])
        pairs = zip(table["id"].to_pylist(), table["source"].to_pylist(), strict=True)
        row_of |= {key: int(source.rpartition("#")[2]) - 1 for key, source in pairs}
    table = parquet.read_table(next((workspace / ".aigc/stages/deduplicate").glob("duplicates.parquet")))
    near, exact = set(), {}
    for key, original, earlier in zip(
        table["id"].to_pylist(), table["duplicate_of"].to_pylist(), table["near"].to_pylist(), strict=True
    ):
        near |= {(row_of[one], row_of[key]) for one in earlier}
        if original:
            exact[row_of[key]] = row_of[original]
    return near, exact


def plain_pairs(workspace: Path, way: str) -> Pairs:
    found = json.loads((workspace / f"{way}.json").read_text())
    return {(one, other) for one, other in found["near"]}, dict(found["exact"])


def quality(planted: dict[str, list[tuple[int, int]]], found: Pairs, source: Path) -> dict[str, float]:
    """Recall of the planted pairs; precision of 2,000 of the found ones, by the true Jaccard similarity."""
    near, exact = found
    first = {at: exact.get(at, at) for pair in planted["near"] for at in pair}
    wanted = {(min(pair), max(pair)) for one, other in planted["near"] if len(set(pair := (first[one], first[other]))) == 2}
    with source.open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    looked = random.Random(1).sample(sorted(near), min(2000, len(near)))
    sets = [(shingles(texts[one]), shingles(texts[other])) for one, other in looked]
    right = sum(len(one & other) / len(one | other) >= LEAST for one, other in sets)
    return {
        "planted_near": len(wanted),
        "found_near": len(near),
        "recall": round(len(wanted & near) / max(1, len(wanted)), 4),
        "precision": round(right / max(1, len(looked)), 4),
        "exact_recall": round(sum(at in exact for _, at in planted["exact"]) / max(1, len(planted["exact"])), 4),
    }


def measure(rows: int, peer: bool) -> dict[str, object]:
    """One size through all stages, and with `peer` through the plain ways after them."""
    with tempfile.TemporaryDirectory() as folder:
        workspace, source = Path(folder) / "workspace", Path(folder) / "rows.csv"
        workspace.mkdir()
        planted = write_rows(rows, Path(os.environ["AIGC_MIRROR"]), source)
        stages = {stage: measured(stage, workspace, source) for stage in STAGES}
        megabytes = round(source.stat().st_size / 1e6, 1)
        result = {"rows": rows, "megabytes": megabytes, **stages, **quality(planted, found_pairs(workspace), source)}
        return result | ({"plain": plain(stages, workspace, planted, source)} if peer else {})


def plain(
    stages: dict[str, dict[str, float]], workspace: Path, planted: dict[str, list[tuple[int, int]]], source: Path
) -> dict[str, object]:
    """The plain ways on the same rows; `times` is how often our whole chain fits into one."""
    ours = round(sum(stage["seconds"] for stage in stages.values()), 2)
    found: dict[str, object] = {"our_seconds": ours}
    for way in WAYS:
        one = measured(way, workspace, source)
        found[way] = {**one, "times": round(one["seconds"] / ours, 2), **quality(planted, plain_pairs(workspace, way), source)}
    return found


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rows", type=int, nargs="*", default=[50_000])
    arguments.add_argument("--peer", type=int, nargs="*", default=[], help="sizes at which the plain way runs as well")
    arguments.add_argument("--out", type=Path)
    arguments.add_argument("--stage", choices=(*STAGES, *WAYS))
    arguments.add_argument("--workspace", type=Path)
    arguments.add_argument("--source", type=Path)
    asked = arguments.parse_args()
    if asked.stage:
        run = run_plain if asked.stage in WAYS else run_stage
        run(asked.stage, asked.workspace, asked.source)
        return
    results = []
    for rows, peer in [(rows, False) for rows in asked.rows] + [(rows, True) for rows in asked.peer]:
        results.append(measure(rows, peer))
        print(json.dumps(results[-1]), flush=True)
    if asked.out:
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), "python": platform.python_version()}
        asked.out.write_text(json.dumps({"machine": machine, "runs": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
