"""Members and plain methods that lie elsewhere: versions are pinned, and who does not answer is left out of a training."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aigc_models.errors import Unreachable
from aigc_models.outside import FAMILIES as OUTSIDE
from flows.config import TrainingConfig
from tasks.registry.outside_model import pinned
from tasks.stage.execution import Execution
from tasks.stage.references import CorpusRef, EnsembleRef, LeftOut, ModelRef
from tasks.train.ensemble import build_ensemble
from tasks.train.members import MemberSettings


def answering(models: Sequence[tuple[MemberSettings, Callable[[], ModelRef]]], left_out: dict[str, LeftOut]) -> list[ModelRef]:
    """Those of the models that come to be; one that lies elsewhere and does not answer is said, and entered in `left_out`."""
    there = []
    for settings, result in models:
        try:
            there.append(result())
        except Unreachable as error:
            leave_out(settings, str(error), left_out)
    return there


def leave_out(member: MemberSettings | ModelRef, reason: str, left_out: dict[str, LeftOut]) -> None:
    """Say that the run goes on without a member, and why."""
    left_out[member.name] = LeftOut(member.family, reason)
    Execution.current().observer.message(f"{member.name} is left out: {reason}")


def combined(
    corpus: CorpusRef, members: list[ModelRef], config: TrainingConfig, left_out: dict[str, LeftOut]
) -> tuple[list[ModelRef], EnsembleRef]:
    """The ensemble, and its members: without those that lie elsewhere where one of them no longer answers."""
    try:
        return members, build_ensemble(corpus, members, config.combining())
    except Unreachable as error:
        elsewhere = [member for member in members if member.family in OUTSIDE]
        if not elsewhere or len(elsewhere) == len(members):
            raise
        for member in elsewhere:
            leave_out(member, str(error), left_out)
        members = [member for member in members if member not in elsewhere]
        return members, build_ensemble(corpus, members, config.combining())


def joining(config: TrainingConfig) -> list[MemberSettings]:
    """Those that the ensemble is to be made of."""
    return [*config.members, *(config.plain() if config.baseline_joins else [])]


def with_versions(config: TrainingConfig) -> TrainingConfig:
    """The configuration whose models of MLflow are pinned to the versions that their addresses mean now."""
    workspace, plain = Execution.current().workspace, config.plain()
    members, methods = ([pinned(workspace, member) for member in each] for each in (config.members, plain))
    if members == list(config.members) and methods == plain:
        return config
    return config.model_copy(update={"members": tuple(members), "baseline": tuple(methods)})
