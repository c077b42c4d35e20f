"""`aigc deploy`: the flows on a Prefect server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from flows.command_line.command import answer, ending


def deploy(
    file: Annotated[
        Path | None, typer.Option("--file", help="another prefect.yaml; if left out: that of this folder, or the project's")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="one JSON object on stdout, all else on stderr")] = False,
) -> None:
    """Put every flow on the Prefect server at PREFECT_API_URL, with a form each and the schedules of prefect.yaml.

    Example: PREFECT_API_URL=http://127.0.0.1:4200/api aigc deploy
    """
    with ending():
        from flows.deploy import deploy as deploy_file
        from flows.deploy import show

        answer(deploy_file(file), as_json, show)
