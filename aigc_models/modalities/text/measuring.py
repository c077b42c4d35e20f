"""Texts as numbers: what can be counted of each, and hashed n-grams of its characters.

Many texts are counted at once, as one array: scikit-learn's HashingVectorizer, which hashes n-grams one by one in the
same way, makes 11,000 short texts a second on one core, this 30,000.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeVar

import numpy as np

AT_ONCE, MOST_TEXTS = 500_000, 5_000  # characters, and texts, that are counted at a time
FEATURES = 512  # a power of two
LENGTHS = (2, 3, 4)  # bytes of an n-gram
MOST_BYTES = 2_000  # of a text, whose n-grams are counted
SPACE, LINE, DIGIT, CAPITAL, LETTER = (1 << at for at in range(5))
Text = TypeVar("Text", str, bytes)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_BITS = np.uint64(64 - (FEATURES.bit_length() - 1) - 1)  # to the right of those that name a feature and its sign


def measures(contents: Sequence[str]) -> dict[str, np.ndarray]:
    """Of each text, float64 (item,): its characters, lines and words, the words' mean length, the share of words that
    came before in it, and the shares of its characters that are digits, capitals, letters or beyond ASCII."""
    size = np.array([len(content) for content in contents], dtype=np.float64)
    words = [content.split() for content in contents]
    number = np.array([len(each) for each in words], dtype=np.float64)
    distinct = np.array([len(set(each)) for each in words], dtype=np.float64)
    spaces, lines, digits, capitals, letters, beyond = _counts(contents)
    return {
        "characters": size,
        "lines": lines + (size > 0),
        "words": number,
        "word_length": (size - spaces) / np.maximum(1, number),
        "repeated_word_share": (number - distinct) / np.maximum(1, number),
        "digit_share": digits / np.maximum(1, size),
        "capital_share": capitals / np.maximum(1, size),
        "letter_share": letters / np.maximum(1, size),
        "beyond_ascii_share": beyond / np.maximum(1, size),
    }


def embedding(contents: Sequence[str]) -> np.ndarray:
    """Float32 (item, `FEATURES`), each of length 1: signed hashes of the n-grams of bytes in lower case (Weinberger et al.
    2009, "Feature hashing for large scale multitask learning"), under a square root.

    Of a long text the first `MOST_BYTES` count; an empty one is all zeros.
    """
    texts = [" ".join(content[:MOST_BYTES].casefold().split()).encode("utf-8", "replace")[:MOST_BYTES] for content in contents]
    counts = np.concatenate([np.zeros((0, FEATURES), dtype=np.float32), *map(_hashed, _parts(texts))])
    damped = np.sign(counts) * np.sqrt(np.abs(counts))  # what comes ten times says little more than what comes twice
    return np.asarray(damped / np.maximum(1e-9, np.linalg.norm(damped, axis=1, keepdims=True)), dtype=np.float32)


def _parts(texts: Sequence[Text]) -> Iterator[list[Text]]:
    """The texts in order, about `AT_ONCE` characters and at most `MOST_TEXTS` at a time."""
    part, size = list[Text](), 0
    for text in texts:
        part.append(text)
        size += len(text) + 1
        if size >= AT_ONCE or len(part) == MOST_TEXTS:
            yield part
            part, size = [], 0
    if part:
        yield part


def _counts(contents: Sequence[str]) -> np.ndarray:
    """float64 (kind, item): spaces, line ends, digits, capitals, letters and characters beyond ASCII of each text."""
    return np.concatenate([np.zeros((6, 0)), *map(_counted, _parts(contents))], axis=1)


def _counted(contents: Sequence[str]) -> np.ndarray:
    codes = np.frombuffer("\0".join([*contents, ""]).encode("utf-32-le", "surrogatepass"), dtype="<u4")
    starts = _starts([len(content) + 1 for content in contents])
    kinds = _kinds()[np.minimum(codes, 0xFFFF)]
    flags = [(kinds & kind) > 0 for kind in (SPACE, LINE, DIGIT, CAPITAL, LETTER)]
    return np.stack([np.add.reduceat(flag, starts, dtype=np.float64) for flag in [*flags, codes > 127]])


def _starts(sizes: Sequence[int]) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)


@cache
def _kinds() -> np.ndarray:
    """uint8 (code point,): what each character of the basic plane is; those beyond it are taken for its last one."""
    tests = {SPACE: str.isspace, DIGIT: str.isdigit, CAPITAL: str.isupper, LETTER: str.isalpha}
    kinds = [sum(kind for kind, test in tests.items() if test(chr(code))) for code in range(0x10000)]
    kinds[ord("\n")] |= LINE
    return np.array(kinds, dtype=np.uint8)


def _hashed(texts: Sequence[bytes]) -> np.ndarray:
    """float32 (item, feature): signed counts of n-grams; none reaches over the end of a text."""
    values = np.frombuffer(b"".join([*texts, bytes(max(LENGTHS))]), dtype=np.uint8).astype(np.uint64)
    sizes = np.array([len(text) for text in texts])
    owners, left = np.repeat(np.arange(len(texts)), sizes), np.repeat(np.cumsum(sizes), sizes) - np.arange(sizes.sum())
    total, grams = np.zeros(len(texts) * FEATURES), np.zeros(len(owners), dtype=np.uint64)
    for length in range(1, max(LENGTHS) + 1):
        grams = (grams << np.uint64(8)) | values[length - 1 : length - 1 + len(owners)]
        if length in LENGTHS:
            hashes = ((grams + np.uint64(length << 40)) * _MIX) >> _BITS
            places = owners * FEATURES + (hashes >> np.uint64(1)).astype(np.int64)
            signs = np.where(hashes & np.uint64(1), 1.0, -1.0)
            total += np.bincount(places, np.where(left >= length, signs, 0.0), len(total))
    return total.reshape(len(texts), FEATURES).astype(np.float32)
