"""Whether the gates keep the errors that they state, with the gates, the intervals and the anchor of the house.

    python benchmarks/gates.py

simulates models whose true figures are set, measures them on test items with noise, and holds them against the preset's
gate for texts. Writes benchmarks/results/gates.json and gates.png; 200 trials of everything take about ten minutes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from aigc_models.metrics._bootstrap import averages
from flows.champions import champion_gates
from tasks.judge.anchor import reigns
from tasks.judge.evaluate import summary
from tasks.judge.gates import Champion, Gate, Verdict, judge
from tasks.registry.history import Entry

METRIC = "bits_per_byte"
LEVEL, DIFFICULTY = 1.5, 0.4  # bits per byte of the first champion, and how much the items differ
RESULTS = Path(__file__).parent / "results"
START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class World:
    """`noise`: standard deviation of a model's figure on an item, apart from the item's difficulty; `seeds`: between two
    trainings of one recipe, as a share of the figure."""

    items: int = 178
    noise: float = 0.04
    seeds: float = 0.012

    def trained(self, level: float, rng: np.random.Generator) -> float:
        """The true figure of one training of a recipe whose figure is `level` on average."""
        return level + float(rng.normal(0, self.seeds * LEVEL))

    def measured(self, levels: Mapping[str, float], rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Figures by item, float64 (item,), of models with these true figures, all on the same items."""
        difficulty = rng.normal(0, DIFFICULTY, self.items)
        return {name: level + difficulty + rng.normal(0, self.noise, self.items) for name, level in levels.items()}


def champion_gate(**changes: object) -> Gate:
    """The preset's for texts."""
    (gate,) = (gate for gate in champion_gates((), "text") if gate.metric == METRIC)
    return gate.model_copy(update=changes)


def contest(figures: Mapping[str, np.ndarray], gate: Gate, seed: int) -> list[Verdict]:
    """What the gate says of `ensemble` beside `champion` and, if there is one, `anchor`."""
    items = len(figures["ensemble"])
    metrics = {METRIC: summary(averages(figures, "bits per byte", "lower", seed)) | {"items": items}}
    return judge((gate,), metrics, Champion(version=2, items=items, anchor=1))


def trials(world: World, gate: Gate, gain: float, count: int, seed: int = 0) -> dict[str, float]:
    """Shares of challengers with a true `gain` (bits per byte, of the recipe) that were promoted, and called better."""
    promoted = better = unclear = 0
    for trial in range(count):
        rng = np.random.default_rng([seed, trial])
        levels = {"ensemble": world.trained(LEVEL - gain, rng), "champion": world.trained(LEVEL, rng)}
        (verdict,) = contest(world.measured(levels, rng), gate, trial)
        promoted += verdict.passed
        better += verdict.passed and verdict.reason.startswith("better")
        unclear += verdict.verdict == "not_told_apart"
    return {"promoted": promoted / count, "better": better / count, "not_told_apart": unclear / count}


def decay(world: World, gate: Gate, step: float, anchored: bool, nights: int = 365, seed: int = 0) -> list[float]:
    """The champion's true figure after each night, where each night's challenger is worse than the champion by `step`.

    The test items stay the same, as the items of a real test split do.
    """
    rng = np.random.default_rng([seed, 7])
    difficulty = rng.normal(0, DIFFICULTY, world.items)
    levels, items = [LEVEL], [LEVEL + difficulty + rng.normal(0, world.noise, world.items)]
    ledger, course = [_promoted(1, 0)], []
    for night in range(1, nights + 1):
        level = levels[-1] + step
        challenger = level + difficulty + rng.normal(0, world.noise, world.items)
        figures = {"ensemble": challenger, "champion": items[-1]}
        first = reigns(ledger, START + timedelta(days=night))[0]
        if anchored and first != len(levels):
            figures["anchor"] = items[first - 1]
        if all(verdict.passed for verdict in contest(figures, gate, night)):
            levels.append(level)
            items.append(challenger)
            ledger.append(_promoted(len(levels), night))
        course.append(levels[-1])
    return course


