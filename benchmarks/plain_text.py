"""The plain way to prepare texts, as a script of pandas and datasketch does it: what `text_at_size.py` compares with.

Read, clean, drop exact copies, look up and verify near-duplicates, divide at random, write. The MinHash is fed as
datasketch's own introduction does it (`loop`: a shingle at a time) or by its faster way (`batch`: all of a text at once);
`recall` is the faster way with bands and rows like ours in place of datasketch's own, which miss four pairs of ten.
"""

from __future__ import annotations

import hashlib
import time
import unicodedata
from pathlib import Path
from typing import Any

SHORTEST = 2  # characters, as in tasks/clean/rules/too_short.py
SIMILAR, SHINGLE = 0.8, 5  # as in aigc_models/modalities/text/__init__.py
PERMUTATIONS = 128  # datasketch's default
BANDS = {"recall": (24, 5)}  # and rows; what datasketch chooses for 0.8 where nothing is said


def shingles(text: str) -> set[str]:
    plain = " ".join(text.casefold().split())
    return {plain[at : at + SHINGLE] for at in range(len(plain) - SHINGLE + 1)}


def minhash(found: set[str], way: str) -> Any:
    from datasketch import MinHash

    sketch = MinHash(num_perm=PERMUTATIONS)
    if way == "loop":
        for one in found:
            sketch.update(one.encode())
    else:
        sketch.update_batch([one.encode() for one in found])
    return sketch


def prepare(source: Path, target: Path, way: str) -> dict[str, Any]:
    """Write `target` (parquet: text, split); near pairs and exact copies (later: first) by row, and seconds of each part."""
    import numpy as np
    import pandas
    from datasketch import MinHashLSH

    began = [time.monotonic()]
    table = pandas.read_csv(source, keep_default_na=False)
    table["text"] = [unicodedata.normalize("NFC", text).strip() for text in table["text"]]
    table = table[table["text"].str.len() >= SHORTEST]
    began.append(time.monotonic())
    first: dict[str, int] = {}
    exact: dict[int, int] = {}
    for row, text in table["text"].items():
        original = first.setdefault(hashlib.sha256(text.encode()).hexdigest(), row)
        if original != row:
            exact[row] = original
    kept = table.drop(index=list(exact))
    began.append(time.monotonic())
    near, texts = [], dict(kept["text"].items())
    index = MinHashLSH(threshold=SIMILAR, num_perm=PERMUTATIONS, params=BANDS.get(way))
    for row, text in texts.items():
        own = shingles(text)
        sketch = minhash(own, way)
        for other in index.query(sketch):
            theirs = shingles(texts[other])
            if len(own & theirs) / len(own | theirs) >= SIMILAR:
                near.append((other, row))
        index.insert(row, sketch)
    began.append(time.monotonic())
    draws = np.random.default_rng(0).random(len(kept))
    kept = kept.assign(split=np.select([draws < 0.1, draws < 0.2], ["test", "validation"], "train"))
    kept.to_parquet(target)
    began.append(time.monotonic())
    parts = dict(zip(("read and clean", "exact", "near", "split and write"), np.diff(began).round(2).tolist(), strict=True))
    return {"near": near, "exact": exact, "parts": parts, "seconds": round(began[-1] - began[0], 2)}
