from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from tasks.stage.references import CorpusRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train import speed
from tasks.train.members import MemberSettings
from tasks.train.speed import Speed, in_steps, measure_speed, rounded

TIMED = MemberSettings(family="vae", size="debug", seconds=10.0, threads=1, device="cpu")


@pytest.fixture
def data(tmp_path: Path) -> CorpusRef:
    """Thirty small grey pictures without labels."""
    random = np.random.default_rng(0)
    for name in ("train", "validation", "test"):
        Corpus("image", random.integers(0, 255, (30, 1, 8, 8)).astype(np.uint8), np.zeros(30, int)).save(tmp_path / name)
    folders = [tmp_path / name for name in ("train", "validation", "test")]
    about = {"dataset": "grey", "modality": "image", "version": "v", "labels": (), "licence": ""}
    size = {"height": 8, "width": 8, "channels": 1}
    return CorpusRef.to(Workspace(tmp_path), *folders, **about, format=size, splits=dict.fromkeys(("train",), 30))


def measured(data: CorpusRef, member: MemberSettings, workspace: Workspace) -> Speed | None:
    folder = workspace.stages / "measure"
    folder.mkdir(parents=True, exist_ok=True)
    measure_speed.plain(data, member, context=StageContext(folder, workspace))
    return speed.kept(workspace, data, member)


def test_a_speed_is_measured_once_and_kept(data: CorpusRef, tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    assert speed.kept(workspace, data, TIMED) is None
    first = measured(data, TIMED, workspace)
    assert first is not None
    assert first.step > 0
    assert first.validation > 0
    assert measured(data, TIMED, workspace) == first, "who measures later, on a busier machine, plans the same steps"
    assert in_steps(TIMED, first).steps == in_steps(TIMED, first).steps


def test_a_speed_is_that_of_a_model_a_batch_a_shape_and_threads_but_not_of_a_seed_or_a_time(data: CorpusRef) -> None:
    same = [TIMED.model_copy(update=change) for change in ({"seed": 4}, {"seconds": 3.0}, {"name": "other"}, {"limit": 1.0})]
    assert {speed.key(data, member) for member in same} == {speed.key(data, TIMED)}
    changes = ({"size": "small"}, {"plan": {"batch_size": 7}}, {"threads": 2}, {"settings": {"width": 8}}, {"family": "gan"})
    others = [speed.key(data, TIMED.model_copy(update=change)) for change in changes]
    others.append(speed.key(data.model_copy(update={"format": {"height": 9, "width": 8, "channels": 1}}), TIMED))
    assert len({speed.key(data, TIMED), *others}) == 1 + len(others)


def test_a_method_that_is_fitted_in_one_go_has_no_steps(data: CorpusRef, tmp_path: Path) -> None:
    plain = TIMED.model_copy(update={"family": "gaussian_mixture"})
    assert measured(data, plain, Workspace(tmp_path)) == Speed(0.0, 0.0)
    assert (in_steps(plain, Speed()).steps, in_steps(plain, Speed()).seconds) == (None, None)


@pytest.mark.parametrize(
    ("seconds", "step", "validation", "steps", "every"),
    [
        (10.0, 0.01, 0.0, 950, 38),  # 25 validations that cost nothing
        (10.0, 0.01, 0.01, 920, 37),  # 9.5 s, of which 0.25 s for validations
        (10.0, 0.01, 0.5, 900, 900),  # one validation is all that a tenth of the time allows
        (10.0, 1.0, 4.0, 5, 5),
    ],
)
def test_a_time_becomes_steps_and_validations(seconds: float, step: float, validation: float, steps: int, every: int) -> None:
    member = in_steps(TIMED.model_copy(update={"seconds": seconds}), Speed(step, validation))
    assert (member.steps, member.plan["validate_every"], member.seconds) == (steps, every, None)


def test_a_budget_that_is_shorter_than_a_step_says_what_would_do() -> None:
    with pytest.raises(BadInput, match=r"member 'vae' has 10 s of the budget, and one step .* takes 21 s .* 2.1 times as long"):
        in_steps(TIMED, Speed(12.0, 8.0))


def test_steps_are_rounded_down_to_two_digits() -> None:
    assert [rounded(count) for count in (7, 49, 123, 1999, 85_432)] == [7, 49, 120, 1900, 85_000]


def test_a_damaged_file_of_speeds_is_named(data: CorpusRef, tmp_path: Path) -> None:
    file = Workspace(tmp_path).create().state / "speeds.json"
    for damage in ("{", "[1]", json.dumps({"a": 1})):
        file.write_text(damage)
        with pytest.raises(BadInput, match=r"speeds.json is not what was written there .*; remove it"):
            speed.kept(Workspace(tmp_path), data, TIMED)
