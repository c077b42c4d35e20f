"""Symbols a second that a transformer trains on, beside a faithful loop of nanoGPT's CPU recipe.

    OMP_NUM_THREADS=1 python -m benchmarks.training_text --out benchmarks/results/training_text.json

The recipe (nanoGPT's README): 4 blocks of width 128 with 4 heads, 12 rows of 64 characters, AdamW with clipped gradients. The
loop beside ours is written out below as that project has it: layer norms, learned positions, a GELU of four times the width,
the head's weights those of the embedding. Ours is `families/transformer.py` of the same width, depth and rows with the step
that every training takes, once as it is asked for (Muon, embeddings of n-grams up to `longest`), once with neither. Both sides
train in turn in one process on one thread; seconds are those of the thread, the figure is the median of the ratios.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Player, Shape
from aigc_models.corpus import Corpus
from aigc_models.families import transformer
from aigc_models.modalities import text
from aigc_models.training.learner import LEARNERS, Learner, batches_of
from aigc_models.training.plan import Plan

WIDTH, LAYERS, HEADS, ROWS, WINDOW = 128, 4, 4, 12, 64
STEPS, ROUNDS = 15, 7  # of a round, of a figure
FORMAT = text.Format(length=1024)


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.out = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.Linear(WIDTH, WIDTH, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        query, key, value = (part.unflatten(-1, (HEADS, -1)).transpose(1, 2) for part in self.qkv(x).chunk(3, dim=-1))
        mixed = F.scaled_dot_product_attention(query, key, value, is_causal=True)
        return self.out(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.first, self.second, self.attention = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH), Attention()
        self.inner = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH, bias=False), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.first(x))
        return x + self.inner(self.second(x))


class Gpt(nn.Module):
    def __init__(self, symbols: int) -> None:
        super().__init__()
        self.symbols, self.positions = nn.Embedding(symbols, WIDTH), nn.Embedding(WINDOW, WIDTH)
        self.blocks, self.norm = nn.Sequential(*(Block() for _ in range(LAYERS))), nn.LayerNorm(WIDTH)
        for parameter in self.parameters():
            if parameter.ndim > 1:
                nn.init.normal_(parameter, std=0.02)

    def forward(self, x: Tensor) -> Tensor:
        x = self.symbols(x) + self.positions(torch.arange(x.shape[1]))
        return F.linear(self.norm(self.blocks(x)), self.symbols.weight)


def faithful(data: np.ndarray) -> Callable[[], None]:
    """A step of the recipe."""
    model, random = Gpt(259), np.random.default_rng(0)
    decayed = [parameter for parameter in model.parameters() if parameter.ndim > 1]
    plain = [parameter for parameter in model.parameters() if parameter.ndim < 2]
    groups = [{"params": decayed, "weight_decay": 0.1}, {"params": plain, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=1e-3, betas=(0.9, 0.99))

    def step() -> None:
        starts = random.integers(0, len(data) - WINDOW - 1, ROWS)
        rows = torch.from_numpy(np.stack([data[start : start + WINDOW + 1] for start in starts]).astype(np.int64))
        loss = F.cross_entropy(model(rows[:, :-1]).flatten(0, 1), rows[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)

    return step


class Plain(transformer.Transformer):
    """Its matrices are AdamW's too."""

    def players(self) -> list[Player]:
        return [replace(player, matrices=[]) for player in super().players()]


def ours(train: Corpus, plain: bool) -> Callable[[], None]:
    """A step of the product's training; `plain`: with neither Muon nor n-grams."""
    sizes = {"width": WIDTH, "layers": LAYERS, "heads": HEADS, "rows": ROWS, "window": WINDOW}
    config = transformer.Config(**sizes, longest=1 if plain else transformer.SIZES["small"].longest, buckets=8192)
    model = (Plain if plain else transformer.Transformer)(config, Shape("text", (), FORMAT))
    plan = Plan.model_validate({**transformer.PLAN, "steps": 10_000, "device": "cpu"})
    learner, numbers = Learner(model, **plan.model_dump(include=LEARNERS)), itertools.count()
    batches = batches_of(model, train, 1, 0)

    def step() -> None:
        number = next(numbers)
        learner.step(number, batches(number), 1.0)

    return step


def seconds(step: Callable[[], None]) -> float:
    began = time.thread_time()
    for _ in range(STEPS):
        step()
    return time.thread_time() - began


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, default=os.environ.get("AIGC_MIRROR"), help="holds tinyshakespeare/input.txt")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    whole = (Path(options.mirror) / "tinyshakespeare/input.txt").read_text()
    train = Corpus("text", text.encode([whole], FORMAT), np.zeros(1, dtype=np.int64))
    peer, kinds = faithful(np.asarray(train.sequences.symbols)), {"as it is": ours(train, False), "plain": ours(train, True)}
    rows: list[dict[str, Any]] = []
    for name, step in kinds.items():
        seconds(step), seconds(peer)  # the first warms up
        pairs = [(seconds(step), seconds(peer)) for _ in range(ROUNDS)]
        mine, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
        symbols = STEPS * ROWS * WINDOW
        rows.append({
            "ours": name,
            "symbols_a_second": round(symbols / mine),
            "of_the_loop": round(symbols / theirs),
            "times_faster": round(statistics.median(other / one for one, other in pairs), 2),
        })  # fmt: skip
        print(json.dumps(rows[-1]), flush=True)
    if options.out:
        machine = {"platform": platform.platform(), "cores": os.cpu_count(), "torch": torch.__version__}
        options.out.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
