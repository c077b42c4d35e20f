"""The gate against the champion between trainings of one recipe that differ in their seed alone: how often is one "better"?

    python -m benchmarks.trained_seeds --modality text --steps 300 --models 12

`gates.py` simulates figures; here the models are trained and measured on the same test items, and the preset's gate judges each
of the ordered pairs. None is better than another but by luck. Pairs share models, so that the shares of so few models are
rough: 12 models are 132 pairs. Writes benchmarks/results/trained_seeds_MODALITY.json.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
from collections import Counter
from itertools import permutations
from pathlib import Path

import torch

from aigc_models.evidence import Measurement
from benchmarks.pretraining import FAMILIES, METRICS, RESULTS, SOURCES, Bench
from flows.champions import champion_gates
from tasks.judge.gates import Champion, Gate, judge


def standing(gate: Gate, challenger: Measurement, other: str, champion: Measurement, items: int) -> str:
    """What the gate says of one beside the other."""
    figures = {
        "value": challenger.value,
        "champion": champion.value,
        "items": items,
        "versus": {"champion": challenger.versus[other].model_dump()},
    }
    (verdict,) = judge((gate,), {gate.metric: figures}, Champion(version=1, items=items))
    if not verdict.passed:
        return verdict.verdict
    return "better" if verdict.reason.startswith("better") else "not worse"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modality", choices=sorted(SOURCES), required=True)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--models", type=int, default=12)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    metric = METRICS[options.modality][0]
    (gate,) = (gate for gate in champion_gates((), options.modality) if gate.metric == metric)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder).resolve(), options.modality)
        models = {}
        for seed in range(1, options.models + 1):
            models[f"seed {seed}"] = bench.random(bench.all, options.steps, seed)
            print(f"seed {seed}: validation loss {models[f'seed {seed}'].validation_loss:.4f}", flush=True)
        measured = bench.measurements(models)[metric]
    values, items = [measured[name].value for name in models], bench.all.splits["test"]
    verdicts = Counter(standing(gate, measured[one], two, measured[two], items) for one, two in permutations(models, 2))
    blind = gate.model_copy(update={"seeds": 0.0})
    unaware = Counter(standing(blind, measured[one], two, measured[two], items) for one, two in permutations(models, 2))
    record = {
        "settings": {**vars(options), "family": FAMILIES[options.modality][1], "gate": gate.name, "seeds": gate.seeds},
        "figures": values,
        "deviation": statistics.stdev(values),
        "deviation_as_share": statistics.stdev(values) / statistics.fmean(values),
        "test_items": items,
        "pairs": dict(verdicts),
        "pairs_without_seeds": dict(unaware),
    }
    (RESULTS / f"trained_seeds_{options.modality}.json").write_text(json.dumps(record, indent=1) + "\n")
    print(json.dumps(record, indent=1))


if __name__ == "__main__":
    main()
