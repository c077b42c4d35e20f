from __future__ import annotations

import json
import random

import numpy as np
import torch

from aigc_models.training.randomness import capture, restore, seed_all, seeded


def draws() -> list[float]:
    values = [
        random.random(),
        random.gauss(0, 1),
        np.random.rand(),
        np.random.randn(),
        float(torch.randn(1)),
        float(torch.rand(1)),
    ]
    return [float(value) for value in values]


def test_a_state_goes_through_json_and_back() -> None:
    seed_all(3)
    draws()
    tensors, state = capture()
    assert {tensor.dtype for tensor in tensors.values()} == {torch.uint8}
    expected = draws()
    restore(tensors, json.loads(json.dumps(state)))
    assert draws() == expected


def test_seeded_leaves_no_trace_outside() -> None:
    seed_all(1)
    expected = draws() + draws()
    seed_all(1)
    first = draws()
    with seeded(5):
        inside = draws()
    assert first + draws() == expected
    with seeded(5):
        assert draws() == inside
    with seeded(6):
        assert draws() != inside
