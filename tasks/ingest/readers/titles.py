"""Titles of the items of histories, from a table beside: an item is then called by its id, a space and its title.

aigc data add films ratings.csv --modality events --group userId --content movieId --time timestamp --option titles=movies.csv
"""

from __future__ import annotations

import csv
from pathlib import Path

from aigc_models.errors import BadInput
from tasks.ingest.source import SourceSettings

OPTION = "titles"
NAMED = ("title", "name", "label", "description")  # a column of titles, or else the second one
LONGEST = 200  # characters


def place(source: SourceSettings) -> Path | None:
    """The file: as it is given, or beside the table; raises `BadInput` where there is none."""
    given = source.options.get(OPTION)
    if not given:
        return None
    beside = source.path.parent / given
    for path in (Path(given).expanduser(), beside):
        if path.is_file():
            return path
    raise BadInput(f"option titles: there is no file {given}, nor {beside}")


def titles(source: SourceSettings) -> dict[str, str]:
    """By id, what the item is called; empty without the option. Raises `BadInput` for a file that is no such table."""
    path = place(source)
    if path is None:
        return {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file)
            header = [name.strip().lower() for name in next(lines, [])]
            if len(header) < 2:
                raise BadInput(f"option titles: {path} has one column; it needs the id of an item and its title")
            column = next((header.index(name) for name in NAMED if name in header), 1)
            rows = [(row[0].strip(), " ".join(row[column].split())[:LONGEST]) for row in lines if len(row) > column]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BadInput(f"option titles: {path} cannot be read as a csv in UTF-8: {error}") from error
    return {key: f"{key} {title}" for key, title in rows if key and title}
