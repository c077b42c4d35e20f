"""Who is asked for has to speak next, and alone; and in words that are his."""

import random

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import _turns, speaker_recognised, turn_order_share
from aigc_models.modalities import text

FORMAT = text.Format(length=128)
SHAPE = Shape("text", ("ANN", "BOB"), FORMAT)
VOICES = {"ANN": "sea ship sail wave salt", "BOB": "field corn plough seed hay"}


def corpus(count: int, seed: int) -> Corpus:
    chance, texts, conditions = random.Random(seed), [], []
    for at in range(count):
        speaker, other = ("ANN", "BOB") if at % 2 else ("BOB", "ANN")
        said = {name: " ".join(chance.choices(VOICES[name].split(), k=4)) for name in VOICES}
        texts.append(f"{other}:\n{said[other]}\n\n{speaker}:\n{said[speaker]}")
        conditions.append(SHAPE.labels.index(speaker))
    return Corpus("text", text.encode(texts, FORMAT), np.array(conditions))


class Actor:
    """Says its line behind a blank line and, where the name stands there already, the line without it."""

    vocabulary = text.vocabulary(FORMAT)

    def __init__(self, line: str) -> None:
        self.line = line

    def begin(self, conditions):
        state = torch.full((len(conditions), 300), -1)
        state[:, 0] = conditions
        return state

    def advance(self, state, tokens):
        state = torch.cat([state[:, :1], state[:, 2:], tokens[:, None]], 1)
        scores = torch.full((len(tokens), self.vocabulary.outputs), -50.0)
        for row, values in enumerate(state.tolist()):
            written = bytes(value for value in values[1:] if 0 <= value < 256).decode().partition("\n\n")[2]
            name = SHAPE.labels[values[0]]
            line = self.line.format(name=name, other=SHAPE.labels[1 - values[0]], own=VOICES[name].split()[0])
            whole = [*line.encode(), self.vocabulary.end]
            scores[row, whole[min(len(written.encode()), len(whole) - 1)]] = 0.0
        return scores.log_softmax(1), state

    def extend(self, state, tokens):
        raise NotImplementedError("it is asked a symbol at a time")


@pytest.fixture(scope="module")
def evidence() -> Evidence:
    lines = {
        "good": "{name}:\n{own} {own}",
        "wrong": "{other}:\n{own} {own}",
        "goes_on": "{name}:\n{own}\n\n{other}:\nYes.",
        "strange": "{name}:\nxylophone",
    }
    test = corpus(12, 2)
    models = {name: Actor(line) for name, line in lines.items()}
    return Evidence(corpus(60, 0), corpus(10, 1), test, SHAPE, models, dict.fromkeys(models, test))


def test_who_is_asked_for_speaks_alone(evidence) -> None:
    assert _turns.applies(evidence)
    shares = {name: one.value for name, one in turn_order_share.measure(evidence).items()}
    assert shares == {"good": 1, "wrong": 0, "goes_on": 0, "strange": 1}


def test_a_speaker_is_recognised_by_words(evidence) -> None:
    shares = {name: one.value for name, one in speaker_recognised.measure(evidence).items()}
    assert shares["real"] == shares["good"] == shares["goes_on"] == 1
    assert shares["strange"] <= 0.5


def test_it_is_of_scripts_alone(evidence) -> None:
    prose = Corpus("text", text.encode(["Some prose.", "And more."], FORMAT), np.zeros(2, dtype=np.int64))
    assert not _turns.applies(Evidence(prose, prose, prose, SHAPE, {}, {"one": prose}))
