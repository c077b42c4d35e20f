"""A published checkpoint becomes a body: its weights are read, held against its architecture, and kept as a bundle."""

from __future__ import annotations

import importlib.util
import json
import re
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, Unreachable, unknown
from aigc_models.reading import published
from tasks.stage.references import ModelRef, digest_of
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext, stage

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_models.reading.published import Published

FAMILY, MODALITY = "checkpoint", "text"
HUB = re.compile(r"[\w.-]+/[\w.-]+(@[\w.-]+)?")
MOST_NAMED = 3  # weights that are missing, in a message


class CheckpointSettings(BaseModel):
    """Where a checkpoint is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(description="what the body is called in reports")
    family: str = Field(FAMILY, description="file of aigc_models/families that reads it")
    checkpoint: str = Field(description="a name of the catalogue, a folder, or OWNER/NAME[@REVISION] on the hub")


def catalogue() -> dict[str, dict[str, str]]:
    """Checkpoints that are known by name: the package that holds each, the folder in it, its licence, and what it is."""
    read: dict[str, dict[str, str]] = yaml.safe_load(resources.files("tasks.train").joinpath("checkpoints.yaml").read_text())
    return read


def located(checkpoint: str) -> tuple[Path, str]:
    """The folder and the licence that the catalogue states, if any; raises `BadInput` where there is none of that name."""
    entries = catalogue()
    if checkpoint in entries:
        entry = entries[checkpoint]
        spec = importlib.util.find_spec(entry["package"])
        if spec is None or not spec.submodule_search_locations:
            raise BadInput(
                f"checkpoint {checkpoint} comes with a package that is not installed: pip install {entry['install']}"
            )
        return Path(spec.submodule_search_locations[0]) / entry["folder"], entry["licence"]
    if Path(checkpoint).is_dir():
        return Path(checkpoint), ""
    if HUB.fullmatch(checkpoint) and not checkpoint.startswith("."):
        return _downloaded(checkpoint), ""
    raise unknown("checkpoint (a folder, OWNER/NAME on the hub, or a name of the catalogue)", checkpoint, entries)


def _downloaded(checkpoint: str) -> Path:
    """From the hub, or from its cache on this machine; only what is read, and no pickled weights."""
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError, RepositoryNotFoundError
    except ImportError as error:
        raise BadInput("a checkpoint of the hub needs the extra `hub`: pip install 'aigc-foundry[hub]'") from error
    name, _, revision = checkpoint.partition("@")
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=list(published.FILES)))
    except RepositoryNotFoundError as error:
        raise BadInput(f"{name}: the hub has no checkpoint of this name (and there is no such folder here)") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        raise Unreachable(
            f"{name}: the hub cannot be reached, and the checkpoint is not in its cache on this machine"
        ) from error


def fingerprint(settings: CheckpointSettings, **arguments: object) -> str:
    """Of what is read: a checkpoint that changed in its folder is imported again."""
    folder, _ = located(settings.checkpoint)
    files = [path for pattern in published.FILES for path in folder.glob(pattern)]
    return digest_of(files, folder)


@stage(fingerprint=fingerprint, retries=2)
def import_checkpoint(settings: CheckpointSettings, context: StageContext) -> ModelRef:
    """A bundle of family `checkpoint`; raises `BadInput` that names the file where the checkpoint cannot be used."""
    from aigc_models import bundle
    from aigc_models.bundle import Card
    from aigc_models.capabilities import capabilities
    from aigc_models.find import find
    from aigc_models.training.randomness import seeded

    family = find("aigc_models.families", settings.family)
    folder, licence = located(settings.checkpoint)
    read = published.read(folder)
    config = family.Config(architecture=read.architecture, tokeniser_bytes=len(read.tokeniser))
    formats = find("aigc_models.modalities", MODALITY).Format
    card = Card(
        kind="body",
        name=settings.name,
        family=FAMILY,
        modality=MODALITY,
        config=config.model_dump(mode="json"),
        format=formats(length=16).model_dump(),
        dataset=settings.checkpoint if settings.checkpoint in catalogue() else folder.name,
        licence=licence or read.licence,
    )
    with seeded(0):  # of what the checkpoint leaves out
        model = filled(family.build(config, card.shape), read)
    target = context.folder / "bundle"
    card = bundle.save(target, model, card.model_copy(update={"capabilities": capabilities(model)}))
    context.log(params=card.params, family=FAMILY, licence=card.licence)
    about = {"name": settings.name, "family": FAMILY, "modality": MODALITY, "params": card.params}
    return ModelRef.to(context.workspace, target, run_id=context.run_id, **about)


def card_of(workspace: Workspace, body: ModelRef) -> dict[str, Any]:
    """The card of a body, read without torch."""
    card: dict[str, Any] = json.loads((body.path(workspace) / "bundle.json").read_text())
    return card


def licence_of(workspace: Workspace, body: ModelRef | None) -> str:
    """Of a published checkpoint, by its name; empty of a body that learnt from data of its own."""
    card = card_of(workspace, body) if body else {}
    name = card.get("dataset", "")
    return f"{name}: {card['licence']}" if card.get("family") == FAMILY and card.get("licence") else ""


def filled(model: Any, read: Published) -> Any:
    """`model` with the published weights and tokeniser; `BadInput` where they are not those of its architecture."""
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    stored: dict[str, Tensor] = {}
    for path in read.weights:
        try:
            stored |= load_file(path)
        except (OSError, SafetensorError) as error:
            raise BadInput(f"{path} cannot be read: {error}; fetch it again") from error
    prefix = f"{model.encoder.base_model_prefix}."
    stored = {name.removeprefix(prefix): tensor for name, tensor in stored.items()}
    state = model.encoder.state_dict()
    missing = sorted(name for name in state if name not in stored and not _optional(name))
    odd = sorted(name for name in state if name in stored and stored[name].shape != state[name].shape)
    if missing or odd:
        what = f"has no {', '.join(missing[:MOST_NAMED])}" if missing else f"has another size of {', '.join(odd[:MOST_NAMED])}"
        more = f" and {max(len(missing), len(odd)) - MOST_NAMED} more" if max(len(missing), len(odd)) > MOST_NAMED else ""
        raise BadInput(f"{read.folder}: the file of weights {what}{more}, which its {published.CONFIG} says there are")
    model.encoder.load_state_dict({name: stored[name] for name in state if name in stored}, strict=False)
    with torch.no_grad():
        model.tokeniser.copy_(torch.frombuffer(bytearray(read.tokeniser), dtype=torch.uint8))
    return model.float()


def _optional(name: str) -> bool:
    """What many checkpoints leave out, and what is made anew: the pooler, and buffers of positions."""
    return name.startswith("pooler.") or name.endswith("position_ids")
