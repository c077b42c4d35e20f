"""At what size large pictures are learnt, by the speeds of this machine."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from flows import sizes as flow
from flows.config import compose
from tasks.stage.execution import Execution, Silent, executing
from tasks.stage.references import VersionRef
from tasks.stage.settings import Workspace
from tasks.train import sizes, speed
from tasks.train.speed import Speed

STEPS = {48: 0.05, 64: 0.1, 96: 1.0}  # seconds of a step at a longer side


class Heard(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def message(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> VersionRef:
    """Pictures of 100 x 60; what `timed` measures is `STEPS`."""
    card = {
        "format": {"height": 20, "width": 32, "channels": 3},
        "diversity": {"height": [60, 60.0, 60], "width": [90, 100.0, 120]},
    }
    (tmp_path / "data/d").mkdir(parents=True)
    (tmp_path / "data/d/card.json").write_text(json.dumps(card))

    def plain(corpus, member, context):
        key = f"noise-{speed.key(corpus, member)}"
        speed.keep(context.workspace, key, Speed(STEPS[max(corpus.format["height"], corpus.format["width"])]))

    monkeypatch.setattr(flow, "measure_size", SimpleNamespace(plain=plain))
    about = {"dataset": "d", "modality": "image", "labels": ("a",), "splits": {"train": 60}, "version": "1"}
    wanted = {name: about.get(name, 0) for name in VersionRef.model_fields if VersionRef.model_fields[name].is_required()}
    return VersionRef.model_validate({**wanted, **about, "outputs": ("data/d",), "sha256": ""})


def asked(version: VersionRef, tmp_path: Path, budget: str, *settings: str):
    """The configuration of a run, and what was said; as under `aigc plan`, on one core."""
    made = {"source": {"name": "d", "location": str(tmp_path), "modality": "image"}}
    config = compose("image", made, budget, list(settings)).runs[0]
    heard = Heard()
    with executing(Execution(Workspace(tmp_path), cores=1, planning=True, observer=heard)):
        return flow.sized(config, None, version), heard.texts


@pytest.mark.parametrize(
    ("budget", "size", "said"),
    [
        ("1m", None, "trained at 32 x 20 within 1 min 0 s; 48 x 32 needs a budget of about 6m"),
        ("6m", (48, 32), "trained at 48 x 32 within 6 min 0 s; 64 x 40 needs a budget of about 11m"),
        ("20m", (64, 40), "trained at 64 x 40 within 20 min 0 s; 96 x 56 needs a budget of about 106m"),
        ("4h", (96, 56), "trained at 96 x 56 within 4 h 0 min"),
    ],
)
def test_the_largest_size_that_the_budget_allows_is_taken_and_said(version, tmp_path, budget, size, said) -> None:
    config, texts = asked(version, tmp_path, budget)
    assert texts == [f"d: pictures of 100 x 60: {said}"]
    format = config.training.encode.format
    assert (format and (format["width"], format["height"])) == size
    details = {member.settings.get("detail") for member in config.training.members}
    assert details == ({size[0]} if size else {None})
    assert asked(version, tmp_path, budget)[0] == config  # from the speeds that are kept


@pytest.mark.parametrize("setting", ["training.encode.format={height: 24, width: 24}", "training.members.gan.steps=100"])
def test_what_is_stated_wins(version, tmp_path, setting) -> None:
    config, texts = asked(version, tmp_path, "1h", setting)
    assert texts == []
    assert config == compose("image", {"source": config.data.source.model_dump()}, "1h", [setting]).runs[0]


def test_small_pictures_are_not_enlarged(version) -> None:
    small = {"format": {"height": 8, "width": 8, "channels": 1}, "diversity": {"height": [8, 8, 8], "width": [8, 8, 8]}}
    assert sizes.larger(version, small) == []
