"""`aigc reproduce`: make a registered version again and compare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.command_line.command import answer, ending, leave

if TYPE_CHECKING:
    from flows.reproduction import Reproduction

DIFFERS = 1  # exit status


def reproduce(
    name: Annotated[str, typer.Argument(help="a registered version: NAME/VERSION, NAME@alias, or NAME for its champion")],
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")] = False,
) -> None:
    """Train a registered version again, by its recipe and on its data, and compare byte for byte; nothing is registered.

    Ends with 0 where all is the same, with 1 where something differs.

    Example: aigc reproduce digits/1
    """
    with ending():
        from flows.command_line.command import orchestrated

        with orchestrated():
            from flows.reproduction import ReproductionConfig
            from flows.reproduction import reproduce as reproducing

            outcome = reproducing(ReproductionConfig(name=name))
        answer(outcome, as_json, show)
        if not outcome.same:
            leave(DIFFERS)


def show(outcome: Reproduction) -> None:
    """One sentence, and what differs."""
    name = f"{outcome.model}/{outcome.version}"
    if outcome.same:
        print(f"{name} was made again: all {outcome.files} files are the same, byte for byte")
    else:
        print(f"{name} was made again, and {len(outcome.differing)} of {outcome.files} files differ:")
    for line in (*(f"  {file}" for file in outcome.differing), *(f"note: {note}" for note in outcome.notes)):
        print(line)
