"""What a series is: values at regular steps, and how it was brought to them."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from aigc_models.reading.steps import Step, stamps


@dataclass(frozen=True)
class Series:
    """`values` float64 (channel, time), NaN where missing; `start` in seconds since 1970 (UTC), or the first index.

    `step` such as 7D, 1h, 15min, 1MS (a calendar month) or 1 (of a plain number). `notes` say what was done to the
    points as they came, each as `KIND COUNT: how`, such as `steps filled 59: in 12 gaps, linearly`.
    """

    values: np.ndarray
    channels: tuple[str, ...]
    start: float
    step: str
    notes: tuple[str, ...] = ()

    @property
    def steps(self) -> int:
        return int(self.values.shape[1])

    @property
    def dated(self) -> bool:
        """Whether times are dates and not plain numbers."""
        return Step.parse(self.step).dated

    def time(self, index: int) -> float:
        """When step `index` is; that of `steps` is the first after the end."""
        return float(Step.parse(self.step).times(self.start, np.array([index]))[0])

    def times(self) -> np.ndarray:
        """float64 (time,): seconds since 1970 (UTC), or plain numbers."""
        return Step.parse(self.step).times(self.start, np.arange(self.steps))

    def stamps(self) -> list[str]:
        """The times as text: ISO 8601 in UTC, or plain numbers."""
        return stamps(self.times(), self.dated)

    def part(self, first: int, end: int) -> Series:
        """The steps from `first` up to `end`, which is not in it."""
        return replace(self, values=self.values[:, first:end], start=self.time(first))

    def noted(self, *notes: str) -> Series:
        return replace(self, notes=(*self.notes, *notes))
