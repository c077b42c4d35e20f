"""How often a 95 % interval of each kind holds the truth, where the truth is known because the data are simulated.

    python benchmarks/coverage.py --trials 500

The code that evaluation uses, on new data each trial; `difference` is the paired one between two candidates. `width`: of the
mean interval, over that of one from the true standard deviation. Writes results/coverage.json and docs/coverage.png.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from aigc_models.evidence import Measurement
from aigc_models.metrics._blocks import block_draws
from aigc_models.metrics._bootstrap import averages, compared
from aigc_models.metrics._halves import halved, weights
from aigc_models.metrics._pupil import answers
from aigc_models.metrics._shares import shares
from aigc_models.metrics.classification_accuracy_score import DRAWS
from aigc_models.metrics.frechet_distance import distances, moments, roots
from aigc_models.metrics.nearest_training_distance_ratio import measured

HERE = Path(__file__).parent
CENTRES = np.eye(3, 12)  # of the classes
Trial = Callable[[int], dict[str, Measurement]]


def mean(seed: int, items: int) -> dict[str, Measurement]:
    """Skewed figures of items, such as bits; the candidates differ by noise alone."""
    random = np.random.default_rng(seed)
    base = random.gamma(4.0, size=items)
    return averages({"a": base + random.normal(size=items), "b": base}, "", "lower", seed)


def accuracy(seed: int, items: int, spread: float, pool: int = 120) -> dict[str, Measurement]:
    """Classifiers from a new pool of each candidate, on new test items: three classes whose `spread` makes them overlap.

    The items of b are spread a fifth more than real ones are.
    """
    random = np.random.default_rng(seed)

    def drawn(count: int, scale: float) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(count) % len(CENTRES)
        return CENTRES[labels] + scale * random.normal(size=(count, CENTRES.shape[1])), labels

    test, truth = drawn(items, spread)
    pools = {"a": drawn(pool, spread), "b": drawn(pool, 1.2 * spread)}
    right = {name: answers(rows, labels, test, DRAWS, seed) == truth for name, (rows, labels) in pools.items()}
    return shares({name: each.astype(np.float64) for name, each in right.items()}, "higher")


def distance(seed: int, items: int, features: int, off: float, hands: int = 5) -> dict[str, Measurement]:
    """Frechet distances of generators from `hands` times `items` of theirs; a spreads too little, by `off` at most."""
    random, weighed = np.random.default_rng(seed), weights(items, seed)
    real = moments(random.normal(size=(items, features)), weighed)
    root = roots(real.covariance)

    def drawn(scale: np.ndarray) -> np.ndarray:
        dealt = scale * random.normal(size=(hands, items, features))
        return np.asarray(np.mean([distances(moments(hand, weighed), real, root) for hand in dealt], axis=0))

    return halved({"a": drawn(np.linspace(1 - off, 1, features)), "b": drawn(np.ones(features))}, "", "lower")


def ratio(seed: int, items: int) -> dict[str, Measurement]:
    """Distances to the nearest training item, which depend on the label; those of a are a tenth nearer."""
    random = np.random.default_rng(seed)
    level = 1.0 + random.integers(0, 3, items)
    test, *candidates = (level * random.gamma(9, size=(5, items)) for _ in range(3))
    return measured({"a": 0.9 * candidates[0], "b": candidates[1]}, test[0], seed)


def windows(seed: int, horizon: int, count: int, depends: float) -> dict[str, Measurement]:
    """Forecast errors that depend on the step before, averaged over windows that overlap."""
    random = np.random.default_rng(seed)
    errors = random.normal(size=(2, count + horizon + 99))
    errors[1] = errors[0] + 0.5 * errors[1]
    for at in range(1, errors.shape[1]):
        errors[:, at] += depends * errors[:, at - 1]
    kernel, begins = np.ones(horizon) / horizon, np.arange(count, dtype=np.float64)
    figures = {name: np.convolve(row[100:], kernel, mode="valid") for name, row in zip("ab", errors, strict=True)}
    draws, freedom = block_draws(figures, np.stack([begins, begins + horizon - 1], axis=1), 500, seed)
    return compared({name: float(each.mean()) for name, each in figures.items()}, draws, "", "lower", freedom)


CASES: dict[str, Trial] = {
    "mean, 30 items": partial(mean, items=30),
    "mean, 176 items": partial(mean, items=176),
    "accuracy 0.93, 50 items": partial(accuracy, items=50, spread=0.36),
    "accuracy 0.93, 176 items": partial(accuracy, items=176, spread=0.36),
    "accuracy 0.65, 176 items": partial(accuracy, items=176, spread=0.8),
    "Frechet, 12 features, 176 items, alike": partial(distance, items=176, features=12, off=0.0),
    "Frechet, 12 features, 176 items, apart": partial(distance, items=176, features=12, off=0.3),
    "Frechet, 12 features, 60 items, apart": partial(distance, items=60, features=12, off=0.3),
    "Frechet, 64 features, 176 items, apart": partial(distance, items=176, features=64, off=0.3),
    "distance ratio, 81 items": partial(ratio, items=81),
    "distance ratio, 176 items": partial(ratio, items=176),
    "26 steps ahead, 400 windows": partial(windows, horizon=26, count=400, depends=0.5),
    "10 steps ahead, 100 windows": partial(windows, horizon=10, count=100, depends=0.5),
    "1 step ahead, 500 windows": partial(windows, horizon=1, count=500, depends=0.5),
    "10 steps ahead, 200 windows, errors that stay": partial(windows, horizon=10, count=200, depends=0.9),
}


def studied(trial: Trial, trials: int) -> dict[str, dict[str, float]]:
    """Of the value and of the difference; the truth is the mean over all trials, as the biased figures have no other."""
    both = [[one, one.versus["b"]] for one in (trial(seed)["a"] for seed in range(trials))]
    rows = np.array([[[one.value, one.low, one.high] for one in pair] for pair in both])
    truth, deviation = rows[:, :, 0].mean(0), rows[:, :, 0].std(0)
    held = ((rows[:, :, 1] <= truth) & (truth <= rows[:, :, 2])).mean(0)
    width = (rows[:, :, 2] - rows[:, :, 1]).mean(0) / (2 * 1.96 * deviation)
    names = ("value", "difference")
    return {name: {"coverage": round(float(held[at]), 3), "width": round(float(width[at]), 2)} for at, name in enumerate(names)}


def draw(results: dict[str, Any], trials: int, path: Path) -> None:
    """Coverage of each case as two dots; grey is what 92 to 98 % would be."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 0.32 * len(results) + 1), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(0.92, 0.98, color="0.9")
    axes.axvline(0.95, color="0.6", linewidth=1)
    for kind, marker in (("value", "o"), ("difference", "D")):
        shown = [case[kind]["coverage"] for case in results.values()]
        axes.plot(shown, range(len(shown)), marker, label=kind, fillstyle="none" if kind == "value" else "full")
    axes.set_yticks(range(len(results)), list(results))
    axes.invert_yaxis()
    axes.set_xlim(0.8, 1.005)
    axes.set_xlabel(f"share of 95 % intervals that hold the truth, {trials} trials")
    axes.legend(loc="upper left", frameon=False)
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=500)
    trials = parser.parse_args().trials
    results: dict[str, Any] = {}
    print("| kind | value | width | difference | width |\n|---|---|---|---|---|")
    began = time.monotonic()
    for name, trial in CASES.items():
        results[name] = studied(trial, trials)
        figures = [f"{each['coverage']:.3f} | {each['width']:.2f}" for each in results[name].values()]
        print(f"| {name} | {' | '.join(figures)} |", flush=True)
    summary = {"trials": trials, "seconds": round(time.monotonic() - began), "cases": results}
    (HERE / "results" / "coverage.json").write_text(json.dumps(summary, indent=1) + "\n")
    draw(results, trials, HERE.parent / "docs" / "coverage.png")


if __name__ == "__main__":
    main()
