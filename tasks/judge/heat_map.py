"""A generated text as its model read it: the darker a token, the more it surprised; on each, what was likeliest there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from markupsafe import Markup

from aigc_models.errors import BadInput

if TYPE_CHECKING:
    from aigc_models.generator import Generator

MOST_NATS = 8.0  # of a token that is as dark as can be
SHOWN = 600  # tokens


def heat_map(generator: Generator, text: str, label: str | None) -> str:
    """HTML; empty where the text cannot be read so."""
    from aigc_models.explaining.tokens import read

    try:
        reading = read(generator, text, label)
    except BadInput:
        return ""
    parts = []
    for token in reading.tokens[:SHOWN]:
        wanted = {"": token.wanted, **token.members}
        said = "; ".join(
            f"{name + ': ' if name else ''}{one.probability:.1%}, likeliest {one.likeliest!r} {one.likeliest_probability:.0%}"
            for name, one in wanted.items()
        )
        shade = min(1.0, -math.log(max(token.wanted.probability, 1e-12)) / MOST_NATS)
        mark = Markup(
            '<mark style="color:inherit;background:rgba(179, 38, 30, {:.2f})" title="{}; entropy {:.2f} nats">{}</mark>'
        )
        parts.append(mark.format(0.6 * shade, said, token.entropy, token.text))
    return str(Markup('<p style="white-space:pre-wrap">{}</p>').format(Markup("").join(parts)))
