"""Additions to one data set at the same time."""

from __future__ import annotations

import json
import threading
import time
from contextvars import copy_context
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aigc_models.errors import BadInput
from flows import data
from flows.config import DataConfig
from tasks.dataset.data_lock import growing
from tasks.ingest.source import SourceSettings

pytestmark = pytest.mark.slow  # Prefect's server, and DVC's command line


@pytest.fixture
def sources(tmp_path: Path) -> dict[str, Path]:
    noise = np.random.default_rng(0)
    folders = {"text": tmp_path / "texts", "image": tmp_path / "pictures"}
    for folder in folders.values():
        folder.mkdir()
    for at in range(60):
        words = " ".join(f"{word:x}" for word in noise.integers(4096, 65536, 14))
        (folders["text"] / f"{at}.txt").write_text(words)
        Image.fromarray(noise.integers(0, 255, (8, 8), dtype=np.uint8)).save(folders["image"] / f"{at}.png")
    return folders


def test_of_two_kinds_under_one_new_name_one_is_made_and_the_other_refused(execution, sources, monkeypatch) -> None:
    workspace, waiting, ends = execution.workspace, [], {}

    def counted(*arguments):
        waiting.append(arguments)
        return growing(*arguments)

    def add(modality: str) -> None:
        try:
            ends[modality] = data.ingestion.fn(DataConfig(source=SourceSettings(name="mixed", location=str(sources[modality]))))
        except BadInput as error:
            ends[modality] = error

    monkeypatch.setattr(data, "growing", counted)
    # each with the settings of this thread: without them Prefect starts a server of its own, which takes its time
    threads = [threading.Thread(target=copy_context().run, args=(add, modality)) for modality in sources]
    with growing(workspace, "mixed"):
        for thread in threads:
            thread.start()
        while len(waiting) < 2 and all(thread.is_alive() for thread in threads):  # both stand before the lock
            time.sleep(0.05)
    for thread in threads:
        thread.join()
    refused = [end for end in ends.values() if isinstance(end, BadInput)]
    assert len(refused) == 1, ends
    assert "give it another name" in str(refused[0])
    card = json.loads((workspace.data / "mixed" / "card.json").read_text(encoding="utf-8"))
    made = ends[card["modality"]]
    assert made.intact(workspace)
    assert made.rows == 60
