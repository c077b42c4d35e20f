"""From an evaluated ensemble to a registered version, and to champion if it passes the gates."""

from __future__ import annotations

from flows.config import PipelineConfig
from flows.flow import flow
from tasks.promote import Decision
from tasks.promote import promote as promote_stage
from tasks.references import RegisteredRef, TrainedRef
from tasks.register import register


@flow
def promote(trained: TrainedRef, config: PipelineConfig) -> tuple[RegisteredRef, Decision]:
    """Register as `challenger`, judge, and move `champion` where every gate passes."""
    registered = register(trained.ensemble, trained.evaluation, config.registration)
    return registered, promote_stage(registered, trained.evaluation, config.promotion)
