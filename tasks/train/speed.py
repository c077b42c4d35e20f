"""How long a member's training takes: a time becomes steps, from speeds measured once on this machine.

They are kept in `.aigc/speeds.json` by what they depend on, so that the same command asks for the same steps tomorrow,
however busy the machine is then. What was trained knows its steps alone.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import NamedTuple

from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.heads import GENERATE
from aigc_models.training.plan import VALIDATIONS
from tasks.stage.code_version import code_version
from tasks.stage.owner import locked
from tasks.stage.references import CorpusRef, ModelRef, VersionRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext, stage
from tasks.train.checkpoint import FAMILY
from tasks.train.encode import EncodeSettings, chosen_format
from tasks.train.inputs import prepared, shape_of
from tasks.train.members import MemberSettings, build, training_plan

VALIDATION_SHARE = 0.1  # of the time, at most
SPARE = 0.95  # the share of the time that is planned: a model is built and its bundle written as well
DIGITS = 2  # of a number of steps


class Speed(NamedTuple):
    """Seconds of a step and of a validation; none where the member is not trained by steps. Of an item that it makes, and of
    a step of the classifiers that judge such items; none where there are none, or they were not measured."""

    step: float = 0.0
    validation: float = 0.0
    item: float = 0.0
    classifying: float = 0.0


@stage(process=True, cached=False)
def measure_speed(data: CorpusRef, member: MemberSettings, published: ModelRef | None = None, *, context: StageContext) -> None:
    """Train for a second, forget it, and keep how fast it was; `published`: the checkpoint that it starts from, if any."""
    from aigc_models.capabilities import Fits
    from aigc_models.training.speed import classifying, making, measure

    (model, corpora), speed = prepared(data, published, member, context), Speed()
    if not isinstance(model, Fits):
        plan = training_plan(member.model_copy(update={"steps": 1}))
        after = making(model, shape_of(data)), classifying(corpora["train"], shape_of(data))
        speed = Speed(*measure(model, corpora["train"], corpora["validation"], plan, context.stop), *after)
        context.log(step_seconds=speed.step, validation_seconds=speed.validation, item_seconds=speed.item)
    keep(context.workspace, key(data, member), speed)


def unencoded(workspace: Workspace, data: VersionRef, settings: EncodeSettings) -> CorpusRef:
    """What the version will be once it is encoded, but for what its format learns from the items; it has no files."""
    modality = find("aigc_models.modalities", data.modality)
    format = chosen_format(modality, workspace.path(data.outputs[0]), settings)
    about = data.model_dump(include={"dataset", "modality", "version", "labels", "splits"})
    return CorpusRef(outputs=(), sha256="", format=format.model_dump(), **about)


def without_data(data: CorpusRef, member: MemberSettings) -> Speed:
    """What can be measured at once, of a model that has learnt nothing: how fast items are made and classified."""
    import torch

    from aigc_models.capabilities import Fits
    from aigc_models.training.speed import classifying, making, some

    shape, threads = shape_of(data), torch.get_num_threads()
    if member.start == "body" and not member.settings and member.family == FAMILY:
        return Speed()  # its architecture is known once the checkpoint is imported
    model = build(member, shape)
    if isinstance(model, Fits):
        return Speed()
    torch.set_num_threads(member.threads or threads)  # as in the member's own process
    try:
        items = some(model, shape)  # the first ones take longer
        return Speed(item=making(model, shape), classifying=classifying(items, shape) if items is not None else 0.0)
    finally:
        torch.set_num_threads(threads)


def key(data: CorpusRef, member: MemberSettings) -> str:
    """What a speed depends on: the model, the batch, the items' shape, the threads, the machine and the code."""
    parts = {
        "member": member.model_dump(mode="json", include={"family", "size", "settings", "plan", "tune", "threads", "device"}),
        "shape": [data.modality, data.format, len(data.labels), *([data.task] if data.task != GENERATE else [])],
        "machine": [platform.node(), platform.machine(), os.cpu_count()],
        "code": code_version([f"aigc_models.families.{member.family}", "aigc_models.training.fit"]),
    }
    digest = hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()
    return f"{member.family}-{member.size}-{digest[:16]}"


def keep(workspace: Workspace, name: str, speed: Speed) -> None:
    """Write it down; the first to measure is believed, so that two commands at once plan the same steps."""
    with locked(workspace, "speeds"):
        speeds = _kept(workspace)
        speeds.setdefault(name, list(speed))
        part = _file(workspace).with_suffix(".tmp")
        part.write_text(json.dumps(speeds, indent=1, sort_keys=True) + "\n")
        part.replace(_file(workspace))


def kept(workspace: Workspace, data: CorpusRef, member: MemberSettings) -> Speed | None:
    """As it was measured; None where it was not yet."""
    return kept_as(workspace, key(data, member))


def kept_as(workspace: Workspace, name: str) -> Speed | None:
    """That which was kept under this name."""
    figures = _kept(workspace).get(name)
    return Speed(*figures) if figures else None


def _file(workspace: Workspace) -> Path:
    return workspace.state / "speeds.json"


def _kept(workspace: Workspace) -> dict[str, list[float]]:
    """Raises `BadInput` where the file is no longer what was written."""
    path = _file(workspace)
    try:
        speeds: dict[str, list[float]] = json.loads(path.read_text())
        return {name: list(Speed(*map(float, figures))) for name, figures in speeds.items()}
    except FileNotFoundError:
        return {}
    except (ValueError, TypeError, AttributeError) as error:
        raise BadInput(f"{path} is not what was written there ({error}); remove it: speeds are measured again") from error


def in_steps(member: MemberSettings, speed: Speed) -> MemberSettings:
    """The member with steps, and validations, for its seconds; `BadInput` where these are less than one step takes."""
    if not speed.step or member.seconds is None:
        return member.model_copy(update={"seconds": None})
    planned = SPARE * member.seconds
    looks = min(VALIDATIONS, int(VALIDATION_SHARE * planned / speed.validation)) if speed.validation else VALIDATIONS
    looks = max(1, looks)
    steps = int((planned - looks * speed.validation) / speed.step)
    if steps < 1:
        least = (speed.step + speed.validation) / SPARE
        raise BadInput(
            f"member {member.name!r} has {member.seconds:g} s of the budget, and one step with its validation takes "
            f"{least:.2g} s here: give a budget at least {least / member.seconds:.2g} times as long, or `steps`"
        )
    steps = rounded(steps)
    plan = {"validate_every": -(-steps // looks), **member.plan}
    return member.model_copy(update={"seconds": None, "steps": steps, "plan": plan})


def rounded(steps: int) -> int:
    """Down to a number that is easily read."""
    unit = 10 ** max(0, len(str(steps)) - DIGITS)
    return steps // unit * unit
