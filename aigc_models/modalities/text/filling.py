"""Texts whose end is given and whose middle is asked for (Bavarian et al. 2022, Efficient training of language models to fill
in the middle).

A share of the train texts is learnt as their end and then what stands before it, each behind a mark: the paper's order
suffix-prefix-middle (section 3), since models here look back over few symbols and the middle goes on from the prefix. Prefix
and middle follow each other, so that one cut of the text, at a random character, says all. The marks are bytes that no UTF-8
holds: no text has them, and every tokeniser has a piece for each byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from aigc_models.modalities.text import tokeniser

SUFFIX, PREFIX = b"\xfe", b"\xff"  # what follows is the end of the text, or what stands before it


def marks(learned: str) -> tuple[int, int]:
    """The symbols of `SUFFIX` and `PREFIX`."""
    pieces = tokeniser.pieces(learned)
    return pieces.index(SUFFIX), pieces.index(PREFIX)


def symbols(prompt: str, suffix: str, learned: str) -> np.ndarray:
    """int16 (time,): what a model is given that is to write between the two."""
    suffix_mark, prefix_mark = marks(learned)
    before, after = tokeniser.cut([prompt, suffix], learned)
    return np.concatenate([[suffix_mark], after, [prefix_mark], before]).astype(np.int16)


def cuts(contents: Sequence[str], share: float) -> list[int | None]:
    """Where each text is cut in two, for about this share of them; the same for a text wherever it stands."""
    return [_cut(content, share) for content in contents]


def _cut(content: str, share: float) -> int | None:
    digest = hashlib.sha256(b"fill_in\0" + content.encode("utf-8", "surrogatepass")).digest()
    random = np.random.default_rng(int.from_bytes(digest[:8], "little"))
    return int(random.integers(len(content) + 1)) if random.random() < share else None


def restored(row: Sequence[int], learned: str) -> list[int]:
    """The symbols of a text in their own order, without marks and END."""
    suffix_mark, prefix_mark = marks(learned)
    end = len(tokeniser.pieces(learned))
    written = list(row[: row.index(end)]) if end in row else [symbol for symbol in row if symbol >= 0]
    if written[:1] == [suffix_mark] and prefix_mark in written:
        border = written.index(prefix_mark)
        written = written[border + 1 :] + written[1:border]
    return [symbol for symbol in written if symbol not in (suffix_mark, prefix_mark)]
