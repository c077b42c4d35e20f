"""Data that many tests share (scikit-learn's digits, 8x8; sounds; a series), and a second device for machines that have one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.heads.recommend import divided
from aigc_models.modalities.audio import Format as SoundFormat
from aigc_models.modalities.events import Format as EventsFormat
from aigc_models.modalities.image import Format
from aigc_models.modalities.series import Format as SeriesFormat
from aigc_models.sequences import Sequences


@dataclass(frozen=True)
class Digits:
    train: Corpus
    validation: Corpus
    test: Corpus
    shape: Shape


@pytest.fixture(scope="session")
def digits() -> Digits:
    """1,197 items to train, 300 to validate, 300 to test, ten labels."""
    data = load_digits()
    order = np.random.default_rng(0).permutation(len(data.target))
    values = np.round(data.images[order] * 255 / 16).astype(np.uint8)[:, None]
    everything = Corpus("image", values, data.target[order].astype(np.int64))
    parts = [everything.take(np.arange(start, end)) for start, end in ((0, 1197), (1197, 1497), (1497, 1797))]
    labels = tuple(str(digit) for digit in range(10))
    return Digits(*parts, Shape("image", labels, Format(height=8, width=8, channels=1)))


@pytest.fixture(scope="session")
def tones() -> Digits:
    """Four pitches of 8 kHz sounds of 1,024 samples: decaying harmonics of random strength; 160, 40 and 40 items."""
    random, time = np.random.default_rng(0), np.arange(1024) / 8000
    conditions = np.tile(np.arange(4), 60)
    frequencies = np.array([220.0, 277.2, 349.2, 440.0])[conditions][:, None, None]
    harmonics = np.arange(1, 6)[:, None]
    strengths = random.uniform(0.2, 1, (240, 5, 1)) / harmonics * np.exp(-time * random.uniform(4, 16, (240, 1, 1)) * harmonics)
    sounds = (strengths * np.sin(2 * np.pi * frequencies * harmonics * time)).sum(1)
    values = np.rint(sounds / np.abs(sounds).max(1, keepdims=True) * 24_000).astype(np.int16)[:, None]
    everything = Corpus("audio", values, conditions.astype(np.int64))
    parts = [everything.take(np.arange(start, end)) for start, end in ((0, 160), (160, 200), (200, 240))]
    return Digits(*parts, Shape("audio", ("A3", "C#4", "F4", "A4"), SoundFormat(rate=8000, samples=1024, channels=1)))


@pytest.fixture(scope="session")
def waves() -> Digits:
    """Two channels with a trend, a season of 12 steps and noise, as windows of 36 + 6 steps in the order of time."""
    random = np.random.default_rng(0)
    time = np.arange(700)
    phases, slopes = np.array([[0.0], [2.0]]), np.array([[0.002], [-0.001]])
    angles = 2 * np.pi * time / 12 + phases
    series = slopes * time + np.sin(angles) + 0.7 * np.cos(2 * angles) + 0.15 * random.normal(size=(2, 700))
    windows = np.lib.stride_tricks.sliding_window_view(series, 42, axis=1).swapaxes(0, 1).astype(np.float32)
    everything = Corpus("series", windows, np.zeros(len(windows), dtype=np.int64))
    parts = [everything.take(np.arange(start, end)) for start, end in ((0, 400), (406, 500), (506, 659))]
    format = SeriesFormat(
        context=36, horizon=6, season=12, channels=2, names=("up", "down"), step="1", centre=(0.0, 0.0), scale=(1.0, 1.0)
    )
    return Digits(*parts, Shape("series", (), format))


@pytest.fixture(scope="session")
def strolls() -> Digits:
    """120 histories of 8 to 17 of 40 items on a ring, a step or two on each time, most from the first half; leave last out."""
    random = np.random.default_rng(0)
    histories = []
    for _ in range(120):
        steps = random.choice([1, 2], random.integers(7, 17), p=[0.8, 0.2]).cumsum()
        first = int(random.integers(0, 20 if random.random() < 0.7 else 40))
        histories.append([*(np.append(0, steps) + first) % 40 + 1, 41])
    whole, splits = Sequences.of(histories), ("train", "validation", "test")
    parts = [Corpus("events", divided(whole, split)[0], np.zeros(120, dtype=np.int64)) for split in splits]
    names = tuple(f"item {number}" for number in range(40))
    return Digits(*parts, Shape("events", (), EventsFormat(kind="history", length=32, items=names), "recommend"))


class Elsewhere(torch.Tensor):
    """A tensor of a device that is simulated on the CPU: its numbers are real, and it cannot be mixed with the CPU's.

    What a GPU would refuse is refused: an operation on tensors of both places. (Indices on the CPU are taken, as there.)
    """

    device_of_all = torch.device("lazy", 0)  # a kind that torch knows and nobody has

    @staticmethod
    def __new__(cls, inner: torch.Tensor) -> Elsewhere:
        layout = {"strides": inner.stride(), "storage_offset": inner.storage_offset(), "dtype": inner.dtype}
        return torch.Tensor._make_wrapper_subclass(cls, inner.size(), device=cls.device_of_all, **layout)

    def __init__(self, inner: torch.Tensor) -> None:
        self.inner = inner

    def tolist(self) -> Any:
        return self.inner.tolist()

    @classmethod
    def __torch_dispatch__(cls, operation: Any, types: Any, given: Any = (), options: Any = None) -> Any:
        return simulated(operation, given, options or {})


class Simulation(TorchDispatchMode):
    """Makes what is asked for on the simulated device, such as `torch.zeros(2, device=...)`."""

    def __torch_dispatch__(self, operation: Any, types: Any, given: Any = (), options: Any = None) -> Any:
        options = options or {}
        if Elsewhere in types or options.get("device") == Elsewhere.device_of_all:
            return simulated(operation, given, options)
        return operation(*given, **options)


def simulated(operation: Any, given: Any, options: dict[str, Any]) -> Any:
    """What the operation gives, on the device that it would be on."""
    aten, tensors = torch.ops.aten, [each for each in tree_leaves((given, options)) if isinstance(each, torch.Tensor)]
    there = [each for each in tensors if isinstance(each, Elsewhere)]
    here = [each for each in tensors if not isinstance(each, Elsewhere) and each.ndim]
    moves = operation in (aten._to_copy.default, aten.copy_.default)
    if operation in (aten.index.Tensor, aten.index_put_.default) and isinstance(given[0], Elsewhere):
        here = [each for each in given[2:3] if not isinstance(each, Elsewhere) and each.ndim]
    if there and here and not moves:
        raise RuntimeError(f"{operation}: tensors on {Elsewhere.device_of_all} and on the CPU")
    asked = options.get("device")
    away = isinstance(given[0], Elsewhere) if operation is aten.copy_.default else bool(there)
    if asked is not None:
        away = torch.device(asked).type == Elsewhere.device_of_all.type
        options = {**options, "device": torch.device("cpu")} if away else options
    plain = tree_map(lambda each: each.inner if isinstance(each, Elsewhere) else each, (given, options))
    made, same = operation(*plain[0], **plain[1]), {id(each.inner): each for each in there}

    def placed(each: Any) -> Any:
        return same[id(each)] if id(each) in same else Elsewhere(each) if isinstance(each, torch.Tensor) else each

    return tree_map(placed, made) if away else made


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[torch.device]:
    """A second device: `model.to(elsewhere)` works there, and mixing it up with the CPU is an error, as with a GPU."""
    monkeypatch.setattr(torch._C, "_InferenceMode", lambda mode: torch.no_grad())  # which no subclass of a tensor bears
    before = torch._C._only_lift_cpu_tensors()
    torch._C._set_only_lift_cpu_tensors(True)  # `torch.tensor(..., device=...)` is made on the CPU and moved
    try:
        with Simulation():
            yield Elsewhere.device_of_all
    finally:
        torch._C._set_only_lift_cpu_tensors(before)
