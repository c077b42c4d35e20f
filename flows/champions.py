"""Whom a model is measured beside in a run: the champion of its name, on the same test items."""

from __future__ import annotations

from typing import Any

from aigc_models.errors import BadInput
from flows.config import PRESETS, PipelineConfig, preset_of, read_yaml
from flows.recipes import registered_name
from tasks.judge.anchor import anchor_of
from tasks.judge.champion import ChampionRef, opponent, standing_champion
from tasks.judge.gates import Gate
from tasks.stage.execution import Execution, Planned
from tasks.stage.references import EnsembleRef, VersionRef
from tasks.train.encode import EncodeSettings, read_card
from tasks.train.sizes import in_full


def standing(config: PipelineConfig) -> ChampionRef | None:
    """The champion of the name that the configuration registers under; none where there is none yet."""
    workspace, name = Execution.current().workspace, registered_name(config)
    champion = standing_champion(workspace, name) if workspace.holds_models() else None
    task = config.training.encode.task
    if champion is not None and champion.task != task:
        raise BadInput(
            f"{name} is a registered model to {champion.task}, and this one is to {task}: give it a name of its own, such as "
            f"--set registration.model={name}-{task}"
        )
    return champion


def beside(ensemble: EnsembleRef, model: str) -> ChampionRef | None:
    """Whom an ensemble is measured beside; the same again where it was measured before, so that the same run is cached."""
    workspace = Execution.current().workspace
    if not model or isinstance(ensemble, Planned) or not workspace.holds_models():
        return None
    return opponent(workspace, model, ensemble.path(workspace))


def long_ago(champion: ChampionRef | None) -> ChampionRef | None:
    """The anchor to be measured beside a champion: a champion of a year ago, or the first."""
    return anchor_of(Execution.current().workspace, champion) if champion else None


def in_its_format(config: PipelineConfig, champion: ChampionRef | None, data: VersionRef) -> PipelineConfig:
    """The configuration with the champion's format, which grown data would change, unless it states one itself."""
    if champion is None or config.training.encode.format is not None or isinstance(data, Planned):
        return config
    if data.modality != champion.modality:
        return config
    if read_card(data.path(Execution.current().workspace))["format"] == champion.format:
        return config
    return at_size(config, dict(champion.format))


def at_size(config: PipelineConfig, format: dict[str, Any]) -> PipelineConfig:
    """The configuration with this format; members learn all of it where it is one of the larger ones (`tasks.train.sizes`)."""
    training = config.training
    update: dict[str, Any] = {"encode": EncodeSettings(task=training.encode.task, format=format)}
    if "height" in format:
        members = tuple(in_full(member, format, training.size) for member in training.members)
        body = training.pretraining and in_full(training.pretraining, format, training.size)
        update |= {"members": members, "pretraining": body}
    return config.model_copy(update={"training": training.model_copy(update=update)})


def contested(config: PipelineConfig, champion: ChampionRef | None) -> PipelineConfig:
    """The configuration with gates that compare with the champion, where there is one."""
    if champion is None:
        return config
    gates = (
        *config.promotion.gates,
        *champion_gates(config.promotion.gates, preset_of(champion.modality, config.training.encode.task)),
    )
    return config.model_copy(update={"promotion": config.promotion.model_copy(update={"gates": gates})})


def champion_gates(gates: tuple[Gate, ...], preset: str) -> tuple[Gate, ...]:
    """Those of a preset that compare with the champion, in what a recipe has no such gate for."""
    if not (PRESETS / f"{preset}.yaml").is_file():
        return ()
    compared = {gate.metric for gate in gates if gate.reference == "champion"}
    usual = [Gate.model_validate(gate) for gate in read_yaml(preset).get("promotion", {}).get("gates", [])]
    return tuple(gate for gate in usual if gate.reference == "champion" and gate.metric not in compared)
