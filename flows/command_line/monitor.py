"""`aigc monitor`: what arrives is classified, and each period is summed up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from flows.command_line.command import answer, ending, orchestrated


def monitor(
    model: Annotated[str, typer.Argument(help="a registered classifier: NAME (its champion), NAME@alias or NAME/version")],
    folder: Annotated[
        Path, typer.Option("--follow", help="where files arrive: .txt, a text a line; .jsonl, .json: text, time, topic")
    ],
    out: Annotated[Path, typer.Option(help="folder of the answers and the summaries")],
    watch: Annotated[str, typer.Option(help="label whose share is watched")] = "negative",
    period: Annotated[str, typer.Option(help="length of a period: 1h, 24h")] = "24h",
    reference: Annotated[int, typer.Option(help="periods before it that each is compared with")] = 28,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")] = False,
) -> None:
    """Classify what has arrived in a folder, each file once, and sum up each period that is over.

    An alarm is a share of the watched label that differs from the periods before by more than chance; every sentence of a
    summary names the posts that it rests on. On a schedule it is the deployment `monitoring`.

    Example: aigc monitor phrases --follow headlines/ --out monitored --watch negative --period 24h
    """
    with ending():
        from flows.config import seconds
        from flows.monitoring import MonitoringConfig
        from tasks.stage.validation import validated

        places = {"out": out.absolute()}
        values = {
            "following": {"model": model, "folder": folder.absolute(), "once": True, **places},
            "monitoring": {"watch": watch, "period": seconds(period), "reference": reference, **places},
        }
        config = validated(MonitoringConfig, values, "aigc monitor")
        with orchestrated():
            from flows.monitoring import monitoring

            monitored = monitoring(config)
        answer(monitored, as_json, show)


def show(monitored: Any) -> None:
    """What was summed up, the alarms, and where to read on."""
    print(f"{monitored.posts:,} posts in {monitored.periods} periods that are over, {monitored.written} summed up now")
    for period, topics in monitored.alarms.items():
        print(f"alarm {period}: {', '.join(topics)}")
    print(monitored.page)
