"""How near the generated items and the test items lie to the training items; measured once for all metrics."""

from __future__ import annotations

import numpy as np
import torch

from aigc_models.canvas import painted
from aigc_models.capabilities import Forecasts, Generates
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.forecasting.quantiles import BATCH, parted
from aigc_models.metrics import _canvas_distance, _future_distance, _text_distance
from aigc_models.metrics._judge import judge, seeds_of
from aigc_models.metrics._neighbours import Neighbours

MODALITIES = painted() | {"text", "series"}
TEST = " test"  # no candidate is called so
MOST_FUTURES = 512  # that each candidate draws


def made(evidence: Evidence) -> dict[str, Corpus]:
    """What each candidate generated: pictures and sounds are the judge's pools, texts the samples, series futures.

    A candidate that draws everything from another one has that one's items. Without models, the samples are all there is.
    """
    if evidence.models and evidence.shape.modality in painted():
        jury = judge(evidence)
        return {name: jury.pool(name) for name in evidence.models}
    if evidence.models and evidence.shape.modality == "series":
        return drawn_futures(evidence)
    return {name: corpus for name, corpus in evidence.samples.items() if len(corpus)}


def drawn_futures(evidence: Evidence) -> dict[str, Corpus]:
    """One future of each test window (`MOST_FUTURES`, spread over the time), by every candidate that draws them."""
    if "futures" not in evidence.shared:
        rows = np.unique(np.linspace(0, len(evidence.test) - 1, min(MOST_FUTURES, len(evidence.test))).round().astype(int))
        asked = evidence.test.take(rows)
        models = {name: model for name, model in evidence.models.items() if isinstance(model, Generates)}
        futures = {name: futures_of(model, asked, evidence) for name, model in models.items() if isinstance(model, Forecasts)}
        evidence.shared["futures"] = futures
    drawn: dict[str, Corpus] = evidence.shared["futures"]
    return drawn


@torch.no_grad()
def futures_of(model: Generates, asked: Corpus, evidence: Evidence) -> Corpus:
    """A future of each window asked for: values float32 (window, channel, horizon)."""
    seeds, parts = seeds_of(asked), []
    for start, batch in zip(range(0, len(asked), BATCH), asked.batches(BATCH), strict=True):
        past, _ = parted(batch.values, evidence.shape.format)
        parts.append(model.generate(batch.conditions, seeds[start : start + BATCH], past=past).cpu())
    return Corpus(asked.modality, torch.cat(parts).float().numpy(), asked.conditions)


def neighbours(evidence: Evidence) -> dict[str, Neighbours]:
    """Of each candidate's items, and of the test items under `TEST`; the same object for candidates that share items."""
    if "neighbours" not in evidence.shared:
        corpora = made(evidence)
        distinct = {id(corpus): corpus for corpus in corpora.values()}
        groups = {TEST: evidence.test, **{str(key): corpus for key, corpus in distinct.items()}}
        measured = measure(evidence, groups)
        evidence.shared["neighbours"] = {TEST: measured[TEST], **{name: measured[str(id(c))] for name, c in corpora.items()}}
    shared: dict[str, Neighbours] = evidence.shared["neighbours"]
    return shared


def measure(evidence: Evidence, groups: dict[str, Corpus]) -> dict[str, Neighbours]:
    if evidence.shape.modality == "text":
        return _text_distance.nearest(evidence.train, groups, evidence.shape)
    distance = _future_distance if evidence.shape.modality == "series" else _canvas_distance
    return distance.nearest(evidence.train, groups, evidence.shape)
