"""Atomic, verified checkpoints: a folder of folders named by their step.

    00000120/tensors.safetensors   all tensors
    00000120/state.json            all the rest
    00000120/manifest.json         sha256 of both, written last

A checkpoint is written to `NAME.tmp` and renamed, so that a killed process leaves a complete one
or none. No pickle anywhere.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from aigc_models.errors import Damaged
from aigc_models.reading.bundle_files import sha256

TENSORS, STATE, MANIFEST = "tensors.safetensors", "state.json", "manifest.json"
KEPT = 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Checkpoint:
    """What training needs to go on as if nothing had happened; `state` is JSON."""

    step: int
    tensors: dict[str, Tensor]
    state: dict[str, Any] = field(default_factory=dict)


def detached(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Copies on the CPU that share no memory, as safetensors wants them."""
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in tensors.items()}


def save(folder: Path, checkpoint: Checkpoint) -> Path:
    """Write `checkpoint` under `folder`, replacing one of the same step, and keep the last two."""
    target = folder / f"{checkpoint.step:08d}"
    unfinished = folder / f"{target.name}.tmp"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    save_file(detached(checkpoint.tensors), unfinished / TENSORS)
    (unfinished / STATE).write_text(json.dumps(checkpoint.state))
    digests = {name: sha256(unfinished / name) for name in (TENSORS, STATE)}
    (unfinished / MANIFEST).write_text(json.dumps({"step": checkpoint.step, "sha256": digests}))
    for name in (TENSORS, STATE, MANIFEST):
        _flush(unfinished / name)
    replace(unfinished, target)
    for old in steps(folder)[:-KEPT]:
        shutil.rmtree(old, ignore_errors=True)
    return target


def replace(unfinished: Path, target: Path) -> None:
    """Rename a folder over another one, which is moved out of the way first."""
    old = target.parent / f"{target.name}.old.tmp"
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    unfinished.rename(target)
    _flush(target.parent)
    shutil.rmtree(old, ignore_errors=True)


def steps(folder: Path) -> list[Path]:
    """The checkpoints of `folder`, oldest first; unfinished ones are none."""
    return sorted(path for path in folder.glob("[0-9]*") if path.is_dir() and path.name.isdigit())


def load(path: Path) -> Checkpoint:
    """Read one checkpoint; raises `Damaged` where a file is missing or not what its digest says."""
    try:
        manifest = json.loads((path / MANIFEST).read_text())
        for name, digest in manifest["sha256"].items():
            if sha256(path / name) != digest:
                raise Damaged(f"{path / name} is not what its digest says")
        state = json.loads((path / STATE).read_text())
        return Checkpoint(int(manifest["step"]), load_file(path / TENSORS), state)
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        raise Damaged(f"the checkpoint {path} is incomplete: {error}") from error


def latest(folder: Path) -> Checkpoint | None:
    """The newest checkpoint that is complete; damaged ones are passed over with a warning."""
    for path in reversed(steps(folder)):
        try:
            return load(path)
        except Damaged as damage:
            log.warning("%s; going back to the one before", damage)
    return None


def discard(folder: Path) -> None:
    """Remove all checkpoints, when the result is kept elsewhere."""
    shutil.rmtree(folder, ignore_errors=True)


def _flush(path: Path) -> None:
    """Have the operating system put a file, or a folder's entries, on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
