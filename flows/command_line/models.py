"""`aigc models`: what is registered, and which version is champion."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.command_line.command import answer, ending

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(help="registered name, such as digits")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]
Reason = Annotated[str, typer.Option(help="why, in words, for the history")]


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """Every registered model with its aliases.

    Example: aigc models list --json
    """
    with ending():
        from tasks.registry.registry import list_models
        from tasks.stage.settings import Workspace

        answer({"models": list_models(Workspace.current().create())}, as_json, _show_list)


@app.command()
def show(reference: Annotated[str, typer.Argument(help="NAME, NAME@alias or NAME/version")], as_json: Json = False) -> None:
    """One model: its versions, their data and their figures.

    Example: aigc models show digits@champion
    """
    with ending():
        from tasks.registry.registry import show_model
        from tasks.stage.settings import Workspace

        answer(show_model(Workspace.current().create(), reference), as_json, _show_model)


@app.command()
def promote(
    name: Name,
    version: Annotated[int, typer.Argument(help="version number")],
    reason: Reason = "by hand",
    as_json: Json = False,
) -> None:
    """Make a version champion; the champion before becomes `previous`.

    Example: aigc models promote digits 2 --reason "approved by the team"
    """
    with ending():
        from tasks.registry.promote import promote_version
        from tasks.stage.settings import Workspace

        answer(promote_version(Workspace.current().create(), name, version, reason), as_json, _show_entry)


@app.command()
def compare(
    name: Name,
    a: Annotated[str, typer.Argument(help="a version number or an alias, such as champion")],
    b: Annotated[str, typer.Argument(help="the version that is held against it, such as challenger")],
    as_json: Json = False,
) -> None:
    """Two versions side by side: figures, paired differences if they were measured, and the gates that b would pass.

    Example: aigc models compare digits champion challenger        Example: aigc models compare digits 1 3 --json
    """
    with ending():
        from tasks.judge.compare import compare as compared
        from tasks.stage.settings import Workspace

        answer(compared(Workspace.current().create(), name, a, b), as_json, _show_comparison)


@app.command()
def approve(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Make the version that waits for approval champion.

    Example: aigc models approve digits --reason "looked at 40 samples"
    """
    with ending():
        from tasks.registry.approve import approve as approved
        from tasks.stage.settings import Workspace

        answer(approved(Workspace.current().create(), name, reason), as_json, _show_entry)


@app.command()
def reject(name: Name, reason: Reason = "", as_json: Json = False) -> None:
    """Say no to the version that waits for approval; the champion stays.

    Example: aigc models reject digits --reason "the sevens look like ones"
    """
    with ending():
        from tasks.registry.approve import reject as rejected
        from tasks.stage.settings import Workspace

        answer(rejected(Workspace.current().create(), name, reason), as_json, _show_entry)


@app.command()
def rollback(name: Name, reason: Reason = "by hand", as_json: Json = False) -> None:
    """Make `previous` champion again.

    Example: aigc models rollback digits --reason "complaints"
    """
    with ending():
        from tasks.registry.promote import rollback as roll_back
        from tasks.stage.settings import Workspace

        answer(roll_back(Workspace.current().create(), name, reason), as_json, _show_entry)


@app.command()
def history(
    name: Name,
    at: Annotated[str | None, typer.Option(help="who was champion then: 2026-01-31 (its end, in UTC), or a time")] = None,
    as_json: Json = False,
) -> None:
    """Who moved which alias, when and why; moves that were made outside, in MLflow, are named.

    Example: aigc models history digits        Example: aigc models history digits --at 2026-01-31
    """
    with ending():
        from tasks.registry.reconcile import champion_at, reconciled
        from tasks.stage.settings import Workspace

        lines = reconciled(Workspace.current().create(), name)
        if at is not None:
            answer(champion_at(lines, at), as_json, lambda value: _show_champion_at(name, value))
        else:
            answer({"history": lines}, as_json, _show_history)


