"""`aigc recommend`: what a registered model recommends."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.command_line.command import answer, ending


def recommend(
    model: Annotated[str, typer.Argument(help="NAME (its champion), NAME@alias or NAME/version")],
    user: Annotated[str | None, typer.Option(help="a user of the data set that the model learnt from")] = None,
    items: Annotated[str | None, typer.Option(help="items in the order of time, with commas; an id alone will do")] = None,
    count: Annotated[int, typer.Option(help="items to recommend")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")] = False,
) -> None:
    """What is likeliest to come next, without what the history holds, and which items of the history speak for it.

    Without --user and --items: what is recommended to someone of whom nothing is known.

    Example: aigc recommend films --user 42        Example: aigc recommend films --items 318,858,50 --count 5 --json
    """
    with ending():
        from aigc_models.errors import BadInput
        from tasks.registry.registry import located
        from tasks.stage.settings import Workspace
        from tasks.use.abilities import require

        if user is not None and items is not None:
            raise BadInput("say --user or --items, not both")
        workspace = Workspace.current().create()
        folder, identity = located(workspace, model)
        require(workspace, folder, identity, "recommend")
        from aigc_models.generator import Generator
        from tasks.use.recommend import history_of, recommended

        generator = Generator.load(folder)
        names = [name.strip() for name in (items or "").split(",") if name.strip()]
        if user is not None:
            names = history_of(workspace, identity.dataset, identity.data_version, user)
        said = {"model": identity.model, "version": identity.version, "user": user, **recommended(generator, names, count)}
        answer(said, as_json, show)


def show(said: dict[str, Any]) -> None:
    """A line for each item, with its reasons."""
    if said["cold_start"]:
        print("nothing is known of the history: these are the likeliest of all")
    if said["unknown"]:
        print(f"passed over, since the model does not know them: {', '.join(said['unknown'][:10])}")
    for place, row in enumerate(said["recommended"], start=1):
        because = f"  since {' and '.join(row['because'])}" if row["because"] else ""
        print(f"{place:3}. {row['item']}  {row['probability']:.2%}{because}")
