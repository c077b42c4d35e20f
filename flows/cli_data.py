"""`aigc data`: data sets by name."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aigc_models.errors import BadInput
from flows.command import answer, ending
from tasks.settings import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.config import DataConfig

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
Name = Annotated[str, typer.Argument(help="name of the data set")]
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]


@app.command()
def add(
    name: Name,
    source: Annotated[
        str, typer.Argument(help="a folder of texts or pictures, a text file, csv, jsonl, parquet, or embedded:digits")
    ],
    modality: Annotated[str | None, typer.Option(help="text or image, where the content does not say it")] = None,
    label: Annotated[str | None, typer.Option(help="folder | column:C | name:REGEX | line:SEP | none")] = None,
    content: Annotated[str | None, typer.Option(help="column that holds the content")] = None,
    time: Annotated[str | None, typer.Option(help="column that holds the time of the event")] = None,
    group: Annotated[str | None, typer.Option(help="column whose equal values stay in one split")] = None,
    split: Annotated[
        str | None, typer.Option(help="column that says train, validation or test; 'folder': the first folder says it")
    ] = None,
    licence: Annotated[str, typer.Option(help="licence of the content, for the data card")] = "not stated",
    as_json: Json = False,
) -> None:
    """Ingest, clean, split and version content of yours under a name; again with more content: what is new is added.

    Example: aigc data add letters scans/ --label folder
    Example: aigc data add news phrases.txt --label line:@
    """
    with ending():
        from flows.config import DataConfig
        from tasks.datasets import remember
        from tasks.source import SourceSettings
        from tasks.source import modality as modality_of
        from tasks.validation import validated

        place = source if ":" in source and not Path(source).exists() else str(Path(source).expanduser().resolve())
        values = {
            "name": name,
            "location": place,
            "modality": modality,
            "label": label,
            "content": content,
            "time": time,
            "group": group,
            "split": split,
            "licence": licence,
        }
        settings = validated(SourceSettings, values, "aigc data add")
        settings = settings.model_copy(update={"modality": modality_of(settings)})
        card = added(DataConfig(source=settings))
        remember(Workspace.current(), settings)
        answer(card, as_json, show_card)


def added(config: DataConfig) -> dict[str, Any]:
    """Run the data flow; the data card of what came out. A set that cannot be used leaves nothing behind."""
    from flows.command import orchestrated

    name = config.source.name
    folder = Workspace.current().data / name
    new = not folder.exists()
    with orchestrated():
        from flows.data import prepare

        try:
            prepare(config)
        except BadInput:
            if new:
                shutil.rmtree(folder, ignore_errors=True)
            raise
    return described(name)


def described(name: str) -> dict[str, Any]:
    """The data card with its current version."""
    from tasks.datasets import summary

    return summary(Workspace.current(), name)


@app.command("list")
def list_sets(as_json: Json = False) -> None:
    """The data sets of this workspace.

    Example: aigc data list --json
    """
    with ending():
        from tasks.datasets import names, summary

        workspace = Workspace.current()
        answer({"datasets": [summary(workspace, name) for name in names(workspace)]}, as_json, _show_list)


@app.command()
def show(name: Name, as_json: Json = False) -> None:
    """One data set: its counts from source to train, and what was thrown away and why.

    Example: aigc data show digits
    """
    with ending():
        answer(described(name), as_json, show_card)


def _show_list(value: Mapping[str, Any]) -> None:
    from rich import print as out
    from rich.table import Table

    if not value["datasets"]:
        out("no data set yet; `aigc data add NAME SOURCE` makes one")
        return
    table = Table("name", "modality", "version", "items", "quarantined", "labels", box=None)
    for card in value["datasets"]:
        counts = card["counts"]
        table.add_row(
            card["name"],
            card["modality"],
            card["version"],
            str(counts["kept"]),
            str(counts["raw"] - counts["kept"]),
            str(card["diversity"]["labels"]),
        )
    out(table)


def show_card(card: Mapping[str, Any]) -> None:
    """The way from source to train, and what is known of the content."""
    from rich import print as out
    from rich.table import Table

    out(f"[bold]{card['name']}[/bold]  {card['modality']}, version {card['version']}")
    out(f"from {card['source']}; licence: {card['licence']}")
    counts, way = card["counts"], Table(box=None, show_header=False)
    way.add_row("came in", str(counts["raw"]))
    for rule, count in counts["rejected"].items():
        way.add_row(f"  rejected: {rule.replace('_', ' ')}", f"-{count}")
    for name in ("exact_duplicates", "label_conflicts", "bridges"):
        if counts[name]:
            way.add_row(f"  {name.replace('_', ' ')}", f"-{counts[name]}")
    way.add_row("kept", str(counts["kept"]))
    for name, part in card["splits"].items():
        labels = ", ".join(f"{label} {count}" for label, count in part["labels"].items())
        way.add_row(f"  {name}", f"{part['rows']}" + (f"  ({labels})" if labels else ""))
    way.add_row(
        "near-duplicates, kept in one split", f"{counts['near_duplicates']} in {counts['near_duplicate_groups']} groups"
    )
    way.add_row("format", ", ".join(f"{key} {value}" for key, value in card["format"].items()))
    way.add_row("diversity", ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in card["diversity"].items()))
    out(way)
    if counts["raw"] > counts["kept"]:
        out(f"which and why: data/{card['name']}/quarantine.parquet")
