"""Malformed files of every modality: none crashes or hangs a run, each is kept out for a reason that a person understands.

Alone, every third is judged; with AIGC_CORPUS=all, which takes some minutes, each of them.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tasks.ingest.source import SourceSettings
from tasks.stage.settings import Workspace

CORPUS = Path(__file__).parent / "malformed"
KINDS = {"pictures": "image", "sounds": "audio", "texts": "text", "tables": None, "courses": None, "archives": None}
TOGETHER = ("pictures", "sounds", "texts", "courses")  # whose files are items of one folder; each of the others is a source
SECONDS, MEGABYTES = 10.0, 1000  # of one item
MORE = 0.02  # seconds for each further item of a file
PATIENCE = 60.0  # seconds without an answer, on a machine that has other work
# Nobody who is no programmer of this project understands these.
GIVEAWAYS = re.compile(
    r"object at 0x|Traceback|Errno|<class|codec can't|\(char \d|Error\(|NoneType|Plugin|psf_|zlib|Error -\d|_t\b"
)


@pytest.fixture(scope="module", autouse=True)
def importable() -> Iterator[None]:
    sys.path.insert(0, str(CORPUS))
    yield
    sys.path.remove(str(CORPUS))
    for name in (*KINDS, "damage", "outcomes", "readable"):
        sys.modules.pop(name, None)


def corpus(kind: str) -> ModuleType:
    return importlib.import_module(kind)


def written(folder: Path, files: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        (folder / name).write_bytes(data)
    return folder


def understood(reason: str) -> bool:
    return bool(reason) and not GIVEAWAYS.search(reason) and len(reason) < 1500


def may_be_read(kind: str, name: str) -> bool:
    return any(fnmatch(name, pattern) for pattern in corpus("readable").READABLE[kind])


@pytest.mark.parametrize("kind", TOGETHER)
def test_the_good_ones_among_many_malformed_ones_are_all_kept(kind: str, tmp_path: Path) -> None:
    good, bad = corpus(kind).good(), corpus(kind).bad()
    folder = written(tmp_path / kind, good | bad)
    modality = "series" if kind == "courses" else KINDS[kind]
    source = SourceSettings(name="mixed", location=str(folder), modality=modality)
    kept, rejected = corpus("outcomes").passed(source, Workspace(tmp_path / "w"))
    assert set(good) <= set(kept)
    assert [name for name in set(kept) - set(good) if not may_be_read(kind, name.partition("#")[0])] == []
    assert [row["reason"] for row in rejected if not understood(row["reason"])] == []


def test_there_are_enough_of_every_kind() -> None:
    counts = {kind: len(corpus(kind).bad()) + len(corpus(kind).heavy()) for kind in KINDS}
    assert sum(counts.values()) >= 300
    assert min(counts.values()) >= 50


class Judge:
    """Asks a process of its own what becomes of a file; one that dies or does not answer is told, and a new one started."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None

    def ask(self, modality: str | None, path: Path) -> dict[str, Any]:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, str(CORPUS / "outcomes.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([modality, str(path)]) + "\n")
        self.process.stdin.flush()
        answers = select.select([self.process.stdout], [], [], PATIENCE)[0]
        line = self.process.stdout.readline() if answers else ""
        if line:
            return dict(json.loads(line))
        self.close()
        return {"outcome": "died" if answers else "hung", "reasons": [], "seconds": PATIENCE, "megabytes": 0}

    def close(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()
        self.process = None


@pytest.fixture(scope="module")
def judge() -> Iterator[Judge]:
    found = Judge()
    yield found
    found.close()


def faults(kind: str, name: str, told: dict[str, Any]) -> list[str]:
    """What is wrong with an outcome."""
    found = []
    if told["outcome"] not in ("kept", "refused"):
        found.append(f"{told['outcome']}: {told['reasons']}")
    if told["outcome"] == "kept" and not told["rejected"] and not may_be_read(kind, name):
        found.append("is kept, and nobody says why that is right")
    if told["seconds"] > SECONDS + MORE * (told.get("kept", 0) + told.get("rejected", 0)):
        found.append(f"took {told['seconds']} s")
    if told["megabytes"] > MEGABYTES:
        found.append(f"took {told['megabytes']} MB")
    found += [f"says {reason!r}" for reason in told["reasons"] if not understood(reason)]
    if told["outcome"] == "refused" and name.split(".")[0] not in " ".join(told["reasons"]) and kind != "archives":
        found.append(f"is not named: {told['reasons']}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_each_alone_ends_soon_within_bounds_and_with_a_reason(kind: str, tmp_path: Path, judge: Judge) -> None:
    makers = {name: lambda data=data: data for name, data in corpus(kind).bad().items()} | corpus(kind).heavy()
    found = {}
    for name in sorted(makers)[:: 1 if os.environ.get("AIGC_CORPUS") == "all" else 3]:
        make = makers[name]
        path = tmp_path / name
        path.write_bytes(make())
        found[name] = faults(kind, name, judge.ask(KINDS[kind], path))
        path.unlink()
    assert {name: wrong for name, wrong in found.items() if wrong} == {}


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["pictures", "sounds", "texts"])
def test_the_command_keeps_the_good_ones(kind: str, tmp_path: Path) -> None:
    good, bad = corpus(kind).good(), corpus(kind).bad()
    folder = written(tmp_path / kind, good | bad)
    command = [
        sys.executable,
        "-m",
        "flows.command_line.app",
        "data",
        "add",
        "mixed",
        str(folder),
        "--modality",
        str(KINDS[kind]),
        "--json",
    ]
    began = time.monotonic()
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=120, cwd=tmp_path, env=_environment(tmp_path / "w"), check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(done.stdout)["counts"]["kept"] >= len(good)
    assert time.monotonic() - began < 120


def _environment(workspace: Path) -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    return kept | {"AIGC_WORKSPACE": str(workspace), "PYTHONPATH": str(Path(__file__).parents[2])}
