"""What was thrown away of a data set that was refused: its quarantine, kept in `.aigc/refused` until the next addition."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path

from tasks.dataset.tables import batches
from tasks.stage.settings import Workspace

ROWS = 10_000  # that are in memory at a time
SHOWN = 6  # rules that a message names


def file_of(workspace: Workspace, name: str) -> Path:
    """Where the quarantine of a refused data set lies, if there is one."""
    return workspace.state / "refused" / f"{name}.parquet"


def clear(workspace: Workspace, name: str) -> None:
    """Of what was refused before, nothing is shown any more."""
    file_of(workspace, name).unlink(missing_ok=True)


def keep(workspace: Workspace, name: str, quarantine: Path) -> str:
    """Keep a table of quarantine; gives what a message says of it: each rule with how many and the first of them, and how to
    see all. Empty where nothing was thrown away."""
    counts, first = Counter[str](), dict[str, str]()
    for part in batches([quarantine], ["rule", "source", "reason"], ROWS):
        counts.update(part["rule"])
        for rule, source, reason in zip(part["rule"], part["source"], part["reason"], strict=True):
            first.setdefault(rule, f"{source}: {reason}")
    if not counts:
        return ""
    target = file_of(workspace, name)
    target.parent.mkdir(parents=True, exist_ok=True)
    unfinished = target.with_suffix(".tmp")
    shutil.copyfile(quarantine, unfinished)
    unfinished.replace(target)
    rules = [f"{count:,} {rule.replace('_', ' ')} ({first[rule]})" for rule, count in counts.most_common(SHOWN)]
    more = f" and {len(counts) - SHOWN} more rules" if len(counts) > SHOWN else ""
    way = f"`aigc data items {name} --split quarantine` lists them until the next add"
    return f"; put aside were {', '.join(rules)}{more}; {way}"
