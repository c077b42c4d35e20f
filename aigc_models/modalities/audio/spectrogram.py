"""Sounds as pictures: a compressed magnitude spectrogram, and the way back by the fast Griffin-Lim algorithm.

The picture has one row a frequency (lowest first) and one column a frame of `stride` samples. The phase, which looks
like noise, is left out: it is found again on the way back (Griffin and Lim 1984; with momentum, Perraudin, Balazs and
Sondergaard 2013), on frames twice as dense, between which the magnitudes are interpolated.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.modalities.audio.format import Format

SECONDS = 0.032  # about the length of a window
COMPRESSION = 1000.0  # magnitudes are linear below 1 / this, logarithmic above
EXCESS = 3.0  # times the mean power of noise: of the noise alone exp(-3), one place in twenty, is left
ROWS = 8  # of the folded picture
FRAMES = 4  # that are folded into one column


class Spectrogram(nn.Module):
    """The canvas of sounds of a format: (channel, frequency, frame)."""

    absolute = True  # one row up is another pitch
    touched = 2  # frames that a sample lies in
    window: Tensor

    def __init__(self, format: Format, iterations: int = 32, momentum: float = 0.99) -> None:
        super().__init__()
        samples = self.samples = format.samples
        self.iterations, self.momentum = iterations, momentum
        self.length = 2 ** max(4, round(math.log2(SECONDS * format.rate)))
        self.hop = self.length // 4
        self.stride = 2 * self.hop
        columns = -(-samples // (self.stride * FRAMES))
        columns += columns % 2  # so that the picture can be halved
        self.frames, self.fold = columns * FRAMES, self.length // 2 // ROWS
        self.item = (format.channels * self.fold * FRAMES, ROWS, columns)
        self.register_buffer("window", torch.hann_window(self.length), persistent=False)

    def paint(self, values: Tensor) -> Tensor:
        """Float (item, channel, sample) in [-1, 1] -> (item, *self.item), mostly in [-1, 1]."""
        spectrum = self.analyse(self.padded(values))[..., :-1, ::2]
        return self.folded(compress(spectrum.abs() / self.window.sum() * 2))

    def unpaint(self, pictures: Tensor) -> Tensor:
        """Float (item, *self.item) -> (item, channel, sample) in [-1, 1]."""
        wanted = self.dense(self.unfolded(pictures))
        return self.invert(wanted)[..., self.margin : self.margin + self.samples].clamp(-1, 1)

    def noisy(self, values: Tensor, noise: float) -> tuple[Tensor, float]:
        """The picture after spectral subtraction (Boll 1979), and half the height of what the noise would be alone.

        The power that white noise has on average is taken away `EXCESS` times, so that little but the signal is left.
        """
        scale = self.window.sum() / 2
        power = noise**2 * float(self.window.square().sum() / scale**2)
        spectrum = self.analyse(self.padded(values))[..., :-1, ::2] / scale
        left = (spectrum.abs().square() - EXCESS * power).clamp_min(0).sqrt()
        return self.folded(compress(left)), float(compress(torch.tensor(power).sqrt()) + 1) / 2

    def folded(self, pictures: Tensor) -> Tensor:
        """(item, channel, frequency, frame) -> neighbours in frequency and time side by side in the channels."""
        split = pictures.unflatten(-1, (-1, FRAMES)).unflatten(2, (ROWS, self.fold))
        return split.permute(0, 1, 3, 5, 2, 4).flatten(1, 3)

    def unfolded(self, pictures: Tensor) -> Tensor:
        """The way back from `folded`."""
        split = pictures.unflatten(1, (-1, self.fold, FRAMES))
        return split.permute(0, 1, 4, 2, 5, 3).flatten(4, 5).flatten(2, 3)

    def places(self, pictures: Tensor) -> Tensor:
        """Float (item, frame): the frequencies of all channels added up."""
        return self.unfolded(pictures).sum((1, 2))

    @property
    def margin(self) -> int:
        """Samples before the sound, so that the first frame lies around its first half stride."""
        return (self.length - self.hop) // 2

    def padded(self, values: Tensor) -> Tensor:
        total = self.length + (2 * self.frames - 1) * self.hop
        return F.pad(values, (self.margin, total - self.margin - self.samples))

    def analyse(self, values: Tensor) -> Tensor:
        """Padded sounds -> complex (item, channel, frequency, dense frame)."""
        return self.spectra(values).transpose(-1, -2)

    def spectra(self, values: Tensor) -> Tensor:
        """The same as complex (item, channel, dense frame, frequency), which lies in memory as the transform wants it."""
        return torch.fft.rfft(values.unfold(-1, self.length, self.hop) * self.window)

    def synthesise(self, spectra: Tensor) -> Tensor:
        """The padded sound whose spectra (..., dense frame, frequency) are nearest in least squares (Griffin and Lim 1984,
        equation 6)."""
        frames = torch.fft.irfft(spectra, self.length) * self.window
        return overlapped(frames, self.hop) / overlapped((self.window**2).expand(frames.shape[-2:]), self.hop).clamp_min(1e-3)

    def dense(self, pictures: Tensor) -> Tensor:
        """Magnitudes at twice the frames, the highest frequency (which the picture lacks) silent."""
        between = (pictures + torch.cat([pictures[..., 1:], pictures[..., -1:]], dim=-1)) / 2
        both = torch.stack([pictures, between], dim=-1).flatten(-2)
        return F.pad(expand(both), (0, 0, 0, 1)) * self.window.sum() / 2

    def invert(self, wanted: Tensor) -> Tensor:
        """Fast Griffin-Lim from fixed phases: padded sounds whose magnitudes are near `wanted`.

        In place where it can be: most of the time that a sound takes is spent here, on memory.
        """
        phases = torch.rand(wanted.shape[1:], generator=torch.Generator().manual_seed(0)).to(wanted.device)
        guess = torch.polar(wanted, (2 * math.pi * phases).expand_as(wanted)).transpose(-1, -2).contiguous()
        wanted = wanted.transpose(-1, -2).contiguous()
        before = torch.zeros_like(guess)
        for _ in range(self.iterations):
            consistent = self.spectra(self.synthesise(guess))
            guess = (consistent - before).mul_(self.momentum).add_(consistent)
            guess.mul_(wanted / guess.abs().clamp_min_(1e-9))
            before = consistent
        return self.synthesise(guess)


def overlapped(frames: Tensor, hop: int) -> Tensor:
    """Frames float (..., frame, sample), a multiple of `hop` long, added where they overlap: (..., sample)."""
    length = frames.shape[-1]
    pieces = frames.unflatten(-1, (length // hop, hop))
    count, parts = frames.shape[-2], length // hop
    total = frames.new_zeros(*frames.shape[:-2], count + parts - 1, hop)
    for part in range(parts):
        total[..., part : part + count, :] += pieces[..., part, :]
    return total.flatten(-2)


def compress(magnitudes: Tensor) -> Tensor:
    """Magnitudes (a full-scale sine has 1) to about [-1, 1], as mu-law does with samples."""
    return 2 * torch.log1p(COMPRESSION * magnitudes) / math.log1p(COMPRESSION) - 1


def expand(pictures: Tensor) -> Tensor:
    """The way back from `compress`; what lies outside of [-1, 1] is cut."""
    return torch.expm1((pictures.clamp(-1, 1) + 1) / 2 * math.log1p(COMPRESSION)) / COMPRESSION
