"""How fast a model learns on this machine, so that a time becomes a number of steps, once, before the training.

A training itself counts steps alone: the same plan gives the same weights however busy the machine is.
"""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable

from aigc_models.capabilities import Learns, Validates
from aigc_models.corpus import Corpus
from aigc_models.training.learner import LEARNERS, Learner, batches_of, looked_at
from aigc_models.training.plan import Interrupted, Plan

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
