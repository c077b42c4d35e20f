"""Next items on MovieLens small: NDCG@10, leave last out, all items ranked, ties at random.

    python -m benchmarks.recommend --mirror DATA [--seeds 3] [--set item_attention.width=128] [--steps 3000]

A history is what a user rated, in the order of timestamps. Ratings of the same second (22 % are of that of
the one before) are in the order of the file, which is that of movie numbers: of those the next number is the higher one, and a
model can learn that. Under `shuffled` is the same with such ties in random order, anew for each seed.

Models learn from all of a history but its last two items, the last but one chooses, the last judges. The vocabulary is of those
items that two histories hold without their last two; a target beyond it counts as missed.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from aigc_models.capabilities import Fits, Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import log_linear
from aigc_models.evidence import Evidence
from aigc_models.find import find
from aigc_models.heads import recommend
from aigc_models.metrics import hit_rate_at_10, ndcg_at_10
from aigc_models.modalities import events
from aigc_models.modalities.events.events import Events, history
from aigc_models.training.fit import Plan, fit, seeded

MEMBERS = ("popularity", "transitions", "ease", "neighbours", "item_attention")
SPLITS = ("train", "validation", "test")
REFERENCES = {"transitions": 0.085, "ease": 0.042, "popularity": 0.023}
RESULT = Path(__file__).parent / "results" / "recommend.json"


class Context:
    """Where a training keeps its checkpoints."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def progress(self, step: int, total: int, **figures: float) -> None:
        pass

    def stop(self) -> bool:
        return False


def histories(mirror: Path, shuffle: int | None) -> list[Events]:
    """One a user, in the order of time; ties in the order of the file, or shuffled by a seed."""
    with (mirror / "movielens_small_2016" / "ratings.csv").open(encoding="utf-8", newline="") as file:
        rows = [(int(row["userId"]), float(row["timestamp"]), row["movieId"]) for row in csv.DictReader(file)]
    order = range(len(rows)) if shuffle is None else np.random.default_rng(shuffle).permutation(len(rows)).tolist()
    users: dict[int, list[tuple[float, str]]] = {}
    for at in order:
        user, when, item = rows[at]
        users.setdefault(user, []).append((when, item))
    ordered = [sorted(users[user], key=lambda event: event[0]) for user in sorted(users)]
    return [history([when for when, _ in one], [item for _, item in one], dated=True) for one in ordered]


def corpora(contents: Sequence[Events]) -> tuple[dict[str, Corpus], Shape]:
    """The three splits; the vocabulary is of what the train split holds."""
    earlier = [content.take(np.arange(len(content) - 2)) for content in contents]
    shape = Shape("events", (), events.choose_format(earlier), "recommend")
    whole, splits = events.encode(contents, shape.format), {}
    for name in SPLITS:
        values, rows = recommend.divided(whole, name)
        splits[name] = Corpus("events", values, np.zeros(len(rows), dtype=np.int64))
    return splits, shape


def trained(name: str, splits: Mapping[str, Corpus], shape: Shape, seed: int, steps: int, settings: Mapping[str, Any]) -> Any:
    """A model of the family at size `small`."""
    family = find("aigc_models.families", name)
    config = family.Config.model_validate({**family.SIZES["small"].model_dump(), **settings})
    with seeded(seed):
        model = family.build(config, shape)
    if isinstance(model, Fits):
        model.fit(splits["train"], splits["validation"], lambda *args, **figures: None)
        return model
    with tempfile.TemporaryDirectory() as folder:
        plan = Plan(**{**family.PLAN, "steps": steps, "seed": seed, "device": "cpu"})
        done = fit(model, splits["train"], splits["validation"], plan, Context(Path(folder)))
        print(f"  {name}: {done.steps} steps, validation loss {done.validation_loss:.3f}", flush=True)
    return model


def measured(splits: Mapping[str, Corpus], shape: Shape, seed: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Figures of every member and the ensemble on one order of the histories."""
    models, seconds = {}, {}
    for name in arguments.members.split(","):
        began = time.monotonic()
        settings = dict(part.split("=") for part in arguments.set if part.startswith(f"{name}."))
        settings = {key.split(".")[1]: json.loads(value) for key, value in settings.items()}
        models[name] = trained(name, splits, shape, seed, arguments.steps, settings)
        seconds[name] = round(time.monotonic() - began, 1)
    began = time.monotonic()
    ensemble = log_linear.fit(
        models, splits["train"], splits["validation"], shape, log_linear.Settings(), seed, lambda *args, **figures: None
    )
    seconds["ensemble"] = round(time.monotonic() - began, 1)
    figures: dict[str, Any] = {}
    everyone = {**models, "ensemble": ensemble}
    for split in ("validation", "test"):
        evidence = Evidence(splits["train"], splits["validation"], splits[split], shape, everyone, {}, seed=seed)
        for metric, plugin in (("ndcg_at_10", ndcg_at_10), ("hit_rate_at_10", hit_rate_at_10)):
            for name, value in plugin.measure(evidence).items():
                figures.setdefault(name, {"seconds": seconds[name]})[f"{split}_{metric}"] = round(value.value, 4)
                if split == "test" and metric == "ndcg_at_10":
                    figures[name]["interval"] = [round(value.low, 4), round(value.high, 4)]
    figures["ensemble"]["weights"] = {name: round(weight, 3) for name, weight in ensemble.weights.items()}
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--members", default=",".join(MEMBERS))
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--orders", default="file,shuffled")
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    result: dict[str, Any] = {"references": REFERENCES}
    for order in arguments.orders.split(","):
        runs = []
        for seed in range(arguments.seeds):
            splits, shape = corpora(histories(arguments.mirror, None if order == "file" else seed))
            runs.append(measured(splits, shape, seed, arguments))
            for name, figures in runs[-1].items():
                print(order, seed, name, figures, flush=True)
        result[order] = {"seeds": runs, "mean": means(runs)}
        print(order, json.dumps(result[order]["mean"], indent=1), flush=True)
    if arguments.save:
        RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def means(runs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Over seeds, with the lowest and the highest."""
    named = [f"{split}_{metric}" for split in ("validation", "test") for metric in ("ndcg_at_10", "hit_rate_at_10")]
    table = {name: {figure: [run[name][figure] for run in runs] for figure in named} for name in runs[0]}
    return {
        name: {
            figure: {"mean": round(float(np.mean(values)), 4), "lowest": min(values), "highest": max(values)}
            for figure, values in figures.items()
        }
        for name, figures in table.items()
    }


if __name__ == "__main__":
    main()
