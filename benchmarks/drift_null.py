"""What the drift score is where nothing moved: random halves of one version, and a version that grew by its own kind.

    python benchmarks/drift_null.py digits docstrings fsdd etth1

reads the newest versions in the workspace (`AIGC_WORKSPACE`; `aigc data add` makes them) and prints the table of
docs/measured.md. From 300 items a side on the threshold must lie above these scores; with fewer, chance may reach it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence

import numpy as np

from tasks.drift.drift import DriftSettings, Eyes, Seen, chosen, looked_at, opened
from tasks.drift.sample import Entry
from tasks.stage.settings import Workspace
from tasks.version.cache import find_version, present

ROUNDS = 20
MOST = 10_000  # items of a version
NEW = 0.1  # share of new items in a version that grew


def pairs(entries: Sequence[Entry], count: int, grown: bool) -> Iterator[tuple[list[Entry], list[Entry]]]:
    """Random halves of `count` items each; or `count` items, and the same with `NEW` more."""
    for seed in range(ROUNDS):
        chosen = np.random.default_rng(seed).permutation(len(entries))
        end = round(count * (1 + NEW)) if grown else 2 * count
        after = chosen[:end] if grown else chosen[count:end]
        yield [entries[at] for at in chosen[:count]], [entries[at] for at in after]


def row(name: str, eyes: Eyes, seen: Seen, entries: Sequence[Entry], count: int, grown: bool) -> str:
    found = [seen.compared(*pair) for pair in pairs(entries, count, grown)]
    scores = np.array([each.score for each in found])
    areas = np.array([each.classifier.auc for each in found if each.classifier])
    flagged = sum(bool(each.moved) for each in found)
    what = "grown by a tenth" if grown else "halves"
    figures = f"{scores.mean():.3f} | {scores.max():.3f} | {areas.mean():.3f} ± {areas.std():.3f} | {flagged} of {len(found)}"
    return f"| {name} | {eyes.kind} | {what} | {count} | {figures} |"


def study(workspace: Workspace, name: str, encoder: str) -> Iterator[str]:
    version = find_version(workspace, name)
    files = present(workspace, version)
    settings = DriftSettings.model_validate({"encoder": encoder, "items": MOST})
    eyes = chosen(workspace, version, settings, str(opened([files, files], False)[0].card["modality"]))
    one, _ = opened([files, files], eyes.kind == "own")
    entries = one.entries(MOST)
    seen = looked_at([(one, entries)], eyes)
    half = len(entries) // 2
    for count in sorted({min(half, size) for size in (30, 100, 300, 1000, half)}):
        yield row(name, eyes, seen, entries, count, grown=False)
    yield row(name, eyes, seen, entries, round(len(entries) / (1 + NEW)) - 1, grown=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="+", help="data sets of the workspace")
    parser.add_argument("--encoder", default="plain", choices=["plain", "own"])
    arguments = parser.parse_args()
    print("| data set | encoder | pairs | items a side | mean score | highest of 20 | AUC | some feature said to have moved |")
    print("|---|---|---|---|---|---|---|---|")
    for name in arguments.names:
        for line in study(Workspace.current(), name, arguments.encoder):
            print(line, flush=True)


if __name__ == "__main__":
    main()
