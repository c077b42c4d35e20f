"""One folder is one trained generator.

    bundle.json             the card: what it is, how to build it, the digests of all other files
    weights.safetensors     the tensors of a member, a body or a baseline
    members/NAME/           of an ensemble: the bundles of its members
    latest.safetensors      of series: what it goes on from by itself
    cases.json              of what replies: the past cases that it answers from
    training_runs.safetensors   of what makes texts: hashes of runs of its training data, which it does not repeat

No pickle anywhere: code comes from the project, weights from safetensors, all the rest is JSON.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from aigc_models.capabilities import Stateful, capabilities
from aigc_models.card import CARD, FORMAT_VERSION, Card, read_card, valid
from aigc_models.delegation import outside
from aigc_models.errors import BadInput, Damaged
from aigc_models.find import find
from aigc_models.fingerprints.winnowing import PIECE, RUN, TrainingRuns
from aigc_models.heads import headed
from aigc_models.language.cases import CASES, INDEXED, Cases
from aigc_models.reading import bundle_files
from aigc_models.reading.bundle_files import AGAIN, MEMBERS, WEIGHTS, sha256
from aigc_models.training.checkpoints import detached, replace
from aigc_models.training.devices import Device, choose_device
from aigc_models.training.randomness import seeded
from aigc_models.training.size_limit import SizeLimit

SPARE = 2**20  # numbers that a model may make for itself beside those that are stored
UNFIT = (ArithmeticError, AssertionError, AttributeError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)
LATEST = "latest.safetensors"  # what a model of series goes on from by itself
RUNS = "training_runs.safetensors"
SIZES = torch.tensor([PIECE, RUN])  # that the hashes are of


def save(
    folder: Path,
    model: object,
    card: Card,
    members: Mapping[str, Path] | None = None,
    latest: Sequence[tuple[bytes, int]] = (),
    beside: Mapping[str, bytes] | None = None,
    runs: TrainingRuns | None = None,
) -> Card:
    """Write `model` as a bundle, whole or not at all; an ensemble is written as the bundles of its `members`.

    `latest`: of a model that goes on from a past, the newest one of each series, packed, and its condition.
    `beside`: what else it needs, by the name of its file. `runs`: of what makes texts, what tells whether one repeats its
    training data.
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
    for name, payload in (beside or {}).items():
        (unfinished / name).write_bytes(payload)
    if runs is not None:
        numbers = torch.tensor(sorted(runs.numbers), dtype=torch.int32)
        pieces = torch.from_numpy(runs.pieces.view(np.int64))
        save_file({"pieces": pieces, "numbers": numbers, "sizes": SIZES}, unfinished / RUNS)
    files = sorted(path for path in unfinished.rglob("*") if path.is_file())
    filled: dict[str, object] = {
        "format_version": FORMAT_VERSION,
        "members": tuple(members or {}),
        "capabilities": capabilities(model),
        "params": params,
        "outside": tuple(one.where for one in outside(model).values()),
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
        conditions = tuple(tensors.pop("conditions").tolist())
        contents = [tensors[name].numpy().tobytes() for name in sorted(tensors)]
    except (OSError, SafetensorError, *UNFIT) as error:
        raise Damaged(f"{folder / LATEST} cannot be read: {error}") from error
    return contents, conditions


def cases(folder: Path) -> tuple[Cases, dict[str, Tensor]] | None:
    """The past cases that a bundle keeps, and by member what was made of their texts; none where it keeps none.

    Raises `Damaged` where they cannot be read.
    """
    if not (folder / CASES).is_file():
        return None
    try:
        indexes = load_file(folder / INDEXED) if (folder / INDEXED).is_file() else {}
        return Cases.model_validate_json((folder / CASES).read_bytes()), indexes
    except (OSError, ValidationError, SafetensorError) as error:
        raise Damaged(f"{folder / CASES} cannot be read: {error}") from error


def training_runs(folder: Path) -> TrainingRuns | None:
    """What was saved with a bundle to tell repeats of its training data; None where nothing was, as by earlier versions."""
    if not (folder / RUNS).is_file():
        return None
    try:
        tensors = load_file(folder / RUNS)
        pieces, sizes, numbers = (tensors[name] for name in ("pieces", "sizes", "numbers"))
    except (OSError, SafetensorError, KeyError) as error:
        raise Damaged(f"{folder / RUNS} cannot be read: {error}") from error
    if sizes.tolist() != SIZES.tolist() or pieces.dtype != torch.int64 or pieces.ndim != 1:
        raise BadInput(f"{folder / RUNS} tells runs of other sizes than this version does; train it again with this version")
    return TrainingRuns(pieces.numpy().view(np.uint64), frozenset(numbers.tolist()))


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


def digest(folder: Path) -> str:
    """One sha256 for the whole bundle: the card holds those of all other files."""
    read_card(folder)
    return sha256(folder / CARD)


def check(folder: Path) -> Card:
    """The card, once every file is what its digest says; raises `Damaged` and `BadInput` as `bundle_files.check` does."""
    card = read_card(folder)
    bundle_files.check(folder)
    return card


def load(folder: Path, device: Device = "auto") -> tuple[Card, Any]:
    """Check, build and fill the model of a bundle, in eval mode; raises `Damaged` and `BadInput`."""
    card = check(folder)
    if card.format_version < FORMAT_VERSION:
        logging.getLogger(__name__).warning(
            "%s was made before seeds had 64 bits: with the same seed it now makes other items; train it again", folder
        )
    with seeded(card.seed):  # building draws weights, and must leave no trace
        return card, _build(folder, card, choose_device(device))


def _build(folder: Path, card: Card, device: torch.device) -> Any:
    if card.kind != "ensemble":
        model = _filled(folder, card)
        return model.to(device).eval() if isinstance(model, nn.Module) else model
    method = find("aigc_models.ensembles", card.family)
    parts = {name: folder / MEMBERS / name for name in card.members}
    if missing := [name for name in parts if name not in card.weights]:
        raise BadInput(f"{folder / CARD} states no weight of {', '.join(missing)}; {AGAIN}")
    settings = valid(method.Settings, card.config, f"the settings of {folder}")
    members = {name: _build(part, read_card(part), device) for name, part in parts.items()}
    with _fitting(folder):
        return method.build(members, card.weights, settings)


def _filled(folder: Path, card: Card) -> Any:
    """The model that the card describes, with its weights."""
    family = find("aigc_models.families", card.family)
    config, shape = valid(family.Config, card.config, f"the config of {folder}"), card.shape
    weights = _read_weights(folder)
    stored = (folder / WEIGHTS).stat().st_size  # bytes, and so no fewer than numbers
    with _fitting(folder):
        with SizeLimit(stored + SPARE):
            model = headed(family.build(config, shape), shape, card.head)
        if isinstance(model, nn.Module) and any(
            weights[name].dtype != tensor.dtype for name, tensor in model.state_dict().items()
        ):
            raise TypeError("load_state_dict would take whole numbers for real ones")
        model.load_state_dict(weights)
    return model


@contextmanager
def _fitting(folder: Path) -> Iterator[None]:
    """Turn what torch, numpy and the plain models raise of sizes, names and kinds that do not fit into `BadInput`."""
    try:
        yield
    except BadInput as error:
        raise BadInput(f"{folder} cannot be loaded: {error}; {AGAIN}") from error
    except UNFIT as error:
        reason = "its weights are not those of the model that its card describes; train it again with this version"
        raise BadInput(f"{folder} cannot be loaded: {reason}") from error


def _read_weights(folder: Path) -> dict[str, Tensor]:
    try:
        return load_file(folder / WEIGHTS)
    except (OSError, SafetensorError) as error:
        raise Damaged(f"{folder / WEIGHTS} cannot be read: {error}") from error


@torch.no_grad()
def warm_start(model: nn.Module, folder: Path) -> tuple[int, int]:
    """Copy into `model`, or the body that its head is on, what a pretrained body has under the same name and in the same shape.

    Returns how many of the model's tensors were copied, and how many it has; raises `BadInput` if it would be none.
    """
    card, body = check(folder), _read_weights(folder)
    for receiver in (model, getattr(model, "body", model)):  # the whole one first: a champion has a head too
        state = receiver.state_dict()
        shared = [name for name, tensor in state.items() if name in body and body[name].shape == tensor.shape]
        learnt = {name for name, _ in receiver.named_parameters()}
        if learnt.intersection(shared):  # buffers alone, such as a count of steps, are no start
            for name in shared:
                state[name].copy_(body[name])
            return len(shared), len(state)
    raise BadInput(
        f"{card.name} in {folder} (family {card.family}) has no weights of the names and sizes of this "
        f"{type(model).__name__}: choose a body of the same family and size, or start=random"
    )
