"""One folder is one trained generator.

    bundle.json             the card: what it is, how to build it, the digests of all other files
    weights.safetensors     the tensors of a member, a body or a baseline
    members/NAME/           of an ensemble: the bundles of its members

No pickle anywhere: code comes from the project, weights from safetensors, all the rest is JSON.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from aigc_models.capabilities import Shape, Stateful, capabilities
from aigc_models.errors import BadInput, Damaged
from aigc_models.find import find
from aigc_models.training.checkpoints import detached, replace, sha256
from aigc_models.training.randomness import seeded

CARD, WEIGHTS, MEMBERS = "bundle.json", "weights.safetensors", "members"
LATEST = "latest.safetensors"  # what a model of series goes on from by itself


class Card(BaseModel):
    """What stands in `bundle.json`. `save` fills in `members`, `capabilities`, `params` and `digests`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["member", "ensemble", "body", "baseline"] = Field("member", description="what it is for")
    name: str = Field(description="by which it is called in reports")
    family: str = Field(description="file of aigc_models/families, or of aigc_models/ensembles for an ensemble")
    modality: str = Field(description="file of aigc_models/modalities")
    config: dict[str, Any] = Field({}, description="the family's Config, or the ensemble's Settings")
    format: dict[str, Any] = Field({}, description="the modality's Format")
    labels: tuple[str, ...] = Field((), description="condition i is labels[i]; len(labels) is 'no label'")
    capabilities: tuple[str, ...] = Field((), description="names of aigc_models.capabilities.PROTOCOLS")
    members: tuple[str, ...] = Field((), description="sub-folders of members/")
    weights: dict[str, float] = Field({}, description="of an ensemble's members")
    dataset: str = Field("", description="name of the data set")
    version: str = Field("", description="of the data set: a digest")
    parents: dict[str, str] = Field({}, description="digests of the bundles it was made from, by name")
    licence: str = Field("", description="of the data, as its owner states it")
    seed: int = Field(0, description="of its training")
    micro_batch: int = Field(16, ge=1, description="items that are generated together, always; short ones are padded")
    params: int = Field(0, description="numbers learnt")
    digests: dict[str, str] = Field({}, description="sha256 of each other file, by relative path")

    @property
    def shape(self) -> Shape:
        """What the family builds the model from."""
        formats = find("aigc_models.modalities", self.modality).Format
        return Shape(self.modality, self.labels, formats.model_validate(self.format))


def save(
    folder: Path,
    model: object,
    card: Card,
    members: Mapping[str, Path] | None = None,
    latest: Sequence[tuple[bytes, int]] = (),
) -> Card:
    """Write `model` as a bundle, whole or not at all; an ensemble is written as the bundles of its `members`.

    `latest`: of a model that goes on from a past, the newest one of each series, packed, and its condition.
    """
    unfinished = folder.with_name(f"{folder.name}.tmp")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    if card.kind == "ensemble":
        params = sum(_copy(source, unfinished / MEMBERS / name) for name, source in (members or {}).items())
    else:
        params = _write_weights(model, unfinished / WEIGHTS)
    if latest:
        _write_latest(latest, unfinished / LATEST)
    files = sorted(path for path in unfinished.rglob("*") if path.is_file())
    filled: dict[str, object] = {
        "members": tuple(members or {}),
        "capabilities": capabilities(model),
        "params": params,
        "digests": {path.relative_to(unfinished).as_posix(): sha256(path) for path in files},
    }
    card = card.model_copy(update=filled)
    (unfinished / CARD).write_text(card.model_dump_json(indent=2) + "\n")
    replace(unfinished, folder)
    return card


def _write_weights(model: object, path: Path) -> int:
    """Store the tensors; how many numbers were learnt (tables count whole, buffers do not)."""
    if not isinstance(model, Stateful):
        raise TypeError(f"{type(model).__name__} has no state_dict")
    tensors = detached(model.state_dict())
    save_file(tensors, path)
    learnt = model.parameters() if isinstance(model, nn.Module) else tensors.values()
    return sum(tensor.numel() for tensor in learnt)


