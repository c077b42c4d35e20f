"""What is done to whole files to make malformed ones: cuts, altered bytes, wrong names."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator

SEED = 6
Files = dict[str, bytes]
Makers = dict[str, Callable[[], bytes]]  # of files that take long to make
CUTS = (0.02, 0.15, 0.4, 0.6, 0.8, 0.97)


def cut(whole: Files, shares: tuple[float, ...] = CUTS) -> Files:
    """Each file as far as a share of its bytes, and without its last byte."""
    found = {}
    for name, data in whole.items():
        stem, suffix = name.rsplit(".", 1)
        for share in shares:
            found[f"{stem}-cut-{round(100 * share):02d}.{suffix}"] = data[: max(1, int(share * len(data)))]
        found[f"{stem}-cut-last.{suffix}"] = data[:-1]
    return found


def flipped(whole: Files, times: int = 5, most: int = 8) -> Files:
    """Each file with a few bytes altered, `times` over; the n-th alters up to `most` of them, the first the first byte."""
    found = {}
    for name, data in whole.items():
        stem, suffix = name.rsplit(".", 1)
        chance = random.Random(f"{SEED} {name}")
        for turn in range(times):
            altered = bytearray(data)
            places = [0] if turn == 0 else [chance.randrange(len(data)) for _ in range(chance.randint(1, most))]
            for at in places:
                altered[at] ^= chance.randint(1, 255)
            found[f"{stem}-flip-{turn}.{suffix}"] = bytes(altered)
    return found


def swollen(whole: Files) -> Files:
    """Each file with bytes of another kind in its middle, and with as many behind its end."""
    found = {}
    for name, data in whole.items():
        stem, suffix = name.rsplit(".", 1)
        noise = random.Random(f"{SEED} {name}").randbytes(500)
        middle = len(data) // 2
        found[f"{stem}-noise-inside.{suffix}"] = data[:middle] + noise + data[middle:]
        found[f"{stem}-noise-behind.{suffix}"] = data + noise
    return found


def misnamed(whole: Files, suffix: str) -> Files:
    """Files of another kind under this suffix."""
    return {f"{name.replace('.', '-')}-in-truth.{suffix}": data for name, data in whole.items()}


def noise(count: int, seed: int = SEED) -> bytes:
    return random.Random(seed).randbytes(count)


def words(count: int, seed: int = SEED) -> Iterator[str]:
    """Words of a made-up language, so that no two texts are alike."""
    chance = random.Random(seed)
    for _ in range(count):
        yield "".join(chance.choice("aeioubdfgklmnprst") for _ in range(chance.randint(2, 9)))
