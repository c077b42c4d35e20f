"""Whom a model is measured beside in a run: the champion of its name, on the same test items."""

from __future__ import annotations

from flows.config import PipelineConfig
from flows.recipes import registered_name
from tasks.judge.champion import ChampionRef, opponent, standing_champion
from tasks.stage.execution import Execution, Planned
from tasks.stage.references import EnsembleRef, VersionRef
from tasks.train.encode import EncodeSettings, read_card


def standing(config: PipelineConfig) -> ChampionRef | None:
    """The champion of the name that the configuration registers under; none where there is none yet."""
    workspace = Execution.current().workspace
    return standing_champion(workspace, registered_name(config)) if workspace.holds_models() else None


def beside(ensemble: EnsembleRef, model: str) -> ChampionRef | None:
    """Whom an ensemble is measured beside; the same again where it was measured before, so that the same run is cached."""
    workspace = Execution.current().workspace
    if not model or isinstance(ensemble, Planned) or not workspace.holds_models():
        return None
    return opponent(workspace, model, ensemble.path(workspace))


def in_its_format(config: PipelineConfig, champion: ChampionRef | None, data: VersionRef) -> PipelineConfig:
    """The configuration with the champion's format, which grown data would change, unless it states one itself."""
    if champion is None or config.training.encode.format is not None or isinstance(data, Planned):
        return config
    if data.modality != champion.modality:
        return config
    if read_card(data.path(Execution.current().workspace))["format"] == champion.format:
        return config
    encode = EncodeSettings(format=dict(champion.format))
    return config.model_copy(update={"training": config.training.model_copy(update={"encode": encode})})