def _write_latest(latest: Sequence[tuple[bytes, int]], path: Path) -> None:
    tensors = {f"{at:06d}": torch.frombuffer(bytearray(payload), dtype=torch.uint8) for at, (payload, _) in enumerate(latest)}
    save_file({**tensors, "conditions": torch.tensor([condition for _, condition in latest])}, path)


def latest(folder: Path) -> tuple[list[bytes], tuple[int, ...]]:
    """What was saved with a bundle for its model to go on from, packed, and the conditions; empty where nothing was."""
    if not (folder / LATEST).is_file():
        return [], ()
    try:
        tensors = load_file(folder / LATEST)
    except (OSError, SafetensorError) as error:
        raise Damaged(f"{folder / LATEST} cannot be read: {error}") from error
    conditions = tuple(tensors.pop("conditions").tolist())
    return [tensors[name].numpy().tobytes() for name in sorted(tensors)], conditions


def _copy(source: Path, target: Path) -> int:
    """Take a member's bundle over, by hard links where the disk allows; its number of parameters."""
    card = read_card(source)
    for name in (*card.digests, CARD):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        _link(source / name, target / name)
    return card.params


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # another disk, or one without links
        shutil.copyfile(source, target)


def read_card(folder: Path) -> Card:
    """The card alone, without a look at the weights; `BadInput` where there is no bundle, `Damaged` where it is broken."""
    try:
        return Card.model_validate_json((folder / CARD).read_text())
    except FileNotFoundError as error:
        raise BadInput(f"{folder} is no bundle: it has no {CARD}") from error
    except (OSError, ValidationError) as error:
        raise Damaged(f"{folder / CARD} cannot be read: {error}") from error


def digest(folder: Path) -> str:
    """One sha256 for the whole bundle: the card holds those of all other files."""
    read_card(folder)
    return sha256(folder / CARD)


def check(folder: Path) -> Card:
    """The card, once every file was found to be what its digest says; raises `Damaged` otherwise."""
    card = read_card(folder)
    for name, expected in card.digests.items():
        path = folder / name
        if not path.is_file():
            raise Damaged(f"{path} is missing")
        if sha256(path) != expected:
            raise Damaged(f"{path} is not what its digest says; restore or train it again")
    return card


def load(folder: Path, device: str = "cpu") -> tuple[Card, Any]:
    """Check, build and fill the model of a bundle, in eval mode; raises `Damaged` and `BadInput`."""
    card = check(folder)
    with seeded(card.seed):  # building draws weights, and must leave no trace
        return card, _build(folder, card, device)


def _build(folder: Path, card: Card, device: str) -> Any:
    if card.kind == "ensemble":
        method = find("aigc_models.ensembles", card.family)
        parts = {name: folder / MEMBERS / name for name in card.members}
        members = {name: _build(part, read_card(part), device) for name, part in parts.items()}
        return method.build(members, card.weights, method.Settings.model_validate(card.config))
    family = find("aigc_models.families", card.family)
    model = family.build(family.Config.model_validate(card.config), card.shape)
    model.load_state_dict(_read_weights(folder))
    return model.to(device).eval() if isinstance(model, nn.Module) else model


def _read_weights(folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise Damaged(f"{folder / WEIGHTS} cannot be read: {error}") from error


@torch.no_grad()
def warm_start(model: nn.Module, folder: Path) -> tuple[int, int]:
    """Copy into `model` what a pretrained body has under the same name and in the same shape.

    Returns how many of the model's tensors were copied, and how many it has.
    """
    check(folder)
    body, state = _read_weights(folder), model.state_dict()
    shared = [name for name, tensor in state.items() if name in body and body[name].shape == tensor.shape]
    for name in shared:
        state[name].copy_(body[name])
    return len(shared), len(state)
