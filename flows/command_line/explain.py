"""`aigc explain`: why a classifier of texts decided so, or what a generator held for likely in a text."""

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
    """Of a classifier, which words of a text speak for a label, and whether its probability falls without them; of a
    generator, how likely it held each token, what it and its members would have written, and the nearest training text.

    Example: aigc explain phrases --input headline.txt        Example: echo "Sales fell." | aigc explain phrases --input -
    """
    with ending():
        from tasks.stage.settings import Workspace

        question = asked("explain", model, where, lines, label=label, out=out)
        from tasks.use.explain import explained

        answer(explained(question, Workspace.current()), as_json, show)


def show(said: dict[str, Any]) -> None:
    """The words that say most, with the nats that they add; of a generated text the tokens that surprise most."""
    for row in said["explained"]:
        if "tokens" in row:
            show_tokens(row)
            continue
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


def show_tokens(row: dict[str, Any]) -> None:
    """The tokens that the model held for least likely, in the order of the text."""
    tokens = row["tokens"]
    mean = sum(token["entropy"] for token in tokens) / len(tokens)
    print(f"{row['input']}: {len(tokens)} tokens, {-row['nats'] / len(tokens):.2f} nats each; mean entropy {mean:.2f} nats")
    least = sorted(sorted(tokens, key=lambda token: token["probability"])[:SHOWN], key=lambda token: token["start"])
    for token in least:
        said = "; ".join(wanted(name, one) for name, one in {"": token, **token["members"]}.items())
        print(f"  at {token['start']:4} {token['text']!r}: {said}; entropy {token['entropy']:.2f}")
    if near := row["nearest_training_text"]:
        print(f"  nearest training text, at {near['distance']:.2f} ({near['id']}): {' '.join(near['text'].split())[:120]}")


def wanted(name: str, one: dict[str, Any]) -> str:
    """What the model, or a member of it, held of a token, and what it would rather have written."""
    called = f"{name}: " if name else ""
    return f"{called}{one['probability']:.1%}, rather {one['likeliest']!r} {one['likeliest_probability']:.0%}"
