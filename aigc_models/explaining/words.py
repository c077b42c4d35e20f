"""What each word of a text adds to the log-probability of a label, and whether that holds where words are taken away.

A network over tokens is asked by integrated gradients (`gradients.py`), anything else by leaving out one word after the
other, which of a linear model is its own account. A pool of members adds log-probabilities, and so their accounts, each
with its weight. The check is deletion (Samek et al. 2017): without the words that say most for the label its probability
has to fall further than without as many words drawn at random.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from aigc_models.capabilities import Classifies, Outside
from aigc_models.corpus import Batch
from aigc_models.delegation import outside
from aigc_models.errors import BadInput, Unreachable, unknown
from aigc_models.explaining import gradients
from aigc_models.training.devices import place_of

if TYPE_CHECKING:
    from aigc_models.inference import Inference

WORD = re.compile(r"\w+(?:['’.,]\w+)*|[^\w\s]+")
MOST_WORDS = 400  # that are left out one by one
MOST_ASKED = 60  # words of a text that a model elsewhere is asked about, a request each, and `DRAWS` more
DRAWS = 20  # of random words, for the check
SHARE = 0.2  # of the words that the check takes away, three at least
AT_ONCE = 64


class Word(NamedTuple):
    """A word of the text at `start` to `end`, and the nats that it adds to the label's log-probability."""

    text: str
    start: int
    end: int
    value: float


class Explanation(NamedTuple):
    """`label` with its `probability`; without the `removed` words, and without as many random ones on average."""

    label: str
    probability: float
    words: tuple[Word, ...]
    removed: tuple[str, ...]
    without_these: float
    without_random: float
    methods: dict[str, str]  # by member


def explain(generator: Inference, text: str, label: str | None = None, seed: int = 0) -> Explanation:
    """Why `text` has its likeliest label, or how much speaks for `label`; `BadInput` for a model that is not asked labels of
    texts, for a label that it has not, and for a text without words."""
    card = generator.card
    if card.modality != "text" or card.task != "classify":
        raise BadInput(f"{card.name} is asked to {card.task} {card.modality}; what can be explained is a classifier of texts")
    spans = [match.span() for match in WORD.finditer(text)][:MOST_WORDS]
    if not spans:
        raise BadInput("the text has no words: there is nothing to explain it by")
    if outside(generator.model) and len(spans) > MOST_ASKED:
        raise BadInput(
            f"the text has {len(spans)} words, and each would be a request to a model that lies elsewhere: shorten it to "
            f"{MOST_ASKED} words"
        )
    shares = generator.classify([text])[0]
    if label is not None and label not in card.labels:
        raise unknown("label", label, card.labels)
    at = int(shares.argmax()) if label is None else card.labels.index(label)
    total, methods = np.zeros(len(spans)), {}
    for name, member, weight in members(generator.model):
        methods[name or card.name], values = accounted(generator, member, text, spans, at)
        total += weight * values
    words = tuple(Word(text[start:end], start, end, float(value)) for (start, end), value in zip(spans, total, strict=True))
    return checked(generator, text, words, at, float(shares[at]), methods, seed)


def members(model: Any, name: str = "", weight: float = 1.0) -> Iterator[tuple[str, Any, float]]:
    """The models that are asked, and how much each log-probability counts."""
    inner, weights = getattr(model, "members", None), getattr(model, "weights", None)
    if not inner or not weights:
        yield name, model, weight
        return
    scale = float(getattr(model.settings, "scale", 1.0))
    for one, share in weights.items():
        if share > 0:
            yield from members(inner[one], one, weight * scale * share)


def accounted(
    generator: Inference, model: Any, text: str, spans: Sequence[tuple[int, int]], label: int
) -> tuple[str, np.ndarray]:
    """The method, and float64 (word,): nats."""
    if gradients.able(model):
        return "integrated gradients", gradients.by_words(model, text, spans, label)

    def said(texts: Sequence[str]) -> np.ndarray:
        return asked(generator, model, texts)[:, label]

    return "leaving words out", left_out(said, text, spans)


def left_out(said: Callable[[Sequence[str]], np.ndarray], text: str, spans: Sequence[tuple[int, int]]) -> np.ndarray:
    """How much less the log-probability is without each word, float64 (word,)."""
    shorter = [text[:start] + text[end:] for start, end in spans]
    whole, *rest = said([text, *shorter])
    return np.asarray([whole - one for one in rest], dtype=np.float64)


def asked(generator: Inference, model: Any, texts: Sequence[str]) -> np.ndarray:
    """Log-probabilities float64 (text, label) of one model, its own."""
    if not isinstance(model, Classifies):
        raise BadInput(f"{type(model).__name__} does not classify, and cannot be asked why")
    parts = []
    with torch.inference_mode():
        for start in range(0, len(texts), AT_ONCE):
            encoded = generator.modality.encode(texts[start : start + AT_ONCE], generator.format)
            conditions = generator.label_conditions(len(encoded))
            values: Tensor = model.classify(Batch(encoded.tensor(), conditions).to(place_of(model)))
            parts.append(values.double().log_softmax(1).cpu())
    said = torch.cat(parts)
    if isinstance(model, Outside) and said.isnan().any():
        raise Unreachable(f"{model.where} did not answer for each of {len(texts)} shortened texts: {model.unanswered()[1]}")
    return said.numpy()


def checked(
    generator: Inference,
    text: str,
    words: tuple[Word, ...],
    label: int,
    probability: float,
    methods: dict[str, str],
    seed: int,
) -> Explanation:
    """The explanation with what becomes of the probability without the words that say most for the label."""
    count = min(len(words), max(3, round(SHARE * len(words))))
    order = sorted(range(len(words)), key=lambda at: -words[at].value)[:count]
    random = np.random.default_rng(seed)
    drawn = [random.choice(len(words), count, replace=False).tolist() for _ in range(DRAWS)]
    shares = generator.classify([without(text, words, chosen) for chosen in (order, *drawn)])[:, label].double().numpy()
    removed = tuple(words[at].text for at in order)
    name = generator.card.labels[label]
    return Explanation(name, probability, words, removed, float(shares[0]), float(shares[1:].mean()), methods)


def without(text: str, words: Sequence[Word], chosen: Sequence[int]) -> str:
    """The text without some of its words."""
    for at in sorted(chosen, reverse=True):
        text = text[: words[at].start] + text[words[at].end :]
    return text
