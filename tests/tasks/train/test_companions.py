from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from aigc_models import bundle
from aigc_models.corpus import Corpus
from aigc_models.errors import AigcError
from tasks.stage.references import CorpusRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train import companions
from tasks.train.finetune import finetune
from tasks.train.members import MemberSettings


@pytest.fixture
def data(tmp_path: Path) -> CorpusRef:
    random = np.random.default_rng(0)
    for name, count in (("train", 40), ("validation", 10), ("test", 10)):
        Corpus("image", random.integers(0, 256, (count, 1, 8, 8)).astype(np.uint8), np.arange(count) % 2).save(tmp_path / name)
    folders = [tmp_path / name for name in ("train", "validation", "test")]
    about = {"dataset": "halves", "modality": "image", "version": "v", "labels": ("left", "right"), "licence": "CC0-1.0"}
    size = {"height": 8, "width": 8, "channels": 1}
    return CorpusRef.to(Workspace(tmp_path), *folders, **about, format=size, splits={"train": 40, "validation": 10, "test": 10})


def context(tmp_path: Path) -> StageContext:
    (tmp_path / "stage").mkdir()
    return StageContext(tmp_path / "stage", Workspace(tmp_path))


def member(**plan: object) -> MemberSettings:
    return MemberSettings(family="vae", size="debug", steps=3, device="cpu", plan={"batch_size": 10, **plan})


@pytest.mark.slow
def test_a_member_is_trained_by_two_processes(data: CorpusRef, tmp_path: Path) -> None:
    here, threads = context(tmp_path), torch.get_num_threads()
    reference = finetune.plain(data, None, member(processes=2), context=here)
    card, _ = bundle.load(reference.path(here.workspace))
    assert (reference.steps, card.training["processes"]) == (3, 2)
    assert not (here.folder / "checkpoints").exists()
    assert torch.get_num_threads() == threads
    assert "WORLD_SIZE" not in os.environ
    assert not torch.distributed.is_initialized()


def test_alone_nobody_is_started(data: CorpusRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(companions, "started", None)
    with companions.companions(1, data, None, member(), context(tmp_path)):
        assert "WORLD_SIZE" not in os.environ


def test_a_companion_that_does_not_begin_ends_the_training(
    data: CorpusRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dying(index: int, group: dict[str, str], orders: dict[str, object]) -> subprocess.Popen[str]:
        script = "raise SystemExit(7)"
        return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    monkeypatch.setattr(companions, "started", dying)
    with pytest.raises(AigcError, match="a process of the training ended with status 7"):
        finetune.plain(data, None, member(processes=2), context=context(tmp_path))


@pytest.mark.parametrize(
    ("then", "error", "message"),
    [
        ("time.sleep(0.5); raise SystemExit(3)", AigcError, "a process of the training ended with status 3"),
        ("time.sleep(60)", RuntimeError, "out of memory"),
    ],
)
def test_a_broken_connection_waits_for_the_status_of_its_other_end(
    data: CorpusRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, then: str, error: type[Exception], message: str
) -> None:
    def ready(index: int, group: dict[str, str], orders: dict[str, object]) -> subprocess.Popen[str]:
        script = f"import time; print('ready', flush=True); {then}"
        return subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    monkeypatch.setattr(companions, "started", ready)
    monkeypatch.setattr(companions, "GONE", 10.0 if error is AigcError else 0.2)
    with pytest.raises(error, match=message), companions.companions(2, data, None, member(), context(tmp_path)):
        raise RuntimeError("out of memory")


@pytest.mark.slow
def test_a_companion_that_is_killed_ends_the_training(data: CorpusRef, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    children, start, here = list[subprocess.Popen[str]](), companions.started, context(tmp_path)

    def started(*arguments: Any) -> subprocess.Popen[str]:
        children.append(start(*arguments))
        return children[-1]

    monkeypatch.setattr(companions, "started", started)
    here.on_progress = lambda step, total, **figures: children[0].kill()
    with pytest.raises(AigcError, match="a process of the training ended with status -9"):
        finetune.plain(data, None, member(processes=2).model_copy(update={"steps": 5000}), context=here)
    assert (here.folder / "checkpoints").exists(), "the same command goes on"
