"""Text that was decoded wrongly and can be brought back: `Ã©` for `é`, control and terminal codes (ftfy).

It comes before `encoding_artefacts`, which rejects what is beyond repair. Unicode form, newlines and the
byte-order mark are `modalities.text.normalise`'s work; quotation marks, ligatures, wide letters and HTML stay.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from tasks.clean.clean import Item, Rejected

if TYPE_CHECKING:
    from ftfy import TextFixerConfig

MODALITIES = frozenset({"text"})
ORDER = -1
_SUSPECT = re.compile(r"[^\t\n\f\r -~]")  # plain ASCII holds nothing that ftfy would repair, and it is slow to say so


class Settings(BaseModel):
    """Nothing to set."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def apply(item: Item, settings: Settings) -> Item | Rejected:
    if not _SUSPECT.search(item.content):
        return item
    import ftfy

    repaired = ftfy.fix_text(item.content, _safe())
    if repaired == item.content.replace("\ufeff", ""):  # the mark goes anyway: it is no repair to be counted
        return item
    return replace(item, content=repaired)


@cache
def _safe() -> TextFixerConfig:
    """Of ftfy's fixes those that undo damage, none that changes how a text was meant to look."""
    from ftfy import TextFixerConfig

    return TextFixerConfig(
        unescape_html=False,
        fix_latin_ligatures=False,
        fix_character_width=False,
        uncurl_quotes=False,
        fix_line_breaks=False,
        normalization=None,
        explain=False,
    )
