"""`aigc reply`: what a registered model answers to a question, and which past case it rests on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from flows.command_line.command import answer, ending


def reply(
    model: Annotated[str, typer.Argument(help="NAME (its champion), NAME@alias or NAME/version")],
    question: Annotated[str, typer.Argument(help="what is asked, in quotes")],
    count: Annotated[int, typer.Option(help="replies to show, the nearest first")] = 3,
    confidence: Annotated[
        float, typer.Option(help="share of questions without a case that a reply has to be surer than; less: more is answered")
    ] = 0.95,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")] = False,
) -> None:
    """An answer that was given before, with the case that it rests on; 'I do not know.' where no case is near enough.

    Nothing is said that no case says. What is nearest is shown in any case, for the person who answers instead.

    Example: aigc reply support "how do I cancel my order?"        Example: aigc reply support "refund?" --count 5 --json
    """
    with ending():
        from tasks.registry.registry import located
        from tasks.stage.settings import Workspace
        from tasks.use.abilities import require

        folder, identity = located(Workspace.current().create(), model)
        require(Workspace.current(), folder, identity, "reply")
        from aigc_models.generator import Generator
        from tasks.use.reply import replied

        made = replied(Generator.load(folder), question, count, confidence)
        answer({"model": identity.model, "version": identity.version, "question": question, **made}, as_json, show)


def show(said: dict[str, Any]) -> None:
    """The answer, and a line for each case."""
    print(said["text"])
    for row in said["replies"]:
        sure = "certainty not known" if row["confidence"] is None else f"{row['confidence']:.0%} sure"
        mark = "*" if row["given"] else " "
        print(f" {mark} {sure:>9}  case {row['case']['id']}: {row['case']['question']}  ->  {shortened(row['answer'])}")


def shortened(text: str, most: int = 100) -> str:
    """On one line, cut where it is long."""
    line = " ".join(text.split())
    return line if len(line) <= most else f"{line[: most - 1]}…"
