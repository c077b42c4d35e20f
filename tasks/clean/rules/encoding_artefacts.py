"""Text that was decoded wrongly before it came here: replacement characters, control codes, `Ã©` for `é`."""

from __future__ import annotations

import re

from pydantic import BaseModel, ConfigDict, Field

from tasks.clean.clean import Item, Rejected

MODALITIES = frozenset({"text"})

# UTF-8 read as Latin-1 or Windows-1252: a lead byte as a letter, then a continuation byte as a sign
_MOJIBAKE = re.compile(
    "[\u00c2\u00c3][\u0080-\u00bf]"  # accented letters
    "|\u00e2\u20ac[\u0080-\u00bf\u02dc\u0153\u2013-\u203a\u2122]"  # quotation marks, dashes
    "|\u00ef\u00bb\u00bf"  # byte-order mark
)
_DAMAGE = re.compile("[\ufffd\ufffe\uffff\x01-\x08\x0b\x0e-\x1f\x7f-\x84\x86-\x9f]")


class Settings(BaseModel):
    """How much damage is let pass."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    share: float = Field(default=0.01, description="largest share of damaged characters, 0 to 1", ge=0, le=1)


def apply(item: Item, settings: Settings) -> Item | Rejected:
    places = _MOJIBAKE.findall(item.content) + _DAMAGE.findall(item.content)
    if sum(map(len, places)) <= settings.share * len(item.content):
        return item
    return Rejected(f"looks wrongly decoded: {len(places)} damaged places such as {places[0]!r}")
