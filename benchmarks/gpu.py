"""What bf16 and torch.compile are worth on the device at hand: training steps and generated items a second.

    python benchmarks/gpu.py                                  every modality, size base on a GPU, debug on a processor
    python benchmarks/gpu.py --families flow_matching --size small --steps 50

Each family trains on random items of a usual shape, in each of the ways that its plan may say (`precision`, `compile`).
The first steps, which set things up and compile, are timed by themselves. On a processor `compile` is not used by
training, so that way is left out. The record names the device.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aigc_models.capabilities import Generates, Shape
from aigc_models.corpus import Corpus, Shuffled
from aigc_models.find import find
from aigc_models.modalities import audio, image, series, text
from aigc_models.training.learner import Learner, choose_device
from aigc_models.training.randomness import seeded
from tasks.stage.system_metrics import hardware

RESULTS = Path(__file__).parent / "results"
ITEMS, LABELS, WARM = 1024, ("a", "b", "c", "d"), 3  # of the made-up data; steps before the clock starts
FAMILIES = {"flow_matching": "image", "vae": "audio", "transformer": "text", "rnn": "text", "forecaster": "series"}


def corpus(modality: str, noise: np.random.Generator) -> tuple[Corpus, Any]:
    """Random items of a usual shape, as the modality stores them, and their format."""
    conditions = noise.integers(0, len(LABELS), ITEMS)
    if modality == "image":
        return Corpus(modality, noise.integers(0, 256, (ITEMS, 3, 32, 32)).astype(np.uint8), conditions), image.Format(
            height=32, width=32, channels=3
        )
    if modality == "audio":
        values = noise.integers(-9000, 9000, (ITEMS, 1, 4096)).astype(np.int16)
        return Corpus(modality, values, conditions), audio.Format(rate=8000, samples=4096, channels=1)
    if modality == "text":
        return Corpus(modality, noise.integers(32, 127, (ITEMS, 256)).astype(np.int16), conditions), text.Format(length=256)
    form = {"context": 156, "horizon": 26, "stride": 1, "season": 52, "channels": 1, "names": ("a",), "step": "7D"}
    shape = series.Format(**form, centre=(0.0,), scale=(1.0,))
    return Corpus(modality, noise.standard_normal((ITEMS, 1, 182)).astype(np.float32), conditions), shape


def timed(model: Any, data: Corpus, options: argparse.Namespace, device: torch.device, **plan: Any) -> dict[str, float]:
    """Seconds of the first steps and of the median step after them, and items a second."""
    learner = Learner(model, device=device.type, ema=0.999, weight_decay=None, clip=1.0, **plan)
    batches, times = Shuffled(data, options.batch, 0), []
    for step in range(WARM + options.steps):
        begun = time.perf_counter()
        learner.step(step, batches(step), 1e-4)
        learner.spoilt()  # waits for a GPU
        times.append(time.perf_counter() - begun)
    middle = statistics.median(times[WARM:])
    return {
        "first_steps_s": round(sum(times[:WARM]), 3),
        "step_ms": round(1000 * middle, 3),
        "items_per_s": round(options.batch / middle, 1),
        "loss": round(float(np.mean([value for name, value in learner.means().items() if name.startswith("loss")])), 4),
    }


def generating(model: Any, options: argparse.Namespace, device: torch.device) -> float | None:
    """Items a second at the batch size, the second time that they are asked for; None for a model of another kind."""
    if not isinstance(model, Generates) or hasattr(model, "forecast"):
        return None
    model.to(device).eval()
    conditions = torch.zeros(options.batch, dtype=torch.int64, device=device)
    seeds, took = torch.arange(options.batch), 0.0
    for _ in range(2):
        begun = time.perf_counter()
        with torch.inference_mode():
            model.generate(conditions, seeds).cpu()
        took = time.perf_counter() - begun
    return round(options.batch / took, 1)


def measured(family: str, options: argparse.Namespace, device: torch.device) -> dict[str, Any]:
    """One family in each way."""
    plugin, modality = find("aigc_models.families", family), FAMILIES[family]
    data, form = corpus(modality, np.random.default_rng(0))
    found: dict[str, Any] = {"modality": modality}
    for compiled in (False, True) if device.type == "cuda" else (False,):
        for precision in ("no", "bf16"):
            with seeded(0):
                model = plugin.build(plugin.SIZES[options.size], Shape(modality, LABELS, form))
            found["params"] = sum(parameter.numel() for parameter in model.parameters())
            way = f"{precision}{'+compile' if compiled else ''}"
            found[way] = timed(model, data, options, device, precision=precision, compile=compiled)
            print(f"{family} {options.size} {way}: {found[way]}", flush=True)
            found["generated_per_s"] = generating(model, options, device)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--families", nargs="+", choices=sorted(FAMILIES), default=sorted(FAMILIES))
    parser.add_argument("--size", choices=["debug", "small", "base", "large"], help="none: base on a GPU, debug else")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda", "mps"], default="auto")
    parser.add_argument("--steps", type=int, default=20, help="that are timed")
    parser.add_argument("--batch", type=int, default=64, help="items of a step")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the record")
    options = parser.parse_args()
    device = choose_device(options.device)
    options.size = options.size or ("debug" if device.type == "cpu" else "base")
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else hardware()["aigc.cpu"]
    settings = {key: getattr(options, key) for key in ("size", "steps", "batch")}
    record = {
        "device": {"kind": device.type, "name": name, "torch": torch.__version__, "threads": torch.get_num_threads()},
        "settings": settings,
        "families": {family: measured(family, options, device) for family in options.families},
    }
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"gpu_{device.type}_{options.size}.json"
    file.write_text(json.dumps(record, indent=1) + "\n")
    print(f"{name}: {file}")


if __name__ == "__main__":
    main()
