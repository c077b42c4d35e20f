"""Weekly carbon dioxide over Mauna Loa, March 1958 to December 2001, in parts per million (statsmodels' copy).

Continuous air samples, averaged by week: Keeling and Whorf 2004, in Trends: A Compendium of Data on Global
Change, Oak Ridge National Laboratory. 59 of 2,284 weeks are missing, and stay so here: cleaning fills them in.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from tasks.ingest.source import RawItem

MODALITY = "series"
LIBRARIES = ("statsmodels",)


def licence() -> str:
    return "public domain"


def items() -> Iterator[RawItem]:
    """One series; the file is read where it lies, since importing the library takes a second."""
    root = Path(str(find_spec("statsmodels").origin)).parent  # type: ignore[union-attr]
    header, *rows = (root / "datasets" / "co2" / "co2.csv").read_text().split()
    channels = header.split(",", 1)[1]
    yield RawItem("\n".join([f"time,{channels}", *rows, ""]).encode(), "co2.csv", "co2.csv")
