"""`aigc`: the command line. Nothing heavy is imported before a command needs it."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.command_line import data as cli_data
from flows.command_line import deploy as cli_deploy
from flows.command_line import explain as cli_explain
from flows.command_line import infer as cli_infer
from flows.command_line import keys as cli_keys
from flows.command_line import models as cli_models
from flows.command_line import monitor as cli_monitor
from flows.command_line import recommend as cli_recommend
from flows.command_line import reply as cli_reply
from flows.command_line import reproduce as cli_reproduce
from flows.command_line import retrain as cli_retrain
from flows.command_line import services as cli_services
from flows.command_line import signing as cli_signing
from flows.command_line.command import answer, ending
from tasks.stage.forks import SPINS

if TYPE_CHECKING:
    from flows.order import Order

app = typer.Typer(
    help="From a folder of your content to a registered, evaluated, promotable generator that serves in real time.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(
    cli_data.app,
    name="data",
    help="Data sets: add, list, show, items, versions, diff, drift, checkout, verify, push, pull, forget, allow.",
)
app.add_typer(
    cli_models.app,
    name="models",
    help="Registered models: list, show, compare, promote, approve, reject, rollback, history.",
)
app.add_typer(cli_keys.app, name="keys", help="API keys of the servers of this workspace: add, list, revoke.")
cli_services.add_to(app)
cli_infer.add_to(app)
app.command()(cli_deploy.deploy)
app.command()(cli_retrain.retrain)
app.command()(cli_monitor.monitor)
app.command()(cli_explain.explain)
app.command()(cli_recommend.recommend)
app.command()(cli_reply.reply)
app.command()(cli_reproduce.reproduce)
app.command()(cli_signing.verify)
app.command()(cli_signing.sign)

Preset = Annotated[str | None, typer.Argument(help="a preset (sample, text, image) or a YAML file")]
Data = Annotated[str | None, typer.Option("--data", help="a data set (`aigc data list`), or NAME@VERSION as it was")]
Budget = Annotated[str | None, typer.Option(help="wall time of all training of one data set: 90s, 3m, 1h")]
Sets = Annotated[
    list[str] | None, typer.Option("--set", help="override a setting: training.seed=3, digits.training.budget=30s")
]
Task = Annotated[
    str | None, typer.Option(help="what the model is asked: generate, classify, ...; auto: what the data set suits")
]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]


@app.callback()
def main_options(
    debug: Annotated[bool, typer.Option("--debug", help="show tracebacks and the tools' own logs")] = False,
) -> None:
    if debug:
        os.environ["AIGC_DEBUG"] = "1"
    else:
        os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    os.environ.setdefault("GOMP_SPINCOUNT", SPINS)  # of a server, which computes in this process; before torch is loaded


def ordered(preset: str | None, data: str | None, budget: str | None, sets: list[str] | None, task: str | None = None) -> Order:
    """What is asked for; raises `BadInput` before anything is started where it does not fit."""
    from flows.order import Order
    from tasks.stage.validation import validated

    values = {"preset": preset or "", "data": data or "", "budget": budget or "", "overrides": sets or [], "task": task or ""}
    order = validated(Order, values, "aigc")
    assert order.config
    if order.chosen_task.reason:
        typer.echo(f"{order.data}: task {order.chosen_task.task}: {order.chosen_task.reason}", err=True)
    return order


@app.command()
def run(
    preset: Preset = None, data: Data = None, budget: Budget = None, sets: Sets = None, task: Task = None, as_json: Json = False
) -> None:
    """Run the whole pipeline and write outputs/<run>/index.html and report.json.

    Example: aigc run sample        Example: aigc run --data letters --budget 3m
    """
    with ending():
        from flows.command_line.command import orchestrated

        order = ordered(preset, data, budget, sets, task)
        with orchestrated() as execution:
            from flows.pipeline import pipeline

            reference = pipeline(order)
            page = reference.path(execution.workspace)
        finish(page, execution, as_json)


def finish(page: Path, execution: Any, as_json: bool) -> None:
    """The final table, or report.json on stdout."""
    import json

    answer(json.loads((page.parent / "report.json").read_text()), as_json, lambda value: None)
    execution.observer.final(execution.report, page=execution.workspace.relative(page))


@app.command()
def plan(
    preset: Preset = None, data: Data = None, budget: Budget = None, sets: Sets = None, task: Task = None, as_json: Json = False
) -> None:
    """Say what `run` would do: which stages are cached and why the others run. Changes nothing.

    Example: aigc plan sample
    """
    with ending():
        from flows.command_line.planning import planned, show

        answer(planned(ordered(preset, data, budget, sets, task)), as_json, show)


@app.command()
def train(
    preset: Preset = None, data: Data = None, budget: Budget = None, sets: Sets = None, task: Task = None, as_json: Json = False
) -> None:
    """Train, evaluate and register as `challenger`; nothing is promoted.

    Example: aigc train image --data letters --set training.seed=1
    """
    with ending():
        from flows.command_line.command import orchestrated

        order = ordered(preset, data, budget, sets, task)
        with orchestrated():
            from flows.pipeline import training

            registered = training(order)
        answer(
            {"registered": registered},
            as_json,
            lambda value: print(*(f"{r.model}/{r.version} registered as challenger" for r in value["registered"]), sep="\n"),
        )


def main() -> None:
    """The entry point of the `aigc` script."""
    try:
        app()
    finally:
        gc.freeze()  # the interpreter's last search for garbage in all that was imported takes two seconds


if __name__ == "__main__":
    main()
