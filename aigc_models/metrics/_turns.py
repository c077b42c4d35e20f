"""Test items that are turns of a script (`--option items=turns`), and what a candidate says in place of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from aigc_models.capabilities import Streams
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.find import find
from aigc_models.language import decoding
from aigc_models.metrics import _writers
from aigc_models.reading import script

MOST = 200  # turns
LOOKED_AT, SCRIPT = 50, 0.9  # test items that say whether all are turns, and the share of them that has to be
LONGEST = 400  # characters of the turn before, and symbols of what is drawn behind the longest of them
SEED = 6_271
NEVER = -100.0  # added to the logit of what is not drawn


class Asked(NamedTuple):
    """A turn of a speaker who has a label, behind another one."""

    before: str  # the turn before it, and what stands between the two
    speaker: str
    words: str
    condition: int


def applies(evidence: Evidence) -> bool:
    """Where nearly all test items are turns, of two speakers or more that can be asked for."""
    first = evidence.test.take(np.arange(min(LOOKED_AT, len(evidence.test))))
    texts = decoded(first, evidence)
    scripts = sum(any(True for _ in script.turns(text)) for text in texts)
    scripted = bool(texts) and scripts >= SCRIPT * len(texts)
    return scripted and len(evidence.shape.labels) > 1 and bool(evidence.samples) and bool(asked(evidence))


def decoded(corpus: Corpus, evidence: Evidence) -> list[str]:
    texts: list[str] = find("aigc_models.modalities", "text").decode(corpus.values, evidence.shape.format)
    return texts


def asked(evidence: Evidence) -> list[Asked]:
    """The first `MOST` of the test items that are two turns, the first of which is short: a long one costs all others time."""
    if "turns" not in evidence.shared:
        evidence.shared["turns"] = _asked(evidence)
    turns: list[Asked] = evidence.shared["turns"]
    return turns


def _asked(evidence: Evidence) -> list[Asked]:
    chosen, labels = list[Asked](), evidence.shape.labels
    conditions = np.asarray(evidence.test.conditions)
    for at in np.flatnonzero(conditions < len(labels)).tolist():
        if len(chosen) == MOST:
            break
        (text,) = decoded(evidence.test.take(np.array([at])), evidence)
        turns = list(script.turns(text))
        short = len(turns) == 2 and len(turns[0].text) <= LONGEST
        if short and turns[1].speaker == labels[conditions[at]]:
            chosen.append(Asked(f"{turns[0].text}{script.APART}", turns[1].speaker, turns[1].words, int(conditions[at])))
    return chosen


def said(evidence: Evidence, headed: bool) -> dict[str, list[str]]:
    """What each candidate says behind the turn before, by the candidate's name; `headed`: behind the speaker's name too.

    Drawn as the model has it, under the speaker's label.
    """
    prompts = [turn.before + (script.headed(turn.speaker) if headed else "") for turn in asked(evidence)]
    return _writers.written(evidence, lambda model: _drawn(model, prompts, evidence))


@torch.no_grad()
def _drawn(model: Streams, prompts: list[str], evidence: Evidence) -> list[str]:
    modality, format = find("aigc_models.modalities", "text"), evidence.shape.format
    symbols = [modality.symbols(prompt, format).tolist() for prompt in prompts]
    values = decoding.generate(
        model,
        torch.tensor([turn.condition for turn in asked(evidence)]),
        torch.arange(len(prompts)) + SEED,
        symbols,
        shrinking=True,
        max_length=max(map(len, symbols)) + LONGEST,
        logit_bias=dict.fromkeys(modality.unwritten(format), NEVER),
    )
    texts = modality.decode(values, format)
    return [text[len(prompt) :] for text, prompt in zip(texts, prompts, strict=True)]
