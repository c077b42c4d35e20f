"""`aigc explain`: why a registered classifier of texts decided so."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.command_line.command import answer, ending
from flows.command_line.infer import Input, Json, Lines, Out, Reference, asked

SHOWN = 8  # words on each side


def explain(
    model: Reference,
    where: Input,
    label: Annotated[str | None, typer.Option(help="one of the model's labels; none: the likeliest of each text")] = None,
    lines: Lines = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Which words of a text speak for a label and which against it, and whether its probability falls without them.

    Example: aigc explain phrases --input headline.txt        Example: echo "Sales fell." | aigc explain phrases --input -
    """
    with ending():
        question = asked("classify", model, where, lines, label=label, out=out)
        from tasks.use.explain import explained

        answer(explained(question), as_json, show)


def show(said: dict[str, Any]) -> None:
    """The words that say most, with the nats that they add."""
    for row in said["explained"]:
        print(f"{row['input']}: {row['label']} {row['probability']:.2f}")
        ranked = sorted(row["words"], key=lambda word: -word["value"])
        speaks = [f"{word['text']} {word['value']:+.2f}" for word in ranked if word["value"] > 0][:SHOWN]
        against = [f"{word['text']} {word['value']:+.2f}" for word in reversed(ranked) if word["value"] < 0][:SHOWN]
        print(f"  for it: {', '.join(speaks) or 'nothing'}")
        print(f"  against it: {', '.join(against) or 'nothing'}")
        check = row["check"]
        print(
            f"  without {', '.join(check['removed'])}: {check['probability_without']:.2f}; "
            f"without as many random words: {check['probability_without_random']:.2f}"
        )
