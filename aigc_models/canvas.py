"""Items as pictures, so that one set of convolutions learns every modality that can be painted.

A modality whose file has a `canvas(format)` hook is learnt, mixed, judged and compared by everything that works on
pictures: an image is its own canvas, a sound's is its spectrogram. None of the families knows which it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from aigc_models.capabilities import Generates, Shape
from aigc_models.corpus import Corpus
from aigc_models.find import find, names
from aigc_models.layers.bands import Bands

Items = Float[Tensor, "item channel *space"]
Pictures = Float[Tensor, "item plane height width"]
BATCH = 64  # items painted or drawn at a time


class Canvas(Protocol):
    """Both ways between an item's tensor and a picture of it, roughly in [-1, 1]."""

    @property
    def item(self) -> tuple[int, int, int]:
        """Channel, height, width of the picture."""

    @property
    def absolute(self) -> bool:
        """Whether a place has a meaning by itself, as a frequency has: nothing may be shifted or left out."""

    def paint(self, values: Items) -> Pictures:
        """Float (item, channel, *space) as the modality's `tensor` gives it -> (item, *self.item); has gradients."""

    def unpaint(self, pictures: Pictures) -> Items:
        """Back, in [-1, 1]; an item depends on its own picture alone."""

    def noisy(self, values: Items, noise: float) -> tuple[Pictures, float]:
        """Pictures of items that hold white noise, and the standard deviation of the noise in the pictures."""

    @property
    def touched(self) -> int:
        """How many places one number of an item (a pixel, a sample) shows in."""

    def places(self, pictures: Pictures) -> Float[Tensor, "item place"]:
        """What all that a place shows (a pixel's colours, the frequencies of a moment) adds up to."""


@dataclass(frozen=True)
class Picture:
    """The canvas of what is a picture already."""

    item: tuple[int, int, int]
    absolute: bool = False
    touched: int = 1

    def places(self, pictures: Pictures) -> Float[Tensor, "item place"]:
        return pictures.sum(1).flatten(1)

    def paint(self, values: Items) -> Pictures:
        return values

    def unpaint(self, pictures: Pictures) -> Items:
        return pictures.clamp(-1, 1)

    def noisy(self, values: Items, noise: float) -> tuple[Pictures, float]:
        return values, noise


@cache
def painted() -> frozenset[str]:
    """The modalities that have a `canvas(format)` hook."""
    package = "aigc_models.modalities"
    return frozenset(name for name in names(package) if hasattr(find(package, name), "canvas"))


def canvas_of(shape: Shape) -> Canvas:
    """The canvas of a data set's items."""
    canvas: Canvas = find("aigc_models.modalities", shape.modality).canvas(shape.format)
    return canvas


class Sketch(nn.Module):
    """What a family learns of items: their pictures, of at most `detail` pixels a side where the canvas allows that."""

    def __init__(self, shape: Shape, detail: int) -> None:
        super().__init__()
        self.canvas = canvas_of(shape)
        channels, height, width = self.canvas.item
        self.bands = Bands(height, width, max(height, width) if self.canvas.absolute else detail)
        self.item = (channels, self.bands.height, self.bands.width)

    def of(self, values: Items) -> Pictures:
        """Items -> what is learnt, float (item, *self.item)."""
        return self.bands.down(self.canvas.paint(values))

    def noisy(self, values: Items, noise: float) -> tuple[Pictures, float]:
        """What is learnt of items that hold white noise, and the standard deviation of the noise therein."""
        pictures, left = self.canvas.noisy(values, noise)
        return self.bands.down(pictures), left / self.bands.factor

    def back(self, pictures: Pictures) -> Items:
        """What was learnt -> items in [-1, 1], smooth where the finest detail was."""
        return self.canvas.unpaint(self.bands.up(pictures))


def stored(values: Tensor, conditions: Int[Tensor, " item"], shape: Shape) -> Corpus:
    """A model's items as a corpus, in the modality's compact storage type, as if they had been read from files."""
    modality = find("aigc_models.modalities", shape.modality)
    contents = modality.decode(values, shape.format)
    return Corpus(shape.modality, modality.encode(contents, shape.format), conditions.cpu().numpy())


def drawn(model: Generates, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], shape: Shape) -> Corpus:
    """Items that `model` generates for these conditions and seeds, int64 (item,); the batches on all cores, side by side."""

    @torch.no_grad()
    def part(start: int) -> Tensor:
        return model.generate(conditions[start : start + BATCH], seeds[start : start + BATCH])

    return stored(torch.cat(side_by_side(part, range(0, len(seeds), BATCH))), conditions, shape)


def side_by_side(work: Callable[[int], Tensor], parts: Iterable[int]) -> list[Tensor]:
    """`work` of each part, in order, on as many threads as torch may use, each of which uses one.

    A small network is faster so than with all threads on each of its layers, and what it makes does not depend on how many
    there are.
    """
    threads = torch.get_num_threads()
    try:
        with ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,)) as pool:
            return list(pool.map(work, parts))
    finally:
        torch.set_num_threads(threads)  # for those threads the number is the process', whose others took it over
