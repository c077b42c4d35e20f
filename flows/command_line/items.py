"""`aigc data items`: which items a data set has, for who looks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from flows.command_line.command import answer, ending
from tasks.stage.settings import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def items(
    name: Annotated[str, typer.Argument(help="name of the data set")],
    split: Annotated[str, typer.Option(help="train, validation, test, or quarantine")] = "",
    label: Annotated[str, typer.Option(help="of this label")] = "",
    rule: Annotated[str, typer.Option(help="put aside by this rule")] = "",
    source: Annotated[str, typer.Option(help="whose file or row holds this text")] = "",
    contains: Annotated[str, typer.Option(help="texts that hold this text")] = "",
    limit: Annotated[int, typer.Option(min=1, help="so many at most")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")] = False,
) -> None:
    """Find items: their id, where they came from, their split, or the rule and the reason that put them aside.

    Example: aigc data items letters --rule too_short
    Example: aigc data items mails --contains "Order 4711"
    """
    with ending():
        from tasks.dataset.items import ItemsSettings
        from tasks.dataset.items import items as find
        from tasks.stage.validation import validated

        asked = {"split": split, "label": label, "rule": rule, "source": source, "contains": contains}
        items = find(Workspace.current(), name, validated(ItemsSettings, asked, "aigc data items"))
        value = {"dataset": name, "count": len(items), "items": items.head(limit).to_dict("records")}
        answer(value, as_json, _show)


def _show(value: Mapping[str, Any]) -> None:
    from rich import print as out
    from rich.table import Table
    from rich.text import Text

    table = Table("id", "where", "label", "source", "reason", box=None)
    table.columns[0].no_wrap = True  # it is for `aigc data forget --id`
    for item in value["items"]:
        where = item["split"] if item["rule"] is None else f"{item['split']}: {item['rule']}"
        table.add_row(item["id"], where, *(Text(item[name] or "") for name in ("label", "source", "reason")))
    out(table)
    out(f"{len(value['items'])} of {value['count']}")
