"""A body that compiles counts, one that is missing or broken does not, and nothing is run."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import compiles_share
from aigc_models.modalities import text

FORMAT = text.Format(length=128, fill_in=0.3)
FUNCTIONS = [f'def name_{at}(a,\n        b):\n    """Add\n    {at}."""\n    return a + b' for at in range(6)]


class Parrot:
    """Writes one body behind whatever it is given: each symbol of it follows the one before."""

    vocabulary = text.vocabulary(FORMAT)

    def __init__(self, body: str) -> None:
        self.body = [*body.encode(), self.vocabulary.end]

    def begin(self, conditions):
        return torch.zeros(len(conditions), 2, dtype=torch.int64)  # symbols of the body so far, and of '"""'

    def advance(self, state, tokens):
        quotes = torch.where(tokens == ord('"'), state[:, 1] + 1, state[:, 1])
        begun = torch.where(quotes >= 6, state[:, 0] + 1, 0)
        scores = torch.full((len(tokens), self.vocabulary.outputs), -50.0)
        for row, place in enumerate(begun.tolist()):
            scores[row, self.body[min(max(place - 1, 0), len(self.body) - 1)]] = 0.0
        scores[:, list(text.unwritten(FORMAT))] = 1.0  # liked best, and never drawn
        return scores.log_softmax(1), torch.stack([begun, quotes], 1)

    def extend(self, state, tokens):
        raise NotImplementedError("it is asked a symbol at a time")


def evidence(**bodies: str) -> Evidence:
    corpus = Corpus("text", text.encode(FUNCTIONS, FORMAT), np.zeros(len(FUNCTIONS), dtype=np.int64))
    models = {name: Parrot(body) for name, body in bodies.items()}
    return Evidence(corpus, corpus, corpus, Shape("text", (), FORMAT), models, dict.fromkeys(models, corpus))


def test_bodies_that_compile_count() -> None:
    bodies = {
        "good": "\n    c = a\n    return c\nimport antigravity, nonexistent",  # cut where the function ends
        "broken": "\n    return a +",
        "outside": "\n    break",  # parses, and does not compile
        "nothing": "",
        "harmful": "\n    raise SystemExit(1)",
    }
    measured = compiles_share.measure(evidence(**bodies))
    shares = {name: one.value for name, one in measured.items()}
    assert shares == {"good": 1, "broken": 0, "outside": 0, "nothing": 0, "harmful": 1, "real": 1}
    assert measured["broken"].high > 0  # six functions are few


def test_a_head_is_signature_and_docstring() -> None:
    assert compiles_share.head_of(FUNCTIONS[0]) == 'def name_0(a,\n        b):\n    """Add\n    0."""'
    assert compiles_share.head_of("def f(a):\n    # why\n    return 1") == "def f(a):\n    # why"
    for text_ in ("def f(): return 1", 'def f():\n    """Nothing else."""', "x = 1", "def f(:"):
        assert compiles_share.head_of(text_) is None


@pytest.mark.parametrize("texts", [["Some prose.", "def f():\n    return 1"], ["x = 1"] * 3])
def test_it_is_of_functions_alone(texts) -> None:
    corpus = Corpus("text", text.encode(texts, FORMAT), np.zeros(len(texts), dtype=np.int64))
    prose = SimpleNamespace(test=corpus, shape=Shape("text", (), FORMAT), samples={"one": corpus})
    assert not compiles_share.applies(prose)
    assert compiles_share.applies(evidence(good=""))
