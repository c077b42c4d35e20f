"""What a recommender would have recommended to users of the test split, beside what really came next."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tasks.use.recommend import history

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus
    from aigc_models.generator import Generator

HEADING = "What it recommends"
LEAD = "histories of the test split, none picked by hand: their newest items, what would have been recommended, what came"
UNKNOWN = 0  # the symbol of an item that the model does not know
COUNT, NEWEST = 10, 5  # items that are recommended, and of the history that are shown


def answers(generator: Generator, test: Corpus, count: int, folder: Path) -> list[dict[str, Any]]:
    """A list for each history; its file holds the history without what came."""
    rows = [at for at, symbols in enumerate(test.sequences.rows()) if len(symbols) > 2 and symbols[-2] != UNKNOWN][:count]
    contents = generator.modality.decode(test.sequences[rows], generator.format)
    histories = [history(content.values.tolist()[:-1]) for content in contents]
    shown = []
    for number, (content, before) in enumerate(zip(contents, histories, strict=True)):
        came, named = str(content.values[-1]), [one.item for one in generator.recommend([before], COUNT)[0]]
        path = generator.modality.write(before, folder / f"{number:03d}{generator.modality.suffix}")
        place = f"place {named.index(came) + 1} of {COUNT}" if came in named else f"not among the {COUNT}"
        entry = {"file": path.name, "label": None, "seed": None, "note": f"came: {came}, {place}"}
        shown.append({**entry, "html": listed(before.values.tolist()[-NEWEST:], named, came)})
    return shown


def listed(newest: list[str], named: list[str], came: str) -> str:
    """HTML: the newest items of the history, and the recommended ones, that which came in bold."""
    had = Markup("").join(Markup("<li>{}</li>").format(item) for item in newest)
    items = Markup("").join(
        (Markup("<li><b>{}</b></li>") if item == came else Markup("<li>{}</li>")).format(item) for item in named
    )
    return str(Markup('<div class="recommended"><p class="quiet">after</p><ul>{}</ul><ol>{}</ol></div>').format(had, items))
