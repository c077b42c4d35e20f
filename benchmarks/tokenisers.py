"""Bits per byte with the tokeniser that `auto` takes against bytes, the same number of steps for both.

    python -m benchmarks.tokenisers --mirror DATA [--sets tang_poems,financial_phrasebank,code] [--steps 400] [--seeds 1]

Chinese poems, English headlines, and Python code (this project's own). Items are divided into train, validation and test by a
seed; `auto` sees train and validation alone. Each side is a recurrent model, an n-gram model and a cache, mixed by their
logarithms; a step of both has as many symbols. Each line has the seconds of training too, since a larger vocabulary costs some.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import logistic
from aigc_models.families import cache, ngram, rnn
from aigc_models.metrics._likelihood import item_bits
from aigc_models.modalities import text
from aigc_models.training.fit import Plan, fit, seeded
from benchmarks.language import Context
from tasks.train import tokenising


def poems(mirror: Path) -> list[str]:
    """The text of each poem."""
    files = sorted((mirror / "tang_poems").rglob("*.json"))
    return ["\n".join(poem["paragraphs"]) for file in files for poem in json.loads(file.read_text()) if poem.get("paragraphs")]


def headlines(mirror: Path) -> list[str]:
    """Sentences without their label."""
    files = sorted((mirror / "financial_phrasebank").rglob("*.txt"))
    most = max(files, key=lambda file: file.stat().st_size)
    lines = most.read_bytes().decode("latin-1").splitlines()
    return [line.rpartition("@")[0] for line in lines if "@" in line]


def code(mirror: Path) -> list[str]:
    """The files of this project."""
    root = Path(__file__).resolve().parent.parent
    return [file.read_text() for folder in ("aigc_models", "tasks", "flows") for file in sorted((root / folder).rglob("*.py"))]


SETS: dict[str, Callable[[Path], list[str]]] = {"tang_poems": poems, "financial_phrasebank": headlines, "code": code}


class Quiet:
    """What the choice is told of the world; it keeps what is logged."""

    def __init__(self) -> None:
        self.logged: dict[str, float] = {}

    def progress(self, step: int, total: int, **figures: float) -> None:
        pass

    def stop(self) -> bool:
        return False

    def log(self, **figures: float) -> None:
        self.logged |= figures


def measured(form: Any, parts: list[list[str]], steps: int, seed: int) -> tuple[float, float]:
    """Bits per byte of the test items, and the seconds of training."""
    shape = Shape("text", (), form)
    train, validation, test = (Corpus("text", text.encode(part, form), np.zeros(len(part), dtype=np.int64)) for part in parts)
    begun = time.monotonic()
    with seeded(seed):
        network = rnn.build(rnn.SIZES["small"], shape)
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan.model_validate({**rnn.PLAN, "steps": steps, "seed": seed, "device": "cpu"})
        fit(network, train, validation, plan, Context(Path(folder)))
    seconds, counts = time.monotonic() - begun, ngram.build(ngram.SIZES["small"], shape)
    counts.fit(train, validation, lambda *args, **figures: None)
    members = {"rnn": network, "ngram": counts, "cache": cache.build(cache.SIZES["small"], shape)}
    both = logistic.fit(members, train, validation, shape, logistic.Settings(), seed, lambda *args: None)
    return float(item_bits(both, test).sum() / text.amounts(test.values, form).sum()), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--sets", default=",".join(SETS))
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--most", type=int, default=1_500_000, help="characters of a set at most")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    rows = []
    for name in options.sets.split(","):
        items = tokenising._some(SETS[name](options.mirror), options.most)
        for seed in range(options.seeds):
            order = np.random.default_rng(seed).permutation(len(items))
            borders = (0, int(0.8 * len(items)), int(0.9 * len(items)), len(items))
            parts = [[items[at] for at in order[first:last]] for first, last in pairwise(borders)]
            quiet, plain = Quiet(), text.Format(length=1024)
            chosen = tokenising.choose(text, plain.model_copy(update={"tokeniser": "auto"}), parts[0], parts[1], quiet)  # type: ignore[arg-type]
            of_bytes, seconds = measured(plain, parts, options.steps, seed)
            taken = (of_bytes, seconds) if chosen.tokeniser == "bytes" else measured(chosen, parts, options.steps, seed)
            row = {
                "set": name, "seed": seed, "chosen": f"{chosen.tokeniser} {chosen.pieces if chosen.learned else ''}".strip(),
                "trial": quiet.logged, "bytes": of_bytes, "auto": taken[0], "ratio": taken[0] / of_bytes,
                "seconds": [round(seconds, 1), round(taken[1], 1)],
            }  # fmt: skip
            rows.append(row)
            print(json.dumps(row), flush=True)
    if options.out:
        options.out.write_text(json.dumps({"steps": options.steps, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
