"""A full disk: a clear message, the version before it intact, and with room again the same call completes."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pyarrow import parquet

from flows.failures import explained
from tasks.clean.clean import CleanSettings, clean
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.split.split import SplitSettings, split
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.version.verify import verify
from tasks.version.version import version

MB = 2**20


def added(workspace: Workspace, location: Path) -> str:
    """The version of the data set `notes` with what is in a folder."""
    workspace.stages.mkdir(parents=True, exist_ok=True)
    context = StageContext(workspace.stages, workspace)
    cleaned = clean.plain(
        ingest.plain(SourceSettings(name="notes", location=str(location)), context=context), CleanSettings(), context=context
    )
    found = deduplicate.plain(cleaned, DeduplicateSettings(), context=context)
    return str(version.plain(split.plain(cleaned, found, SplitSettings(), context=context), context=context).version)


def sentence(at: int) -> str:
    """No near-duplicate of any other."""
    return " ".join(hashlib.sha256(f"{at} {word}".encode()).hexdigest()[:7] for word in range(8))


def intact(workspace: Workspace, version: str) -> bool:
    return any(state.version == version and not state.damaged and not state.missing for state in verify(workspace, "notes"))


def test_a_table_that_cannot_be_written_is_told_and_the_same_call_completes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace = Workspace(tmp_path / "w").create()
    monkeypatch.setenv("AIGC_WORKSPACE", str(workspace.root))
    (tmp_path / "content").mkdir()
    for at in range(60):
        (tmp_path / "content" / f"{at}.txt").write_text(sentence(at))
    first = added(workspace, tmp_path / "content")
    (tmp_path / "content" / "new.txt").write_text(sentence(900))
    whole, failed = parquet.ParquetWriter.__init__, set()

    def full(self: Any, path: Any, *arguments: Any, **options: Any) -> None:
        """Each table fails once."""
        if (name := Path(path).name) not in failed:
            failed.add(name)
            raise OSError(errno.ENOSPC, "No space left on device")
        whole(self, path, *arguments, **options)

    monkeypatch.setattr(parquet.ParquetWriter, "__init__", full)
    second = ""
    while not second:
        count = len(failed)
        try:
            second = added(workspace, tmp_path / "content")
        except Exception as error:
            status, message = explained(error)
            assert (status, len(failed)) == (2, count + 1)
            assert str(workspace.root) in message
            assert "full" in message or "no space" in message
            assert intact(workspace, first)
    assert {"splits.parquet", "quarantine.parquet"} <= failed
    assert len(failed) >= 5  # and those of the raw and the clean shard
    assert second != first
    assert intact(workspace, first)
    assert intact(workspace, second)


def _command(workspace: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    env = kept | {"AIGC_WORKSPACE": str(workspace), "PYTHONPATH": str(Path(__file__).parents[2])}
    command = [sys.executable, "-m", "flows.command_line.app", "data", *arguments, "--json"]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=workspace, env=env, check=False)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 150 MB of its own, where it may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=150m", "tmpfs", str(folder)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("mounting a file system takes rights that this user has not")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def pictures(folder: Path, count: int, side: int) -> Path:
    folder.mkdir()
    noise = np.random.default_rng(side)
    for at in range(count):
        Image.fromarray(noise.integers(0, 256, (side, side, 3), dtype=np.uint8)).save(folder / f"{side}-{at}.png")
    return folder


@pytest.mark.slow
def test_the_command_on_a_full_disk(disk: Path, tmp_path: Path) -> None:
    workspace = disk / "w"
    workspace.mkdir()
    first = json.loads(_command(workspace, "add", "pics", str(pictures(tmp_path / "few", 80, 32))).stdout)["version"]
    many = pictures(tmp_path / "many", 210, 256)  # 0.2 MB each, once in the raw shards and once in the clean ones
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, os.statvfs(disk).f_bavail * os.statvfs(disk).f_bsize - 67 * MB)
    failed = _command(workspace, "add", "pics", str(many))
    assert failed.returncode == 2
    assert "✗ clean pics" in failed.stderr
    assert f"{workspace / 'data'}: the disk is full; free some space and run the same command again" in failed.stderr
    assert "Traceback" not in failed.stderr
    assert _command(workspace, "verify", "pics").returncode == 0
    ballast.unlink()
    again = _command(workspace, "add", "pics", str(many))
    assert again.returncode == 0, again.stderr
    assert json.loads(again.stdout)["version"] != first
    assert len(json.loads(_command(workspace, "verify", "pics").stdout)["versions"]) == 2
