"""`aigc forecast`, `classify`, `score`, `encode`, `reconstruct`, `denoise`: what a registered model says of your content."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.command_line.command import answer, ending

Reference = Annotated[str, typer.Argument(help="NAME (its champion), NAME@alias or NAME/version")]
Input = Annotated[str, typer.Option("--input", help="a file, a folder, or - for standard input")]
Out = Annotated[Path | None, typer.Option("--out", help="folder for what is answered")]
Label = Annotated[str | None, typer.Option(help="one of the model's labels, where the content is of a known one")]
Lines = Annotated[bool, typer.Option("--lines", help="each line of a text file is an item")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]
MOST = 20  # rows that are printed


def add_to(app: typer.Typer) -> None:
    """Put the commands of this file beside the others."""
    for command in (forecast, classify, score, encode, reconstruct, denoise):
        app.command()(command)


def asked(verb: str, model: str, where: str | None, by_line: bool = False, **options: Any) -> Any:
    """The question to a registered model that can be asked it; raises `BadInput` before anything heavy is loaded."""
    from tasks.registry.registry import located
    from tasks.stage.settings import Workspace
    from tasks.use.abilities import require

    workspace = Workspace.current().create()
    folder, identity = located(workspace, model)
    require(workspace, folder, identity, verb)
    from aigc_models.generator import Generator
    from tasks.use.infer import Question

    generator = Generator.load(folder)
    return (
        Question(generator, identity, **options)
        if where is None
        else Question.of(generator, identity, where, by_line, **options)
    )


def forecast(
    model: Reference,
    where: Annotated[
        str | None, typer.Option("--input", help="csv of the past: a file, a folder, or -; none: the newest training data")
    ] = None,
    levels: Annotated[str, typer.Option(help="quantiles, between 0 and 1")] = "0.1,0.25,0.5,0.75,0.9",
    label: Label = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """What comes after a series: quantiles for each step and channel, as csv and as a picture with --out.

    Example: aigc forecast co2 --out ahead        Example: aigc forecast co2 --input past.csv --levels 0.05,0.5,0.95 --json
    """
    with ending():
        wanted = _levels(levels)
        question = asked("forecast", model, where, label=label, out=out)
        from tasks.use.infer import forecast as forecasts

        answer(forecasts(question, wanted), as_json, _show_forecasts)


def classify(model: Reference, where: Input, lines: Lines = False, out: Out = None, as_json: Json = False) -> None:
    """The likeliest label of each item, with its probability; of other models its several labels, or its number.

    Example: aigc classify digits --input scans/        Example: aigc classify news --input phrases.txt --lines --json
    """
    with ending():
        question = asked("classify", model, where, lines, out=out)
        from tasks.use.infer import classify as classified

        answer(classified(question), as_json, _show_labels)


def score(
    model: Reference, where: Input, label: Label = None, lines: Lines = False, out: Out = None, as_json: Json = False
) -> None:
    """How likely a model holds content to be: nats, and bits per byte of text (lower is likelier).

    Example: aigc score docstrings --input manual.txt        Example: echo "Return the sum." | aigc score docstrings --input -
    """
    with ending():
        question = asked("score", model, where, lines, label=label, out=out)
        from tasks.use.infer import score as scored

        answer(scored(question), as_json, _show_scores)


def encode(model: Reference, where: Input, lines: Lines = False, out: Out = None, as_json: Json = False) -> None:
    """A feature vector for each item, as features.csv with --out.

    Example: aigc encode digits --input scans/ --out features
    """
    with ending():
        question = asked("encode", model, where, lines, out=out)
        from tasks.use.infer import encode as encoded

        answer(encoded(question), as_json, _show_features)


def reconstruct(model: Reference, where: Input, out: Out = None, as_json: Json = False) -> None:
    """Each item through the model and back, and how far that is from it.

    Example: aigc reconstruct digits --input scans/ --out again
    """
    with ending():
        question = asked("reconstruct", model, where, out=out)
        from tasks.use.infer import reconstruct as reconstructed

        answer(reconstructed(question), as_json, lambda value: _show_mended(value, "reconstructed"))


def denoise(
    model: Reference,
    where: Input,
    noise: Annotated[
        float, typer.Option(help="standard deviation of the noise; items lie in [-1, 1], series are standardised")
    ] = 0.3,
    add: Annotated[bool, typer.Option("--add", help="add that much noise first, to see how well it comes off")] = False,
    label: Label = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Each item freed from noise.

    Example: aigc denoise notes --input hiss/ --noise 0.1 --out clean        Example: aigc denoise digits --input scans/ --add
    """
    with ending():
        question = asked("denoise", model, where, label=label, out=out)
        from tasks.use.infer import denoise as denoised

        answer(denoised(question, noise, add), as_json, lambda value: _show_mended(value, "denoised"))


