"""Which label an answer in words stands for, and how likely each was."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

LEAST = 1e-4  # of a label that is not among the likeliest tokens
ENOUGH = 0.1  # of the probability that tokens of labels have together; with less it answers something else


def label_in(text: str, labels: Sequence[str]) -> int | None:
    """The only label that an answer names: the whole answer, or a word of its first line; None where it names none, or several.

    >>> label_in(" 'Positive'.", ("negative", "positive")), label_in("It is negative.", ("negative", "positive"))
    (1, 0)
    >>> label_in("positive or negative", ("negative", "positive"))
    """
    plain = [label.casefold().strip() for label in labels]
    line = next((line for line in text.casefold().splitlines() if line.strip()), "")
    bare = line.strip(" \t\"'`*.:;,!()[]")
    for whole in (line.strip(), bare):
        if whole in plain:
            return plain.index(whole)
    named = [at for at, label in enumerate(plain) if label and re.search(rf"(?<!\w){re.escape(label)}(?!\w)", line)]
    longest = [at for at in named if not any(at != other and plain[at] in plain[other] for other in named)]
    return longest[0] if len(longest) == 1 else None


def from_tokens(tokens: Mapping[str, float], labels: Sequence[str]) -> NDArray[np.float64] | None:
    """Log-probabilities (label,) that sum to 1, from those of the first token; None where labels begin alike or none is there.

    A token counts for the one label that it begins, in whatever case.
    """
    plain, shares = [label.casefold().strip() for label in labels], np.zeros(len(labels))
    for token, logprob in tokens.items():
        begins = token.casefold().strip(" \t\n\"'`*▁Ġ")
        meant = [at for at, label in enumerate(plain) if begins and label.startswith(begins)]
        if len(meant) > 1:
            return None
        if meant and not math.isnan(logprob):
            shares[meant[0]] += math.exp(min(0.0, logprob))
    if shares.sum() < ENOUGH:
        return None
    shares = np.maximum(shares, LEAST * shares.sum())
    return np.asarray(np.log(shares / shares.sum()))
