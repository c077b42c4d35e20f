"""`aigc models`: what is registered, and which version is champion."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.command import answer, ending

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
        from tasks.registry import list_models
        from tasks.settings import Workspace

        answer({"models": list_models(Workspace.current().create())}, as_json, _show_list)


@app.command()
def show(reference: Annotated[str, typer.Argument(help="NAME, NAME@alias or NAME/version")], as_json: Json = False) -> None:
    """One model: its versions, their data and their figures.

    Example: aigc models show digits@champion
    """
    with ending():
        from tasks.registry import show_model
        from tasks.settings import Workspace

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
        from tasks.promote import promote_version
        from tasks.settings import Workspace

        answer(promote_version(Workspace.current().create(), name, version, reason), as_json, _show_entry)


@app.command()
def rollback(name: Name, reason: Reason = "by hand", as_json: Json = False) -> None:
    """Make `previous` champion again.

    Example: aigc models rollback digits --reason "complaints"
    """
    with ending():
        from tasks.promote import rollback as roll_back
        from tasks.settings import Workspace

        answer(roll_back(Workspace.current().create(), name, reason), as_json, _show_entry)


@app.command()
def history(name: Name, as_json: Json = False) -> None:
    """Who moved which alias, when and why.

    Example: aigc models history digits
    """
    with ending():
        from tasks.promote import history as entries
        from tasks.settings import Workspace

        answer({"history": entries(Workspace.current().create(), name)}, as_json, _show_history)


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


def _show_model(model: Any) -> None:
    from rich import print as out
    from rich.table import Table

    out(f"[bold]{model.name}[/bold]  {model.modality}  licence of the data: {model.licence or 'not stated'}")
    for version in model.versions:
        out(f"[bold]version {version.version}[/bold] {', '.join(version.aliases)}  created {version.created}")
        out(
            f"  data {version.dataset} {version.data_version}, bundle {version.bundle_sha256[:12]}, MLflow run {version.run_id}"
        )
        table = Table(box=None, show_header=False)
        for name, value in version.metrics.items():
            table.add_row("  " + name.replace("_", " "), f"{value:.4g}")
        out(table)


def _show_entry(entry: Any) -> None:
    moved = f"{entry.from_version or '-'} -> {entry.to_version}"
    print(f"{entry.when}  {entry.who}  {entry.action}  {moved}  {entry.reason}")


def _show_history(value: dict[str, Any]) -> None:
    for entry in value["history"]:
        _show_entry(entry)
