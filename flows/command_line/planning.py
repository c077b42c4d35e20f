"""What a run would do, found out by walking through its flows without running a stage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from flows.order import Order

if TYPE_CHECKING:
    from tasks.stage.execution import Execution


def planned(order: Order) -> dict[str, Any]:
    """Each stage with whether it is cached and why not; what of the training is stated in steps, and the time for the rest."""
    from flows.pipeline import pipeline
    from tasks.stage.execution import Execution, Silent, executing
    from tasks.stage.settings import Workspace

    class Listening(Silent):
        def message(self, text: str) -> None:
            notes.append(text)

    config, notes = order.config, list[str]()
    execution = Execution(Workspace.current(), planning=True, observer=Listening())
    with executing(execution):
        pipeline(order)
    stages = [{"dataset": t.dataset, "name": t.name, "cached": t.cached, "reason": t.reason} for t in execution.timings]
    waiting = {t.dataset for t in execution.timings if not t.cached and t.name.startswith(("pretrain", "finetune"))}
    runs = [run for run in config.runs if run.name in waiting]
    steps = {f"{run.name} {member.name}": member.steps for run in runs for member in run.training.members if member.steps}
    timed = [run for run in runs if any(member.steps is None and member.share for member in run.training.members)]
    seconds = sum(run.training.budget for run in timed)
    expected = {name: _left(name, costs, execution) for name, costs in execution.expected.items()}
    about = {"stages": stages, "training_seconds": seconds, "steps": steps, "expected": expected}
    return {"preset": config.name, **about, "notes": notes}


def _left(dataset: str, costs: dict[str, Any], execution: Execution) -> dict[str, Any]:
    """What of the costs of a data set is not cached."""
    from flows.costs import STAGES, without_cached

    waiting = [t.name.replace(" ", "_") for t in execution.timings if not t.cached and t.dataset in (dataset, "")]
    begins = {**STAGES, "training": "finetune"}
    cached = [part for part, stage in begins.items() if not any(name.startswith(stage) for name in waiting)]
    return without_cached(costs, cached)


def show(plan: dict[str, Any]) -> None:
    """The plan as a table."""
    from rich import print as out
    from rich.table import Table

    from flows.costs import line

    table = Table("data set", "stage", "", "why", box=None)
    for stage in plan["stages"]:
        table.add_row(stage["dataset"], stage["name"], "cached" if stage["cached"] else "[bold]runs[/bold]", stage["reason"])
    out(table)
    for note in plan["notes"]:
        out(note)
    steps = [f"{name} {count:,} steps" for name, count in plan["steps"].items()]
    budget = [f"the rest about {plan['training_seconds']:.0f} s"] if plan["training_seconds"] else []
    for name, costs in plan["expected"].items():
        out(f"{name}: {line(costs)}")
    out(f"training: {', '.join([*steps, *budget]) or 'none'}; nothing was changed")