def _promoted(version: int, night: int) -> Entry:
    when = (START + timedelta(days=night)).isoformat()
    return Entry(when=when, who="", action="promoted", from_version=version - 1 or None, to_version=version, reason="")


def power(count: int) -> list[dict[str, float]]:
    """How often a gain in margins is promoted or called better, by the number of test items and the seeds' spread."""
    rows = []
    for items in (20, 60, 178, 1000):
        for seeds in (0.0, 0.012):
            gate = champion_gate(seeds=seeds)
            for gain in (-2, -1, -0.5, 0, 0.5, 1, 2):
                shares = trials(World(items, seeds=seeds), gate, gain * (gate.factor - 1) * LEVEL, count, items)
                rows.append({"items": items, "seeds": seeds, "gain": gain, **shares})
                print(json.dumps(rows[-1]), flush=True)
    return rows


def ignored_seeds(count: int) -> dict[str, float]:
    """The same recipe with another seed, where the gate knows nothing of what a seed changes."""
    return trials(World(), champion_gate(seeds=0.0), 0.0, count)


def decays(count: int) -> dict[str, list[list[float]]]:
    """Courses of a year in margins above the first champion, with the anchor and without it."""
    gate = champion_gate()
    margin = (gate.factor - 1) * LEVEL
    courses = {}
    for name, anchored, number in (("anchor", True, count), ("no anchor", False, max(count // 10, 1))):
        made = [decay(World(), gate, 0.2 * margin, anchored, seed=seed) for seed in range(number)]
        courses[name] = [[round((level - LEVEL) / margin, 2) for level in course] for course in made]
        print(name, np.percentile([course[-1] for course in courses[name]], [2.5, 50, 97.5]), flush=True)
    return courses


def draw(rows: list[dict[str, float]], courses: Mapping[str, list[list[float]]], path: Path) -> None:
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, 3, figsize=(13, 4), layout="constrained")
    for axis, share, limit in ((axes[0], "promoted", 0.8), (axes[1], "better", 0.05)):
        for items in (20, 60, 178, 1000):
            line = [row for row in rows if row["items"] == items and row["seeds"]]
            axis.plot([row["gain"] for row in line], [row[share] for row in line], marker="o", label=f"{items} test items")
        axis.axhline(limit, color="grey", linestyle=":")
        axis.set(xlabel="true gain of the recipe, in margins", ylabel=f"share {share}", ylim=(-0.02, 1.02))
    axes[0].legend()
    for name, colour in (("no anchor", "tab:red"), ("anchor", "tab:blue")):
        for number, course in enumerate(courses[name][:20]):
            axes[2].plot(course, color=colour, alpha=0.4, label=name if not number else None)
    axes[2].axhline(1, color="grey", linestyle=":")
    axes[2].set(xlabel="night", ylabel="champion's loss since the start, in margins", yscale="symlog")
    axes[2].legend()
    figure.savefig(path, dpi=110)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    count = parser.parse_args().trials
    rows, courses = power(count), decays(count)
    ends = {name: [course[-1] for course in made] for name, made in courses.items()}
    result = {
        "trials": count,
        "world": World().__dict__ | {"level": LEVEL, "gate": champion_gate().model_dump()},
        "power": rows,
        "seeds_ignored": ignored_seeds(count),
        "decay_in_margins_after_a_year": {
            name: dict(zip(("low", "median", "high", "most"), [*np.percentile(end, [2.5, 50, 97.5]), max(end)], strict=True))
            for name, end in ends.items()
        },
    }
    (RESULTS / "gates.json").write_text(json.dumps(result, indent=1) + "\n")
    draw(rows, courses, RESULTS / "gates.png")


if __name__ == "__main__":
    main()
