"""A series as patches (Nie et al. 2023) that are mixed with each other (TSMixer, Chen et al. 2023).

Channels are independent: each is a row of its own, float (row, step).
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

Embedded = Float[Tensor, "row patch width"]
Patches = Float[Tensor, "row patch step"]
Rows = Float[Tensor, "row context"]


class Mixer(nn.Module):
    """Patches exchange what they know, then each is worked on alone; both on top of what was there."""

    def __init__(self, patches: int, width: int, dropout: float) -> None:
        super().__init__()
        self.before, self.after = nn.LayerNorm(width), nn.LayerNorm(width)
        self.across = nn.Sequential(nn.Linear(patches, 2 * patches), nn.GELU(), nn.Linear(2 * patches, patches))
        self.within = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        self.dropout = nn.Dropout(dropout)

    def forward(self, hidden: Embedded) -> Embedded:
        hidden = hidden + self.dropout(self.across(self.before(hidden).mT).mT)
        mixed: Tensor = hidden + self.dropout(self.within(self.after(hidden)))
        return mixed


class PatchEncoder(nn.Module):
    """Rows in patches, embedded; the first patch is filled up with the first value."""

    def __init__(self, context: int, patch: int, width: int, layers: int, dropout: float) -> None:
        super().__init__()
        self.patch, self.missing = patch, -context % patch
        self.patches = (context + self.missing) // patch
        self.embed = nn.Linear(patch, width)
        self.place = nn.Parameter(0.02 * torch.randn(self.patches, width))
        self.blocks = nn.ModuleList(Mixer(self.patches, width, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(width)

    def cut(self, past: Rows) -> Patches:
        return F.pad(past[:, None], (self.missing, 0), mode="replicate")[:, 0].unflatten(1, (self.patches, self.patch))

    def joined(self, patches: Patches) -> Rows:
        """The inverse of `cut`."""
        return patches.flatten(1)[:, self.missing :]

    def forward(self, past: Rows) -> Embedded:
        return self.mixed(self.embed(self.cut(past)))

    def mixed(self, embedded: Embedded) -> Embedded:
        """From embedded patches, some of which may be hidden."""
        hidden = embedded + self.place
        for block in self.blocks:
            hidden = block(hidden)
        normed: Tensor = self.norm(hidden)
        return normed
