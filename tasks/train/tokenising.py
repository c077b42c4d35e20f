"""Which tokeniser a text data set is learnt with, where nobody says: what needs the fewest bits a byte in a short training.

Each candidate is learned from train texts alone, and has as many steps of the same size of a small recurrent model, which
take about as long whatever the symbols stand for, and an n-gram model beside it, as an ensemble would. What is compared is
their mean on validation texts. The test split has no say.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tasks.stage.stage import StageContext

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus

CANDIDATES: tuple[dict[str, Any], ...] = (
    {"tokeniser": "bytes"},
    {"tokeniser": "bpe", "pieces": 512},
    {"tokeniser": "bpe", "pieces": 2048},
    {"tokeniser": "unigram", "pieces": 2048},
)
STEPS = 150
TRAINED, VALIDATED = 2_000_000, 60_000  # characters of train and of validation texts at most
# The share by which another one has to be better than bytes. On 600 kB of headlines a unigram model was 2.8 % better in the
# trial and 1.0 % worse after a whole training; on 1.5 MB of Chinese poems 5.4 % and 4.9 % better (benchmarks/tokenisers.py).
LEAST = 0.03
SEED = 0


def choose(modality: ModuleType, format: Any, train: Sequence[str], validation: Sequence[str], context: StageContext) -> Any:
    """The format with the best candidate's tokeniser; what each needs is logged as `bits_per_byte.KIND-PIECES`."""
    formats = [format.model_copy(update={"learned": "", **candidate}) for candidate in CANDIDATES]
    formats = [modality.learned(each, train) for each in formats]
    figures: dict[str, float] = {}
    for at, each in enumerate(formats):
        context.progress(at, len(formats), **figures)
        figures[_named(each)] = _bits_per_byte(
            modality, each, _some(train, TRAINED), _some(validation, VALIDATED), context.stop
        )
    context.log(**{f"bits_per_byte.{name}": value for name, value in figures.items()})
    best = min(formats, key=lambda each: figures[_named(each)])
    plain = formats[0]
    return best if figures[_named(best)] < (1 - LEAST) * figures[_named(plain)] else plain


def _named(format: Any) -> str:
    return "bytes" if format.tokeniser == "bytes" else f"{format.tokeniser}-{format.pieces}"


def _some(texts: Sequence[str], most: int) -> list[str]:
    """From a random order as many as have so many characters; the last one is cut."""
    import numpy as np

    chosen, left = list[str](), most
    for at in np.random.default_rng(SEED).permutation(len(texts)):
        chosen.append(texts[at][:left])
        left -= len(chosen[-1])
        if left <= 0:
            break
    return chosen


def _bits_per_byte(
    modality: ModuleType, format: Any, train: list[str], validation: list[str], stop: Callable[[], bool]
) -> float:
    import numpy as np

    from aigc_models.capabilities import Shape
    from aigc_models.corpus import Corpus
    from aigc_models.families import ngram, rnn
    from aigc_models.training.fit import seeded
    from aigc_models.training.learner import LEARNERS, Learner, batches_of
    from aigc_models.training.optimisers import factor
    from aigc_models.training.plan import Interrupted, Plan

    def corpus(texts: list[str]) -> Corpus:
        return Corpus("text", modality.encode(texts, format), np.zeros(len(texts), dtype=np.int64))

    shape, train_corpus, held = Shape("text", (), format), corpus(train), corpus(validation)
    plan = Plan.model_validate({**rnn.PLAN, "steps": STEPS, "device": "cpu", "seed": SEED})
    with seeded(SEED):
        model = rnn.build(rnn.SIZES["small"], shape)
        learner, batches = Learner(model, **plan.model_dump(include=LEARNERS)), batches_of(model, train_corpus, 0, SEED)
        for step in range(STEPS):
            if stop():
                raise Interrupted("stopped while tokenisers were compared")
            learner.step(step, batches(step), factor(plan.schedule, step, STEPS, plan.warmup))
    counts = ngram.build(ngram.SIZES["small"], shape)
    counts.fit(train_corpus, held, lambda *args, **figures: None)
    return _mean_bits([model.eval(), counts], held) / float(modality.amounts(held.values, format).sum())


def _mean_bits(models: list[Any], held: Corpus) -> float:
    """Of all symbols by the mean of the models' probabilities."""
    import torch

    from aigc_models.language import reading

    total = 0.0
    with torch.no_grad():
        for index in reading.side_by_side(held):
            for part in reading.read({str(at): model for at, model in enumerate(models)}, held.batch(index)):
                mean = torch.stack(list(part.said.values())).logsumexp(0) - math.log(len(models))
                total -= float(reading.of_symbols(mean, part.symbols).double().sum()) / math.log(2)
    return total
