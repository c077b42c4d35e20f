"""`aigc generate NAME --follow DIR`: live data in the terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from flows.command_line.command import answer


def follow_folder(model: str, folder: Path, out: Path, as_json: bool, **options: Any) -> None:
    """Answer what arrives until told to end; however it ends, say how much was answered."""
    from flows.command_line.command import orchestrated
    from flows.config import seconds
    from tasks.stage.validation import validated
    from tasks.use.arrivals.journal import count
    from tasks.use.follow import FollowSettings

    times = {name: seconds(options[name]) for name in ("every", "idle_exit") if options[name] is not None}
    values = {**options, **times, "model": model, "folder": folder.absolute(), "out": out.absolute()}
    settings = validated(FollowSettings, values, "aigc generate --follow")
    before = count(settings.out)
    try:
        with orchestrated() as execution:
            from flows.following import following

            how = "answering what is" if settings.once else f"Ctrl-C ends it; every {settings.every:g} s answering what arrives"
            execution.observer.message(f"{how} in {folder}")
            followed = following(settings)
    finally:
        print(f"{count(settings.out) - before} files answered into {out}", file=sys.stderr)
    answer(followed, as_json, show)


def show(followed: Any) -> None:
    """The figures that the line on stderr does not say."""
    took = f", {followed.latency_median:g} s from arrival to answer (median)" if followed.answered else ""
    print(f"{followed.items} items of {followed.model} version {followed.version}, {followed.failed} files with errors{took}")
