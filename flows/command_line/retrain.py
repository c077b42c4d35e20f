"""`aigc retrain`: train a registered model again where something changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.command_line.command import answer, ending

if TYPE_CHECKING:
    from flows.attempts import Attempts
    from flows.due import RetrainConfig, Retrained
    from tasks.stage.settings import Workspace


def retrain(
    name: Annotated[str | None, typer.Argument(help="registered name, such as digits")] = None,
    every: Annotated[bool, typer.Option("--all", help="every model that was made in this workspace")] = False,
    start: Annotated[str, typer.Option(help="first weights: auto, scratch (random) or warm (the champion's)")] = "auto",
    budget: Annotated[str | None, typer.Option(help="wall time of all training: 90s, 3m, 1h")] = None,
    drift: Annotated[
        float | None, typer.Option(help="where only the data changed, train if they drifted this far (0.1; `aigc data drift`)")
    ] = None,
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="override a setting of the recipe, this time: training.seed=3")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")] = False,
) -> None:
    """Train a model again if its data, its recipe or the code changed; promote it only if it is no worse than the champion.

    Example: aigc retrain digits        Example: aigc retrain --all --json
    """
    with ending():
        from aigc_models.errors import BadInput
        from flows.due import RetrainConfig
        from tasks.registry.recipe import names
        from tasks.stage.settings import Workspace
        from tasks.stage.validation import validated

        if every == bool(name):
            raise BadInput("name one model, or give --all; `aigc models list` shows them")
        workspace = Workspace.current().create()
        options = {"start": start, "budget": budget, "drift": drift, "overrides": sets or []}
        chosen = names(workspace) if every else [name]
        attempts = retrained(workspace, [validated(RetrainConfig, {"name": one, **options}, "aigc retrain") for one in chosen])
        if not every:
            for error in attempts.failed.values():
                raise error
        outcomes = [attempts.outcomes[one] for one in chosen if one in attempts.outcomes]
        whole = {"retrained": outcomes, "failed": attempts.reasons}
        answer(whole if every else outcomes[0], as_json, lambda value: show(outcomes))
        attempts.raise_if_failed()


def retrained(workspace: Workspace, wanted: list[RetrainConfig]) -> Attempts:
    """Each in turn; Prefect's API and MLflow are started only where something is due."""
    from flows.attempts import Attempts

    attempts = Attempts()
    attempts.ask(wanted, lambda config: settled(workspace, config))
    due = [config for config in wanted if config.name not in attempts.outcomes | attempts.failed]
    if due:
        from flows.command_line.command import orchestrated

        with orchestrated():
            from flows.retraining import retrain as flow

            attempts.ask(due, flow)
    return attempts


def settled(workspace: Workspace, config: RetrainConfig) -> Retrained | None:
    """The answer where nothing is to be trained; none where a retraining is due."""
    from flows.due import asked, not_due, under_way
    from tasks.stage.lease import leased

    with leased(workspace, config.name) as free:
        if not free:
            return under_way(config.name)
        verdict = asked(workspace, config).verdict
        return None if verdict.due else not_due(verdict)


def show(outcomes: list[Retrained]) -> None:
    """A line for each model."""
    for outcome in outcomes:
        version = f" version {outcome.version}" if outcome.version else ""
        print(f"{outcome.name}{version}: {outcome.decision.replace('_', ' ')}\n  {outcome.reason}")
