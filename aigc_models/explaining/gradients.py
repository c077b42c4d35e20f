"""Integrated gradients (Sundararajan, Taly and Yan 2017) of a head on a body that is fed tokens, by the library `captum`.

The path leads from the same text with every token hidden to the text itself; what the gradients along it add up to is the
difference of the log-probabilities at its ends, which is what the words share.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from aigc_models.errors import BadInput

STEPS = 32  # points of the path


def able(model: Any) -> bool:
    """Whether a model is a head on a body that says how it cuts a text into tokens."""
    return hasattr(getattr(model, "body", None), "cut")


def by_words(model: Any, text: str, spans: Sequence[tuple[int, int]], label: int) -> np.ndarray:
    """Nats that each word (`start`, `end`) adds to the log-probability of `label`, float64 (word,)."""
    try:
        from captum.attr import LayerIntegratedGradients
    except ImportError as error:
        raise BadInput("to explain a published encoder takes the package captum: pip install 'aigc-foundry[hub]'") from error
    body = model.body
    tokens, hidden, places = body.cut(text)
    there = torch.ones_like(tokens)

    def said(symbols: Tensor, there: Tensor) -> Tensor:
        scores: Tensor = model.output(body.pooled(symbols, there)).log_softmax(1)
        return scores[:, label]

    method = LayerIntegratedGradients(said, body.encoder.get_input_embeddings())
    given = method.attribute(tokens, hidden, additional_forward_args=(there,), n_steps=STEPS, internal_batch_size=STEPS)
    each = given.sum(-1)[0].detach().double().cpu().numpy()
    values = np.zeros(len(spans))
    for value, (start, end) in zip(each, places, strict=True):
        touched = [at for at, (first, last) in enumerate(spans) if start < last and end > first]
        for at in touched:  # a token of several words is shared among them
            values[at] += value / len(touched)
    return values
