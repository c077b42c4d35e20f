"""How fast a model learns on this machine, so that a time becomes a number of steps, once, before the training.

A training itself counts steps alone: the same plan gives the same weights however busy the machine is.
How fast items are made and classified is what the work after the training takes, said beforehand.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable

import torch

from aigc_models.canvas import painted, stored
from aigc_models.capabilities import Generates, Learns, Shape, Streams, Validates
from aigc_models.corpus import Corpus
from aigc_models.language import decoding
from aigc_models.layers.classifier import BATCH, fit_classifier
from aigc_models.layers.threads import for_writing
from aigc_models.modality import divided_inside
from aigc_models.training.learner import LEARNERS, Learner, batches_of, looked_at
from aigc_models.training.plan import Interrupted, Plan

MADE = 16  # items whose making is timed
STREAMED = 64  # of those that are written symbol by symbol: many side by side take hardly longer than one
SYMBOLS = 32  # of each, where items are written symbol by symbol; whole ones take as much longer as they are longer
CLASSIFIED = 6  # steps of a classifier that are timed
ROUNDS = 5  # that are timed, at least; in each of them every player acts


def measure(
    model: Learns, train: Corpus, validation: Corpus, plan: Plan, stop: Callable[[], bool], seconds: float = 1.0
) -> tuple[float, float]:
    """Seconds of a step and of a validation (0 where there is none).

    Trains for `seconds` and a few rounds more; `model` is of no use afterwards. The median of the rounds, since other
    processes are often just starting; the first, which sets things up, is left out. Raises `Interrupted` where `stop()`.
    """
    learner = Learner(model, **plan.model_dump(include=LEARNERS))
    batches = batches_of(model, train, plan.batch_size, plan.seed)
    period, step, times = math.lcm(*(player.every for player in learner.players)), 0, list[float]()
    while len(times) <= ROUNDS or sum(times) < seconds:
        if stop():
            raise Interrupted("stopped while the speed of a training was measured")
        begun = time.perf_counter()
        for _ in range(period):
            learner.step(step, batches(step), plan.warmup)
            step += 1
        learner.spoilt()  # waits for a GPU
        times.append(time.perf_counter() - begun)
    begun = time.perf_counter()
    validates = isinstance(model, Validates) and len(validation) > 0
    if validates:
        learner.validate(looked_at(validation, plan.seed), plan.validation_batch or plan.batch_size, plan.seed)
    return statistics.median(times[1:]) / period, time.perf_counter() - begun if validates else 0.0


def making(model: object, shape: Shape) -> float:
    """Seconds for each of many items that the model makes, trained or not; 0 where it makes none that begin by themselves."""
    from aigc_models.find import find

    if divided_inside(find("aigc_models.modalities", shape.modality)) or not isinstance(model, (Streams, Generates)):
        return 0.0
    count = STREAMED if isinstance(model, Streams) else MADE
    conditions, seeds = torch.zeros(count, dtype=torch.int64), torch.arange(count)
    begun = time.perf_counter()
    with torch.inference_mode():
        if isinstance(model, Streams):
            length = min(SYMBOLS, shape.format.length)
            with for_writing(model):
                decoding.generate(model, conditions, seeds, [[]] * count, max_length=length)
            return (time.perf_counter() - begun) / count * shape.format.length / length
        stored(model.generate(conditions, seeds), conditions, shape)
    return (time.perf_counter() - begun) / count


def some(model: object, shape: Shape) -> Corpus | None:
    """A few items that the model makes; None where they cannot be painted."""
    if shape.modality not in painted() or not isinstance(model, Generates):
        return None
    conditions = torch.zeros(MADE, dtype=torch.int64)
    with torch.inference_mode():
        return stored(model.generate(conditions, torch.arange(MADE)), conditions, shape)


def classifying(train: Corpus, shape: Shape) -> float:
    """Seconds of a step of the classifiers that judge and weigh what can be painted; 0 of anything else."""
    if shape.modality not in painted() or not len(train):
        return 0.0
    some = train.sample(BATCH, 0)
    some = Corpus(some.modality, some.values, some.conditions * 0)
    begun = time.perf_counter()
    fit_classifier(some, shape, 2, CLASSIFIED, 0)
    return (time.perf_counter() - begun) / CLASSIFIED