def _show_list(value: dict[str, Any]) -> None:
    from rich import print as out
    from rich.table import Table

    if not value["models"]:
        out("no model yet; `aigc run` makes one")
        return
    table = Table("name", "modality", "versions", "aliases", box=None)
    for model in value["models"]:
        table.add_row(
            model.name,
            model.modality,
            str(model.versions),
            ", ".join(f"{name} = {version}" for name, version in sorted(model.aliases.items())),
        )
    out(table)
    _warn(value["models"])


def _warn(models: list[Any]) -> None:
    for warning in [warning for model in models for warning in model.warnings]:
        print(f"note: {warning}")


def _show_model(model: Any) -> None:
    from rich import print as out
    from rich.table import Table
    from rich.text import Text

    details = f"  {model.modality}  licence of the data: {model.licence or 'not stated'}"
    out(Text.assemble((model.name, "bold"), details))
    for version in model.versions:
        out(f"[bold]version {version.version}[/bold] {', '.join(version.aliases)}  created {version.created}")
        data = f"  data {version.dataset} {version.data_version}"
        out(Text(f"{data}, bundle {version.bundle_sha256[:12]}, MLflow run {version.run_id}"))
        table = Table(box=None, show_header=False)
        for name, value in version.metrics.items():
            table.add_row("  " + name.replace("_", " "), f"{value:.4g}")
        out(table)
    _warn([model])


def _show_entry(entry: Any) -> None:
    from tasks.registry.reconcile import MOVES

    if entry.action in MOVES:
        print(f"{entry.when}  {entry.who}  {entry.action}  {entry.from_version or '-'} -> {entry.to_version}  {entry.reason}")
    else:  # nothing moved
        beside = f"{entry.from_version} stays champion" if entry.from_version else "there is no champion"
        print(f"{entry.when}  {entry.who}  {entry.action}  version {entry.to_version}; {beside}  {entry.reason}")


def _show_outside(move: Any) -> None:
    between = f"after {move.after}" if move.after else "before that"
    moved = f"{move.from_version or '-'} -> {move.to_version or '-'}"
    print(f"{move.when} at the latest, {between}  moved outside  {moved}  {move.reason}")


def _show_champion_at(name: str, value: Any) -> None:
    who = f"version {value.champion} was champion" if value.champion else "there was no champion"
    print(f"{name}: {who} at {value.at}{'' if value.certain else ', unless it was moved outside before'}")
    if value.line is not None:
        _show_history({"history": [value.line]})


def _show_comparison(value: Any) -> None:
    from rich import print as out
    from rich.table import Table
    from rich.text import Text

    from tasks.report import words

    sides = [", ".join([f"version {side.version}", *side.aliases]) for side in (value.a, value.b)]
    out(f"[bold]{value.model}[/bold]  a: {sides[0]}; b: {sides[1]}; {value.note}")
    table = Table("figure", "", "a", "b", "b - a", "paired, 95 %", "b is", box=None)
    for row in value.metrics:
        arrow = {"lower": "\u2193", "higher": "\u2191"}.get(row.better, "")
        paired = f"{words.change(row.paired.value)} ({words.interval(row.paired.low, row.paired.high)})" if row.paired else ""
        difference = words.change(row.difference) if row.difference is not None else ""
        verdict = "" if row.verdict == "unknown" else row.verdict
        table.add_row(row.metric, arrow, words.number(row.a), words.number(row.b), difference, paired, verdict)
    out(table)
    for gate in value.gates:
        out(Text(f"{gate.verdict.replace('_', ' '):<14}  {gate.name}: {gate.reason}"))
    outcomes = {True: "b would be promoted beside a", False: "b would be refused beside a", None: "no gate is known of either"}
    print(outcomes[value.passes])


def _show_history(value: dict[str, Any]) -> None:
    for line in value["history"]:
        (_show_outside if line.action == "moved_outside" else _show_entry)(line)
