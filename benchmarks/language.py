"""What language models learn of tiny-shakespeare from nanoGPT's budget of characters, on its split.

    python -m benchmarks.language --mirror DATA [--members rnn,transformer] [--seeds 3] [--set rnn.buckets=8192]

The last tenth of the file is measured as one document and chooses nothing. Of the rest, every twentieth of 300 pieces is
validation, as a data set of one file is divided: it picks the weights of a training and those of the ensemble. (Were it
the text next to the last tenth, no model would know the play that is measured: 0.17 nats.) Each neural model reads
1,536,000 characters (2,000 steps of 12 x 64, the CPU recipe of nanoGPT's README); the n-gram model counts the train part
once. Nats a character, END left out. References that were measured elsewhere: Kneser-Ney of order 7 1.516, nanoGPT itself
1.92, LSTM 1.574.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aigc_models.capabilities import Fits, Scores, Shape
from aigc_models.corpus import Corpus
from aigc_models.find import find
from aigc_models.modalities import text
from aigc_models.training.fit import Plan, fit, seeded

CHARACTERS = 2_000 * 12 * 64
PIECES, EVERY = 300, 20
FORMAT = text.Format(length=1024)
SHAPE = Shape("text", (), FORMAT)


def corpus(documents: Sequence[str]) -> Corpus:
    return Corpus("text", text.encode(documents, FORMAT), np.zeros(len(documents), dtype=np.int64))


def divided(whole: str) -> tuple[Corpus, Corpus, Corpus]:
    """Train and validation, whose pieces go on from each other where they are neighbours, and the last tenth."""
    cut = int(0.9 * len(whole))
    borders = np.linspace(0, cut, PIECES + 1).astype(int)
    runs = [whole[borders[first] : borders[min(first + EVERY - 1, PIECES)]] for first in range(0, PIECES, EVERY)]
    apart = [whole[borders[last] : borders[last + 1]] for last in range(EVERY - 1, PIECES, EVERY)]
    return corpus(runs), corpus(apart), corpus([whole[cut:]])


class Context:
    """Where a training keeps its checkpoints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def progress(self, step: int, total: int, **figures: float) -> None:
        pass

    def stop(self) -> bool:
        return False


def learnt(name: str, size: str, changes: dict[str, Any], train: Corpus, validation: Corpus, seed: int) -> tuple[Any, float]:
    """A model of the family and the seconds that it took."""
    family, begun = find("aigc_models.families", name), time.monotonic()
    plan = {key: value for key, value in changes.items() if key in Plan.model_fields}
    config = family.Config.model_validate(family.SIZES[size].model_dump() | {k: v for k, v in changes.items() if k not in plan})
    with seeded(seed):
        model = family.build(config, SHAPE)
    if isinstance(model, Fits):
        model.fit(train, validation, lambda *args, **figures: None)
        return model, time.monotonic() - begun
    steps = CHARACTERS // (config.rows * config.window)
    with tempfile.TemporaryDirectory() as folder:
        made = Plan.model_validate({**family.PLAN, "seed": seed, "device": "cpu", **plan, "steps": plan.get("steps", steps)})
        fit(model, train, validation, made, Context(Path(folder)))
    return model, time.monotonic() - begun


def nats(model: Scores, held: Corpus) -> float:
    """A character, END left out."""
    with torch.no_grad():
        likelihood = model.log_likelihood(held.batch(np.arange(1)))[0, :-1]
    return -float(likelihood.double().mean())


def changed(settings: list[str]) -> dict[str, dict[str, Any]]:
    """`rnn.rows=32` as `{"rnn": {"rows": 32}}`."""
    changes: dict[str, dict[str, Any]] = {}
    for setting in settings:
        name, value = setting.split("=")
        family, field = name.split(".")
        changes.setdefault(family, {})[field] = json.loads(value) if value[:1] not in "abcdefghijklmnopqrstuvwxyz" else value
    return changes


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, required=True, help="folder that holds tinyshakespeare/input.txt")
    parser.add_argument("--members", default="ngram,rnn,transformer")
    parser.add_argument("--size", default="small")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--set", nargs="*", default=[], dest="settings")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    whole = (options.mirror / "tinyshakespeare/input.txt").read_text()
    train, validation, held = divided(whole)
    rows: list[dict[str, Any]] = []
    for seed in range(options.seeds):
        members: dict[str, Any] = {}
        for name in options.members.split(","):
            members[name], seconds = learnt(
                name, options.size, changed(options.settings).get(name, {}), train, validation, seed
            )
            rows.append({"seed": seed, "model": name, "nats": nats(members[name], held), "seconds": round(seconds, 1)})
            print(json.dumps(rows[-1]), flush=True)
        for method in ("average", "logistic") if len(members) > 1 else ():
            begun, ensemble = time.monotonic(), find("aigc_models.ensembles", method)
            both = ensemble.fit(members, train, validation, SHAPE, ensemble.Settings(), seed, lambda *args: None)
            seconds, figure = time.monotonic() - begun, nats(both, held)
            rows.append({"seed": seed, "model": method, "nats": figure, "seconds": round(seconds, 1)})
            print(json.dumps(rows[-1] | {"weights": both.weights}), flush=True)
    if options.out:
        options.out.write_text(
            json.dumps({"characters": CHARACTERS, "settings": options.settings, "rows": rows}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
