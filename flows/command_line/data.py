"""`aigc data`: data sets by name."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from aigc_models.reading.words import number
from flows.command_line import items as cli_items
from flows.command_line import versions as cli_versions
from flows.command_line.command import answer, ending
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flows.config import DataConfig

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.command()(cli_items.items)
cli_versions.add_to(app)
Name = Annotated[str, typer.Argument(help="name of the data set")]
LISTED = 12  # values of a list that are shown
Json = Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")]
Source = Annotated[
    str,
    typer.Argument(
        help="a folder, file or archive of texts, pictures, sounds, tunes or tables (csv, json, jsonl, parquet, arrow), "
        "a URL (https://, s3://, gs://), a database (sqlite:///, postgresql+psycopg://), hub:OWNER/NAME, catalog:NAME "
        "or embedded:NAME"
    ),
]
Header = Annotated[
    str | None,
    typer.Option(help="first: the first line of a table names its columns; none: it is a row"),
]
FollowLinks = Annotated[
    bool, typer.Option("--follow-links", help="take what links in a folder lead to outside of it; else they are left out")
]
Keep = Annotated[
    bool | None,
    typer.Option(
        "--keep/--no-keep", help="added again: keep what the source no longer holds (logs); the usual way for a database"
    ),
]


@app.command()
def add(
    name: Name,
    source: Source,
    modality: Annotated[str | None, typer.Option(help="text, image, audio, series, events; none: by the content")] = None,
    label: Annotated[str | None, typer.Option(help="folder | column:C | name:REGEX | line:SEP | none")] = None,
    content: Annotated[str | None, typer.Option(help="column that holds the content")] = None,
    time: Annotated[str | None, typer.Option(help="column that holds the time of the event")] = None,
    group: Annotated[str | None, typer.Option(help="column whose equal values stay in one split")] = None,
    split: Annotated[str | None, typer.Option(help="column of train, validation, test; 'folder': the first one")] = None,
    licence: Annotated[str, typer.Option(help="licence of the content, for the data card")] = "not stated",
    header: Header = None,
    option: Annotated[list[str] | None, typer.Option(help="KEY=VALUE that this kind of source asks for; repeatable")] = None,
    follow_links: FollowLinks = False,
    keep: Keep = None,
    settings: Annotated[
        str, typer.Option(help="YAML file whose `data:` says how it is cleaned, divided and what is expected of it")
    ] = "",
    sets: Annotated[
        list[str] | None, typer.Option("--set", help="one such setting: clean.rules.personal_data.action=mask; repeatable")
    ] = None,
    as_json: Json = False,
) -> None:
    """Ingest, clean, split and version content of yours under a name; again: what is new comes in, what left it goes.

    How it is made is remembered with the name, for the next time and for `aigc run --data NAME`.

    Example: aigc data add letters scans/ --label folder
    Example: aigc data add news phrases.txt --label line:@
    Example: aigc data add mails inbox/ --set clean.rules.personal_data.action=mask
    Example: aigc data add orders sqlite:///shop.db --option "query=select text, kind from orders" --label column:kind
    """
    with ending():
        from flows.making import asked
        from tasks.dataset.datasets import settled
        from tasks.ingest.source import SourceSettings
        from tasks.stage.validation import validated

        values = {
            "name": name,
            "location": source,
            "modality": modality,
            "label": label,
            "content": content,
            "time": time,
            "group": group,
            "split": split,
            "licence": licence,
            "follow_links": follow_links,
            "keep": keep,
            "options": pairs([*(option or []), *([f"header={header}"] if header else [])]),
        }
        made_from = settled(validated(SourceSettings, values, "aigc data add"))
        answer(added(asked(Workspace.current(), made_from, settings, sets or [])), as_json, show_card)


def pairs(options: list[str]) -> dict[str, str]:
    """KEY=VALUE each; raises `BadInput` for one that is not.

    >>> pairs(["query=select a=1"])
    {'query': 'select a=1'}
    """
    from aigc_models.errors import BadInput

    for option in options:
        if not option.partition("=")[1]:
            raise BadInput(f"--option {option!r} is not KEY=VALUE")
    return {key: value for key, _, value in (option.partition("=") for option in options)}


def added(config: DataConfig) -> dict[str, Any]:
    """Run the data flow; the data card of what came out."""
    from flows.command_line.command import orchestrated

    with orchestrated():
        from flows.data import ingestion

        ingestion(config)
    return described(config.source.name)


def described(name: str) -> dict[str, Any]:
    """The data card with its current version."""
    from tasks.dataset.datasets import summary

    return summary(Workspace.current(), name)


@app.command("list")
def list_sets(as_json: Json = False) -> None:
    """The data sets of this workspace.

    Example: aigc data list --json
    """
    with ending():
        from tasks.dataset.datasets import names, summary

        workspace = Workspace.current()
        answer({"datasets": [summary(workspace, name) for name in names(workspace)]}, as_json, _show_list)


@app.command()
def show(
    name: Name,
    html: Annotated[
        Path | None,
        typer.Option(help="write the data card to this file, as a page that opens from disk, and as .json beside it"),
    ] = None,
    as_json: Json = False,
) -> None:
    """One data set: its counts from source to train, and what was thrown away and why.

    Example: aigc data show digits
    Example: aigc data show digits --html digits.html
    """
    with ending():
        card = described(name)
        if html is not None:
            page_of(card, html)
        answer(card, as_json, show_card)


def page_of(card: Mapping[str, Any], page: Path) -> None:
    """Write the data card as a page; raises `BadInput` for a file that a browser would not open as one."""
    from aigc_models.errors import BadInput
    from tasks.report.write_data_card import write_data_card

    if page.suffix not in (".html", ".htm"):
        raise BadInput(f"--html {page}: the name of a page ends in .html")
    data = write_data_card(Workspace.current(), card["name"], card["version"], page)
    print(f"wrote {page} and {data}", file=sys.stderr)


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
    from rich.text import Text

    out(f"[bold]{card['name']}[/bold]  {card['modality']}, version {card['version']}")
    out(Text(f"from {card['source']}; licence: {card['licence']}"))  # as it stands: ':notes:' is no emoji here
    counts, way = card["counts"], Table(box=None, show_header=False)
    way.add_row("came in", str(counts["raw"]))
    for rule, count in counts["rejected"].items():
        way.add_row(Text(f"  rejected: {rule.replace('_', ' ')}"), f"-{count}")
    for name in ("exact_duplicates", "label_conflicts", "superseded", "bridges", "embargo", "gap", "misfits"):
        among = counts["label_conflicts"] if name == "exact_duplicates" else 0  # which are told on a line of their own
        if counts.get(name, 0) > among:
            way.add_row(f"  {name.replace('_', ' ')}", f"-{counts[name] - among}")
    way.add_row("kept", str(counts["kept"]))
    for verb in ("changed", "noticed"):
        for what, count in counts.get(verb, {}).items():
            way.add_row(Text(f"  {verb}: {what.replace('_', ' ')}"), str(count))
    for name, part in card["splits"].items():
        labels = _counted(part["labels"]) or _numbers(part.get("values", {}))
        unit = f" {card['unit']}" if "unit" in card else ""
        way.add_row(f"  {name}", Text(f"{part['rows']}{unit}" + (f"  ({labels})" if labels else "")))
    if card.get("distance"):
        way.add_row("  farthest from its share", Text(_farthest(card["distance"])))
    if card.get("groups"):
        way.add_row("  divided", _divided(card["groups"]))
    near = "near-duplicates" if "unit" in card else "near-duplicates, kept in one split"
    way.add_row(near, f"{counts['near_duplicates']} in {counts['near_duplicate_groups']} groups")
    if card.get("made"):
        way.add_row("made with", Text(_shown(card["made"])))
    for expected, outcome in card.get("expectations", {}).items():
        result = f"{outcome['failed']} items do not" if outcome["failed"] else "all items do"
        way.add_row(Text(f"expected: {expected}"), result)
    for name in ("divided", "handling"):
        for key, value in card.get(name, {}).items():
            way.add_row(Text(f"{name}: {key.replace('_', ' ')}"), Text(_shown(value)))
    way.add_row("format", Text(", ".join(_format(card["format"]))))
    channels = card["diversity"].get("channels", {}) if card["modality"] == "series" else {}
    for name, figures in list(channels.items())[:LISTED]:
        way.add_row(Text(f"  {name}"), Text(_shown(figures)))
    if len(channels) > LISTED:
        way.add_row(f"  ... {len(channels):,} channels in all", "")
    diversity = {name: value for name, value in card["diversity"].items() if not (channels and name == "channels")}
    way.add_row(
        "diversity", Text(", ".join(f"{key.replace('_', ' ')} {_figure_text(value)}" for key, value in diversity.items()))
    )
    out(way)
    if counts["raw"] > counts["kept"]:
        out(f"which and why: data/{card['name']}/quarantine.parquet")


def _format(values: Mapping[str, Any]) -> list[str]:
    """What items are brought to. Of series without what each channel has, which stands below, and with the step in words.

    >>> _format({"step": "1MS", "channels": 2, "names": ["a", "b"], "centre": [1, 2], "scale": [1, 1], "horizon": 4})
    ['step 1 month', 'channels 2', 'horizon 4']
    """
    if "step" not in values:
        return [f"{key} {_shown(value)}" for key, value in values.items()]
    from aigc_models.reading.steps import Step

    spoken = {**values, "step": Step.parse(values["step"]).spoken}
    return [f"{key} {_shown(value)}" for key, value in spoken.items() if key not in ("names", "centre", "scale")]


def _divided(groups: Mapping[str, int]) -> str:
    """How few groups were divided.

    >>> _divided({"whole": 0, "inside": 5})
    'few groups: 5 inside, by position with a gap'
    """
    descriptions = {"whole": "whole, by rank", "inside": "inside, by position with a gap"}
    return "few groups: " + ", ".join(f"{groups[way]} {words}" for way, words in descriptions.items() if groups[way])


def _farthest(distance: Mapping[str, Mapping[str, Any]]) -> str:
    """The label that chance explains least.

    >>> _farthest({"a": {"split": "test", "share": 0.125, "of": 0.1, "chance": 0.01}})
    'a: 12.5 % of it in test, which has 10.0 % of all items (by chance +- 1.0 %)'
    """
    label = max(
        distance, key=lambda one: abs(distance[one]["share"] - distance[one]["of"]) / max(1e-4, distance[one]["chance"])
    )
    share, of, chance = (f"{100 * distance[label][name]:.1f} %" for name in ("share", "of", "chance"))
    return f"{label}: {share} of it in {distance[label]['split']}, which has {of} of all items (by chance +- {chance})"


def _figure_text(figure: Any) -> str:
    """A figure of diversity in words: lowest, median and highest, or how many of each.

    >>> _figure_text([1, 2.5, 4]), _figure_text([8, 8, 8]), _figure_text({"mono": 3}), _figure_text(7)
    ('1 to 4 (median 2.5)', '8', 'mono (x3)', '7')
    """
    if isinstance(figure, list) and len(figure) == 3:
        low, median, high = figure
        return number(low) if low == high else f"{number(low)} to {number(high)} (median {number(median)})"
    if isinstance(figure, dict) and all(isinstance(count, int) for count in figure.values()):
        more = f" ... ({len(figure):,} in all)" if len(figure) > LISTED else ""
        return " ".join(f"{key} (x{count})" for key, count in list(figure.items())[:LISTED]) + more
    return _shown(figure)


def _shown(value: Any) -> str:
    """A value of the data card, with what is in it, in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')} {_shown(inner)}" for key, inner in value.items())
    if isinstance(value, (list, tuple)):
        more = f" ... ({len(value):,} in all)" if len(value) > LISTED else ""
        return " ".join(map(_shown, value[:LISTED])) + more
    return number(value) if isinstance(value, float) else str(value)


def _numbers(values: Mapping[str, float]) -> str:
    """Labels that are numbers, summed up; empty where they are not."""
    return "{least:g} to {most:g}, mean {mean:.4g}".format(**values) if "mean" in values else ""


def _counted(labels: Mapping[str, int]) -> str:
    """The labels with how many items each has; of many those that have most.

    >>> _counted({"a": 1, "b": 2})
    'a 1, b 2'
    """
    if len(labels) <= LISTED:
        return ", ".join(f"{label} {count}" for label, count in labels.items())
    most = sorted(labels.items(), key=lambda pair: -pair[1])[:LISTED]
    return ", ".join(f"{label} {count}" for label, count in most) + f", ... {len(labels):,} labels in all"