def _levels(text: str) -> list[float]:
    from aigc_models.errors import BadInput

    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise BadInput(f"--levels {text}: give numbers between 0 and 1 with commas, such as 0.1,0.5,0.9") from error


def _show(value: dict[str, Any], title: str, header: list[str], rows: list[list[str]]) -> None:
    """A title, the first rows as a table, and what could not be used."""
    from rich import print as out
    from rich.table import Table
    from rich.text import Text

    member = f", by its member {value['member']}" if value["member"] else ""
    print(f"{value['model']} version {value['version']}{member}: {title}")
    table = Table(*header, box=None)
    for row in rows[:MOST]:
        table.add_row(*map(Text, row))
    out(table)
    if len(rows) > MOST:
        print(f"... and {len(rows) - MOST} more; --json or --out gives all")
    for refused in value["refused"]:
        print(f"not used: {refused['file']}: {refused['reason']}")
    if "out" in value:
        print(f"written to {value['out']}")


def _show_forecasts(value: dict[str, Any]) -> None:
    rows = []
    for forecast in value["forecasts"]:
        for name, quantiles in forecast["quantiles"].items():
            steps = zip(forecast["times"], *quantiles, strict=True)
            rows += [[forecast["input"], name, time, *(f"{each:.5g}" for each in values)] for time, *values in steps]
    _show(value, "forecast", ["input", "channel", "time", *(f"{level:g}" for level in value["levels"])], rows)


def _show_labels(value: dict[str, Any]) -> None:
    each = value["classified"]
    if each and "value" in each[0]:
        level = f" ({each[0]['interval']['level']:.0%} interval)" if "interval" in each[0] else ""
        _show(value, f"numbers{level}", ["input", "value", "from", "to"], [[row["input"], *_number(row)] for row in each])
    elif each and "labels" in each[0]:
        rows = [[row["input"], _several(row)] for row in each]
        _show(value, "labels", ["input", "labels and their probabilities"], rows)
    else:
        rows = [[row["input"], row["label"], f"{row['probability']:.3f}"] for row in each]
        _show(value, "likeliest labels", ["input", "label", "probability"], rows)


def _number(row: dict[str, Any]) -> list[str]:
    edges = [row["interval"][edge] for edge in ("low", "high")] if "interval" in row else []
    return [f"{each:.5g}" for each in (row["value"], *edges)] + [""] * (2 - len(edges))


def _several(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {row['probabilities'][name]:.3f}" for name in row["labels"]) or "none"


def _show_scores(value: dict[str, Any]) -> None:
    rate = f", {value['bits_per_byte']:.3f} bits per byte" if "bits_per_byte" in value else ""
    rows = [[row["input"], f"{row['log_likelihood']:.2f}", *_rate(row)] for row in value["scored"]]
    _show(value, f"log-likelihood{rate}", ["input", "nats", *(["bits per byte"] if rate else [])], rows)


def _rate(row: dict[str, Any]) -> list[str]:
    return [f"{row['bits_per_byte']:.3f}"] if "bits_per_byte" in row else []


def _show_features(value: dict[str, Any]) -> None:
    rows = [[row["input"], " ".join(f"{each:.3g}" for each in row["features"][:6])] for row in value["encoded"]]
    _show(value, f"{value['size']} features an item", ["input", "the first of them"], rows)


def _show_mended(value: dict[str, Any], key: str) -> None:
    figures = [name for name in ("mse", "psnr", "noisy_mse", "noisy_psnr") if name in value]
    names = [name.replace("_", " ") + (" (dB)" if name.endswith("psnr") else "") for name in figures]
    rows = [[row["input"], *(f"{row[name]:.4g}" for name in figures)] for row in value[key]]
    means = ", ".join(f"{name} {value[each]:.4g}" for name, each in zip(names, figures, strict=True))
    _show(value, f"{key}, on average {means}", ["input", *names], rows)
