"""Copies planted among honest samples: what `memorised_share` says of them, and whether the gate refuses.

    AIGC_MIRROR=DIR python benchmarks/memorised.py --sets digits docstrings notes co2 cifar10_subset fsdd

Each data set goes through ingest, clean, deduplicate, split and encode as in a run. Per seed, half of the held-out items are
the test items and the other half the honest samples, among which a share are replaced by training items: as they are
(`exact`), or with one pixel, byte, sample or step changed (`near`). Series: stretches of time.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.evidence import Evidence
from aigc_models.metrics import memorised_share
from tasks.clean.clean import CleanSettings, clean
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.judge.gates import Gate, judge
from tasks.split.split import SplitSettings, split
from tasks.stage.references import VersionRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train.encode import EncodeSettings, encoded_version
from tasks.train.finetune import shape_of, splits

EMBEDDED = ("digits", "docstrings", "notes", "co2")
SHARES = (0.0, 0.02, 0.05, 0.2)
RESULTS = Path(__file__).parent / "results" / "memorised.json"
PRESETS = Path(__file__).parents[1] / "flows" / "presets"


def encoded(name: str, root: Path) -> tuple[dict[str, Corpus], Shape]:
    """The splits as a run has them."""
    workspace = Workspace(root)

    def context(stage: str) -> StageContext:
        folder = workspace.stages / stage
        folder.mkdir(parents=True)
        return StageContext(folder, workspace)

    source = SourceSettings(name=name, location=f"{'embedded' if name in EMBEDDED else 'catalog'}:{name}")
    cleaned = clean.plain(ingest.plain(source, context=context("ingest")), CleanSettings(), context=context("clean"))
    duplicates = deduplicate.plain(cleaned, DeduplicateSettings(), context=context("deduplicate"))
    divided = split.plain(cleaned, duplicates, SplitSettings(), context=context("split"))
    version = VersionRef(**divided.model_dump(), version="benchmark")
    data = encoded_version(workspace.data / name, version, EncodeSettings(), context("encode"))
    return splits(data, context("read")), shape_of(data)


def halves(corpora: dict[str, Corpus], modality: str, random: np.random.Generator) -> tuple[Corpus, Corpus]:
    """Test items and honest samples: what is held out, at random or, of windows in the order of time, one stretch."""
    parts = [corpora["validation"], corpora["test"]]
    values, conditions = (
        np.concatenate([np.asarray(getattr(part, one)) for part in parts]) for one in ("values", "conditions")
    )
    held, middle = Corpus(modality, values, conditions), len(values) // 2
    if modality == "series":
        order = np.roll(np.arange(len(held)), -int(random.integers(len(held))))
        return held.take(np.sort(order[:middle])), held.take(np.sort(order[middle:]))
    order = random.permutation(len(held))
    return held.take(order[:middle]), held.take(order[middle:])


def changed(copies: Corpus, shape: Shape, random: np.random.Generator) -> Corpus:
    """One pixel inverted, one letter another, one sample by a tenth of full scale, one step by a tenth of a deviation."""
    values = np.array(copies.values)
    for row in values:
        if copies.modality == "text":
            row[random.integers(max(1, int((row < 256).sum())))] = random.integers(97, 123)
        elif copies.modality == "image":
            at = (slice(None), random.integers(row.shape[1]), random.integers(row.shape[2]))
            row[at] = 255 - row[at]
        elif copies.modality == "audio":
            at = (slice(None), random.integers(row.shape[1]))
            row[at] = np.where(row[at] < 0, row[at] + 3277, row[at] - 3277)
        else:
            row[:, -1 - random.integers(shape.format.horizon)] += 0.1
    return Corpus(copies.modality, values, copies.conditions)


def planted(honest: Corpus, train: Corpus, share: float, near: bool, shape: Shape, random: np.random.Generator) -> Corpus:
    """The honest samples, of which a share, rounded up, are copies."""
    count = int(np.ceil(share * len(honest) - 1e-9))
    copies = train.take(np.sort(random.choice(len(train), count, replace=False)))
    copies = changed(copies, shape, random) if near else copies
    values = np.array(honest.values)
    values[random.permutation(len(honest))[:count]] = copies.values
    return Corpus(honest.modality, values, honest.conditions)


def study(name: str, seeds: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        corpora, shape = encoded(name, Path(folder))
        preset = yaml.safe_load((PRESETS / f"{shape.modality}.yaml").read_text())
        gates = [Gate(**gate) for gate in preset["promotion"]["gates"] if gate["metric"] == "memorised_share"]
        trials = {f"{kind} {share:g}": [] for kind in ("exact", "near") for share in SHARES if share or kind == "exact"}
        for seed in range(seeds):
            random = np.random.default_rng(seed)
            test, honest = halves(corpora, shape.modality, random)
            samples = {}
            for trial in trials:
                kind, share = trial.split()
                samples[trial] = planted(honest, corpora["train"], float(share), kind == "near", shape, random)
            evidence = Evidence(corpora["train"], corpora["validation"], test, shape, {}, samples, seed=seed)
            if not memorised_share.applies(evidence):
                raise SystemExit(f"{name}: the metric does not apply")
            for trial, measurement in memorised_share.measure(evidence).items():
                trials[trial].append(measurement)
        return {
            "modality": shape.modality, "train": len(corpora["train"]), "test": len(test), "samples": len(honest),
            "limit": gates[0].offset, "trials": {trial: row(each, gates) for trial, each in trials.items()},
        }  # fmt: skip


def row(measurements: list[Any], gates: list[Gate]) -> dict[str, Any]:
    values = [each.value for each in measurements]
    verdicts = [judge(tuple(gates), {"memorised_share": each.model_dump()}, None)[0] for each in measurements]
    refused = sum(not verdict.passed for verdict in verdicts)
    figures = {"mean": np.mean(values), "lowest": min(values), "highest": max(values)}
    return {**{key: round(float(value), 4) for key, value in figures.items()}, "refused": refused, "of": len(values)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sets", nargs="+", default=EMBEDDED)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--out", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    results = {}
    for name in arguments.sets:
        results[name] = study(name, arguments.seeds)
        print(name, {key: value for key, value in results[name].items() if key != "trials"}, flush=True)
        for trial, figures in results[name]["trials"].items():
            print("   ", trial, figures, flush=True)
        arguments.out.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
