"""Several models, each asked in turn: what becomes of one is no other's concern."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from aigc_models.errors import AigcError
from flows.due import RetrainConfig, Retrained
from tasks.stage.execution import Execution, Stopped


@dataclass
class Attempts:
    """By name, in the order in which they were asked: what became of each, or the error it ended with."""

    outcomes: dict[str, Retrained] = field(default_factory=dict)
    failed: dict[str, Exception] = field(default_factory=dict)

    def ask(self, configs: Iterable[RetrainConfig], retrain: Callable[[RetrainConfig], Retrained | None]) -> None:
        """Put the outcome, or the error, of each on record (a `None` is none yet); a stop ends it for all.

        A flow that fails sets the execution's stop flag, so that the stages beside the one that failed end.
        The next model gets a flag of its own; what is left of the failed one keeps the set one.
        """
        for config in configs:
            execution = Execution.current()
            execution.raise_if_stopped()
            try:
                if outcome := retrain(config):
                    self.outcomes[config.name] = outcome
            except Stopped:
                raise
            except Exception as error:
                self.failed[config.name] = error
                execution.stopping = threading.Event()

    @property
    def reasons(self) -> dict[str, str]:
        """Why each failed one failed, in words."""
        return {name: reason(error) for name, error in self.failed.items()}

    def raise_if_failed(self) -> None:
        """Raises `AigcError` that names each model that failed and says why."""
        if self.failed:
            several = f"{len(self.failed)} of {len(self.failed) + len(self.outcomes)} models failed"
            reasons = "; ".join(f"{name}: {why}" for name, why in self.reasons.items())
            raise AigcError(f"{several}, the others were asked: {reasons}")


def reason(error: Exception) -> str:
    """The error's message; of one that is not ours its type too, since its message may be a bare name."""
    return str(error) if isinstance(error, AigcError) else f"{type(error).__name__}: {error}"
