from __future__ import annotations

from pathlib import Path

import pytest

from aigc_models.find import find
from tasks.stage.context import StageContext
from tasks.stage.references import CorpusRef
from tasks.stage.settings import Workspace
from tasks.train import sizes, speed
from tasks.train.members import MemberSettings, model_config
from tasks.train.speed import Speed

FORMAT = {"height": 48, "width": 32, "channels": 3}


@pytest.fixture
def data() -> CorpusRef:
    return CorpusRef(
        outputs=(), sha256="", dataset="d", modality="image", version="1", labels=("a",), format=FORMAT, splits={"train": 60}
    )


def test_a_size_is_timed_once_without_any_data(data: CorpusRef, tmp_path: Path) -> None:
    workspace, member = Workspace(tmp_path), MemberSettings(family="vae", size="debug", threads=1)
    assert sizes.kept(workspace, data, member) is None
    sizes.measure_size.plain(data, member, StageContext(tmp_path, workspace))
    timed = sizes.kept(workspace, data, member)
    assert timed is not None
    assert timed.step > 0
    sizes.measure_size.plain(data, member, StageContext(tmp_path, workspace))
    assert sizes.kept(workspace, data, member) == timed
    assert speed.kept(workspace, data, member) is None  # what the training takes is measured on its data


def test_every_member_has_to_get_enough_steps() -> None:
    members = [MemberSettings(family="vae", seconds=60), MemberSettings(family="gan", seconds=30)]
    assert sizes.needed(90, members, [Speed(0.057), Speed(0.0285)]) == pytest.approx(90)
    assert sizes.needed(90, members, [Speed(0.057), Speed(0.285)]) == pytest.approx(900)
    assert sizes.needed(90, members, [Speed(), Speed()]) == 0


@pytest.mark.parametrize("family", ["flow_matching", "gan", "vae"])
def test_a_larger_format_is_learnt_in_full(family: str) -> None:
    details = find("aigc_models.families", family).SIZES
    member = MemberSettings(family=family)
    assert model_config(sizes.in_full(member, FORMAT)).detail == 48
    assert sizes.in_full(member, {"height": 32, "width": 32}) == member
    assert sizes.in_full(member, FORMAT, "base") == member
    assert details["base"].detail >= 48
    stated = MemberSettings(family=family, settings={"detail": 32})
    assert sizes.in_full(stated, FORMAT) == stated
