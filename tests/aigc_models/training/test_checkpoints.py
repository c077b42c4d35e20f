from __future__ import annotations

from pathlib import Path

import pytest
import torch

from aigc_models.errors import Damaged
from aigc_models.training import checkpoints
from aigc_models.training.checkpoints import MANIFEST, STATE, TENSORS, Checkpoint


def checkpoint(step: int) -> Checkpoint:
    return Checkpoint(step, {"a": torch.full((2, 3), float(step)), "b": torch.tensor(step)}, {"note": f"step {step}"})


def same(one: Checkpoint | None, other: Checkpoint) -> bool:
    assert one is not None
    tensors = all(torch.equal(one.tensors[name], tensor) for name, tensor in other.tensors.items())
    return tensors and (one.step, one.state) == (other.step, other.state)


def test_the_last_two_are_kept_and_the_newest_is_found(tmp_path: Path) -> None:
    assert checkpoints.latest(tmp_path) is None
    for step in (0, 9, 10, 200):
        checkpoints.save(tmp_path, checkpoint(step))
    assert [path.name for path in checkpoints.steps(tmp_path)] == ["00000010", "00000200"]
    assert same(checkpoints.latest(tmp_path), checkpoint(200))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["00000010", "00000200"]


@pytest.mark.parametrize("file", [TENSORS, STATE, MANIFEST])
@pytest.mark.parametrize("damage", ["removed", "cut", "flipped"])
def test_a_damaged_one_is_passed_over(tmp_path: Path, file: str, damage: str, caplog: pytest.LogCaptureFixture) -> None:
    checkpoints.save(tmp_path, checkpoint(1))
    path = checkpoints.save(tmp_path, checkpoint(2)) / file
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 4
    path.unlink()
    if damage != "removed":
        path.write_bytes(content if damage == "flipped" else content[: len(content) // 2])
    with pytest.raises(Damaged, match="00000002"):
        checkpoints.load(path.parent)
    assert same(checkpoints.latest(tmp_path), checkpoint(1))
    assert "going back to the one before" in caplog.text


def test_an_unfinished_one_is_none(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, checkpoint(1))
    (tmp_path / "00000002.tmp").mkdir()
    (tmp_path / "00000002.tmp" / STATE).write_text("{")
    assert same(checkpoints.latest(tmp_path), checkpoint(1))
    checkpoints.save(tmp_path, checkpoint(2))
    assert same(checkpoints.latest(tmp_path), checkpoint(2))


def test_one_of_the_same_step_is_replaced(tmp_path: Path) -> None:
    checkpoints.save(tmp_path, checkpoint(3))
    changed = Checkpoint(3, {"a": torch.zeros(1)}, {})
    checkpoints.save(tmp_path, changed)
    assert same(checkpoints.latest(tmp_path), changed)


def test_views_and_shared_memory_are_copied(tmp_path: Path) -> None:
    whole = torch.arange(6.0).reshape(2, 3)
    kept = checkpoints.detached({"whole": whole, "tied": whole, "turned": whole.T})
    checkpoints.save(tmp_path, Checkpoint(1, kept))
    whole.zero_()
    checkpoint = checkpoints.latest(tmp_path)
    assert checkpoint.tensors["turned"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert torch.equal(checkpoint.tensors["tied"], checkpoint.tensors["whole"])


def test_discard(tmp_path: Path) -> None:
    checkpoints.save(tmp_path / "checkpoints", checkpoint(3))
    checkpoints.discard(tmp_path / "checkpoints")
    assert not (tmp_path / "checkpoints").exists()
