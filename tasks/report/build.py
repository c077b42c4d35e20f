"""Write a run's report: `report.json` for machines, `index.html` for people."""

from __future__ import annotations

import os
from pathlib import Path

from tasks.report.contents import Report
from tasks.report.page import render


def build(report: Report, folder: Path) -> Path:
    """Write both files into `folder` (`outputs/<run>`) and return the page's path.

    Each appears whole or not at all; the page comes last, so that where it is, all is.
    """
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / "report.json", report.results().model_dump_json(indent=2) + "\n")
    return replace(folder / "index.html", render(report))


def replace(path: Path, text: str) -> Path:
    """Write a file that appears whole or not at all."""
    part = path.with_name(path.name + ".tmp")
    part.write_text(text, encoding="utf-8")
    os.replace(part, path)
    return path
