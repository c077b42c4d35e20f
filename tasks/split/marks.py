"""A small number for each of very many texts."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

KEY = 12  # bytes of the digest that stands for a text: of ten million texts two share one once in 10^15 times


def key(text: str) -> bytes:
    """What stands for a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=KEY).digest()


class Marks:
    """Numbers from 0 to 255 at the place of each of the texts whose keys are given: 13 bytes a text. They begin with 0."""

    def __init__(self, keys: bytes | bytearray) -> None:
        self.keys = np.unique(np.frombuffer(keys, dtype=f"S{KEY}"))
        self.numbers = bytearray(len(self.keys))

    def __len__(self) -> int:
        return len(self.keys)

    def places(self, texts: Iterable[str | None]) -> list[int]:
        """Where each text stands; -1 for one that was not given, and for none."""
        wanted = list(texts)
        if not len(self.keys):
            return [-1] * len(wanted)
        keys = np.array([key(text or "") for text in wanted], dtype=self.keys.dtype)
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        positions: list[int] = np.where(self.keys[at] == keys, at, -1).tolist()
        return [-1 if text is None else place for text, place in zip(wanted, positions, strict=True)]

    def __getitem__(self, place: int) -> int:
        """The number there; 0 at -1."""
        return self.numbers[place] if place >= 0 else 0

    def __setitem__(self, place: int, number: int) -> None:
        if place >= 0:
            self.numbers[place] = number
