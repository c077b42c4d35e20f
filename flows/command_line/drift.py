"""`aigc data drift`: how far the data have moved, in one number and in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from flows.command_line.command import answer, ending, leave, plain

SHOWN = 12  # features of the table


def drift(
    name: Annotated[str, typer.Argument(help="name of the data set")],
    before: Annotated[
        str,
        typer.Argument(help="a version; if left out: the one that the champion was trained on, or the one before the newest"),
    ] = "",
    after: Annotated[str, typer.Argument(help="a later version; the newest if left out")] = "",
    threshold: Annotated[float | None, typer.Option(help="score from which on the data have drifted (0.1)")] = None,
    encoder: Annotated[str, typer.Option(help="own (trained on the data set), plain (fixed features) or auto")] = "auto",
    model: Annotated[str, typer.Option(help="registered name of the champion, if it is not the data set's")] = "",
    fail: Annotated[bool, typer.Option("--fail-on-drift", help="exit status 1 where the data have drifted")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")] = False,
) -> None:
    """How well the items of two versions can be told apart (0 to 1), and which of their features moved.

    Example: aigc data drift digits        Example: aigc data drift digits fd0bf9d2 1c2e40aa --fail-on-drift
    """
    with ending():
        from tasks.drift.drift import DriftSettings, usual_before
        from tasks.drift.drift import drift as measure
        from tasks.stage.settings import Workspace
        from tasks.stage.validation import validated

        asked = {"encoder": encoder, "model": model, **({} if threshold is None else {"threshold": threshold})}
        settings = validated(DriftSettings, asked, "aigc data drift")
        workspace = Workspace.current()
        drift = measure(workspace, name, before or usual_before(workspace, name, model), after, settings)
        answer({**plain(drift), "told": drift.summary}, as_json, show)
        if fail and drift.drifted:
            leave(1)


def show(value: Mapping[str, Any]) -> None:
    """The score first, then what was compared, then the features that moved most."""
    _say(f"{value['dataset']}  {value['before']} to {value['after']}: {value['told']}")
    before, after, both = value["counts"]
    kind = "pieces of series" if value["pieces"] else "items"
    looked = (
        f"; {' and '.join(f'{count:,}' for count in value['items'])} looked at"
        if list(value["items"]) != [before, after]
        else ""
    )
    _say(f"  {before:,} {kind} before, {after:,} after, {both:,} of them in both, which count in both{looked}")
    _show_comparison(value, value["encoder"])
    if value["new"]:
        _say(f"What is new ({value['new']['items'][1]:,} {kind}) against all of {value['before']}:")
        _show_comparison(value["new"], value["encoder"])


def _show_comparison(value: Mapping[str, Any], encoder: str) -> None:
    from rich import print as out
    from rich.table import Table
    from rich.text import Text

    classifier = value["classifier"]
    if classifier is None:
        _say("  too little to tell")
        return
    interval = f"{classifier['low']:.3f} to {classifier['high']:.3f}; 0.5: not at all"
    _say(
        f"  score {value['score']:.2f}: a classifier tells them apart with AUC {classifier['auc']:.3f} ({interval}), "
        f"by the {encoder}"
    )
    table = Table("feature", "test", "p, adjusted", "PSI", "before to after", box=None)
    for feature in value["features"][:SHOWN]:
        name = Text.assemble(("moved " if feature["moved"] else "", "bold"), feature["name"])
        figures = (f"{feature['p_adjusted']:.2g}", f"{feature['psi']:.2f}")
        table.add_row(name, feature["test"], *figures, Text(moves(feature)))
    out(table)


def moves(feature: Mapping[str, Any]) -> str:
    """The largest moves of a feature, in words.

    >>> moves({"before": {"a": 0.5, "b": 0.5}, "after": {"a": 0.5, "b": 0.25, "c": 0.25}})
    'b 0.5 to 0.25, c 0 to 0.25'
    """
    sides = {
        name: (feature["before"].get(name, 0.0), feature["after"].get(name, 0.0))
        for name in {**feature["before"], **feature["after"]}
    }
    largest = sorted(sides, key=lambda name: -abs(sides[name][1] - sides[name][0]))[:2]
    return ", ".join(f"{name} {sides[name][0]:.3g} to {sides[name][1]:.3g}" for name in largest)


def _say(text: str) -> None:
    from rich import print as out
    from rich.text import Text

    out(Text(text))
