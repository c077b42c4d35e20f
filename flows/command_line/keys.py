"""`aigc keys`: who may ask the servers of this workspace."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.command_line.command import answer, ending

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="whose it is, or what for")],
    scope: Annotated[
        list[str] | None, typer.Option(help="generate (the default): ask models; promote: move champions; admin: everything")
    ] = None,
    rate: Annotated[int | None, typer.Option(min=1, help="requests a minute; none: the server's own limit")] = None,
    as_json: Json = False,
) -> None:
    """Make a key and show it, once; from then on servers of this workspace ask for one.

    Example: aigc keys add shop --rate 600        Example: aigc keys add deploys --scope promote --json
    """
    with ending():
        from tasks.serve.doors.keys import add as added
        from tasks.stage.settings import Workspace

        key, text = added(Workspace.current().create(), name, scope or ["generate"], rate)
        made = {**key.model_dump(exclude={"sha256"}), "key": text}
        answer(
            made, as_json, lambda value: print(f"{text}\nnobody can be shown it again; send it as `Authorization: Bearer KEY`")
        )


@app.command("list")
def list_all(as_json: Json = False) -> None:
    """All keys, without their secrets.

    Example: aigc keys list --json
    """
    with ending():
        from tasks.serve.doors.keys import path_of, read
        from tasks.stage.settings import Workspace

        keys = [key.model_dump(exclude={"sha256"}) for key in read(path_of(Workspace.current()))]
        answer({"keys": keys}, as_json, _show_list)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="its name or its id")], as_json: Json = False) -> None:
    """Take a key back; servers that run refuse it from their next request on.

    Example: aigc keys revoke shop
    """
    with ending():
        from tasks.serve.doors.keys import revoke as revoked
        from tasks.stage.settings import Workspace

        key = revoked(Workspace.current().create(), name)
        answer(key.model_dump(exclude={"sha256"}), as_json, lambda value: print(f"{key.name} ({key.id}) is revoked"))


def _show_list(value: dict[str, Any]) -> None:
    from rich import print as out
    from rich.table import Table

    if not value["keys"]:
        out("no key yet; `aigc keys add NAME` makes one")
        return
    table = Table("name", "id", "scopes", "a minute", "made", "revoked", box=None)
    for key in value["keys"]:
        rate = str(key["rate"] or "")
        table.add_row(key["name"], key["id"], ", ".join(key["scopes"]), rate, key["created"], key["revoked"] or "")
    out(table)
