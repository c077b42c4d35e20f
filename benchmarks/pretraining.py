"""Does pretraining earn its place? One member with it and one without, at the same total time, on several seeds.

    python benchmarks/pretraining.py --modality text --labels all
    python benchmarks/pretraining.py --modality image --labels few

`pretrained`: a share of the time goes into the self-supervised body, the rest into finetuning from it.
`random`: all of the time goes into the same member from random weights. With `--labels few` only a part of the
train items (`--few`) is there for supervised training, while the body learns from all of them, unlabelled.
Each arm picks its weights on the validation split; the figures are of the test split, whichever arm wins.

Time is that of the processor: a step of each family is timed first, and the seconds become a number of steps, so
that other processes on the machine do not favour an arm.
"""

from __future__ import annotations

import argparse
import json
import platform
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from aigc_models import bundle
from aigc_models.corpus import Corpus, Shuffled
from aigc_models.evidence import Evidence, Measurement
from aigc_models.find import find
from aigc_models.training.learner import Learner
from tasks.clean.clean import CleanSettings, clean
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.judge.evaluate import generate_like
from tasks.split.split import SplitSettings, split
from tasks.stage.references import CorpusRef, ModelRef, VersionRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train.encode import EncodeSettings, encoded_version
from tasks.train.finetune import finetune, shape_of, splits
from tasks.train.members import MemberSettings, build, training_plan
from tasks.train.pretrain import pretrain

SOURCES = {"text": "embedded:docstrings", "image": "embedded:digits"}
FAMILIES = {"text": ("masked_lm", "transformer"), "image": ("autoencoder", "flow_matching")}
METRICS = {"text": ("bits_per_byte",), "image": ("frechet_distance", "classification_accuracy_score")}  # the first decides
ARMS = ("pretrained", "random")
VALIDATIONS = 6  # of a training
TIMED = 16  # steps of each family
RESULTS = Path(__file__).parent / "results"


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--modality", choices=sorted(SOURCES), required=True)
    parser.add_argument("--labels", choices=["few", "all"], default="all", help="which train items finetuning may use")
    parser.add_argument("--seconds", type=float, default=25.0, help="processor time of one arm of one seed")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--share", type=float, default=0.3, help="of the time that goes into pretraining")
    parser.add_argument("--few", type=float, default=0.05, help="share of the train items that `--labels few` leaves")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULTS)
    return parser.parse_args()


class Bench:
    """One data set in a workspace of its own, and what is trained on it."""

    def __init__(self, root: Path, modality: str) -> None:
        self.workspace, self.modality, self.made = Workspace(root), modality, 0
        self.all = self._encoded()

    def context(self, name: str) -> StageContext:
        """A new folder for each use."""
        self.made += 1
        folder = self.workspace.stages / f"{self.made:03d}-{name}"
        folder.mkdir(parents=True)
        return StageContext(folder, self.workspace)

    def _encoded(self) -> CorpusRef:
        source = SourceSettings(name=self.modality, location=SOURCES[self.modality])
        raw = ingest.plain(source, context=self.context("ingest"))
        cleaned = clean.plain(raw, CleanSettings(), context=self.context("clean"))
        found = deduplicate.plain(cleaned, DeduplicateSettings(), context=self.context("deduplicate"))
        divided = split.plain(cleaned, found, SplitSettings(), context=self.context("split"))
        version = VersionRef(**divided.model_dump(), version="benchmark")
        return encoded_version(self.workspace.data / self.modality, version, EncodeSettings(), self.context("encode"))

    def few(self, share: float, seed: int) -> CorpusRef:
        """The corpus with a random part of the train items; validation and test stay whole."""
        context = self.context("few")
        corpora = splits(self.all, context)
        size = len(corpora["train"])
        kept = np.sort(np.random.default_rng(seed).permutation(size)[: max(1, round(share * size))])
        corpora["train"] = corpora["train"].take(kept)
        for name, corpus in corpora.items():
            corpus.save(context.folder / name)
        counts = {name: len(corpus) for name, corpus in corpora.items()}
        described = {"dataset", "modality", "version", "labels", "format"}
        return CorpusRef.to(
            self.workspace,
            *(context.folder / name for name in corpora),
            **self.all.model_dump(include=described),
            splits=counts,
        )

    def step_seconds(self, family: str) -> float:
        """Processor seconds of a training step; the first ones, which set things up, are left out."""
        settings = MemberSettings(family=family, steps=1000, device="cpu")
        plan, train = training_plan(settings), splits(self.all, self.context("timing"))["train"]
        wanted = {"device", "precision", "compile", "ema", "weight_decay", "clip"}
        learner = Learner(build(settings, shape_of(self.all)), **plan.model_dump(include=wanted))
        batches, times = Shuffled(train, plan.batch_size, plan.seed), []
        for step in range(TIMED):
            began = time.process_time()
            learner.step(step, batches(step), plan.learning_rate / 10)
            times.append(time.process_time() - began)
        return statistics.median(times[TIMED // 4 :])

    def pretrained(self, data: CorpusRef, steps: tuple[int, int], seed: int) -> ModelRef:
        """Both stages; the body sees all items whatever `data` holds."""
        body, member = FAMILIES[self.modality]
        settings = MemberSettings(family=body, steps=steps[0], seed=seed + 1000, device="cpu", plan=looking(steps[0]))
        learned = pretrain.plain(self.all, settings, context=self.context("pretrain"))
        plan = looking(steps[1])
        settings = MemberSettings(family=member, steps=steps[1], seed=seed, start="body", device="cpu", plan=plan)
        return self._finetuned(data, learned, settings)

    def random(self, data: CorpusRef, steps: int, seed: int) -> ModelRef:
        settings = MemberSettings(family=FAMILIES[self.modality][1], steps=steps, seed=seed, device="cpu", plan=looking(steps))
        return self._finetuned(data, None, settings)

    def _finetuned(self, data: CorpusRef, body: ModelRef | None, settings: MemberSettings) -> ModelRef:
        found: ModelRef = finetune.plain(data, body, settings, context=self.context(f"finetune-{settings.start}"))
        return found

    def measured(self, references: dict[str, ModelRef]) -> dict[str, dict[str, float]]:
        """The test figures of each model, by metric."""
        measured = self.measurements(references)
        return {name: {metric: values[name].value for metric, values in measured.items()} for name in references}

    def measurements(self, references: dict[str, ModelRef]) -> dict[str, dict[str, Measurement]]:
        """By metric and then by model, with the paired differences."""
        context = self.context("measure")
        corpora = splits(self.all, context)
        paths = {name: reference.path(self.workspace) for name, reference in references.items()}
        evidence = Evidence(
            train=corpora["train"],
            validation=corpora["validation"],
            test=corpora["test"],
            shape=shape_of(self.all),
            models={name: bundle.load(path)[1] for name, path in paths.items()},
            samples=self._samples(paths, corpora["test"]),
        )
        return {metric: find("aigc_models.metrics", metric).measure(evidence) for metric in METRICS[self.modality]}

    def _samples(self, paths: dict[str, Path], test: Corpus) -> dict[str, Corpus]:
        """What the image metrics look at; text is measured by its likelihood."""
        if self.modality == "text":
            return {}
        from aigc_models.generator import Generator

        return {name: generate_like(test, Generator.load(path), 512, 20_000) for name, path in paths.items()}


def looking(steps: int) -> dict[str, int]:
    """How often a training validates, which its time does not cover: the same number of times in both arms."""
    return {"validate_every": -(-steps // VALIDATIONS)}


def divided(bench: Bench, options: argparse.Namespace) -> dict[str, int]:
    """The time as steps: of the pretraining, of the finetuning after it, and of the training from random weights."""
    body, member = (bench.step_seconds(family) for family in FAMILIES[options.modality])
    early = max(1, int(options.share * options.seconds / body))
    return {
        "pretraining": early,
        "finetuning": max(1, int((options.seconds - early * body) / member)),
        "random": max(1, int(options.seconds / member)),
    }


def trained(bench: Bench, steps: dict[str, int], options: argparse.Namespace) -> dict[str, ModelRef]:
    """`ARM-SEED` by name."""
    models = {}
    for seed in range(1, options.seeds + 1):
        data = bench.few(options.few, seed) if options.labels == "few" else bench.all
        models[f"pretrained-{seed}"] = bench.pretrained(data, (steps["pretraining"], steps["finetuning"]), seed)
        models[f"random-{seed}"] = bench.random(data, steps["random"], seed)
        print(f"seed {seed}: " + ", ".join(f"{m} loss {models[f'{m}-{seed}'].validation_loss:.4f}" for m in ARMS), flush=True)
    return models


def summary(models: dict[str, ModelRef], figures: dict[str, dict[str, float]], modality: str) -> dict[str, Any]:
    """Mean, spread and each seed's figure of every arm and metric."""
    arms: dict[str, Any] = {}
    for arm in ARMS:
        own = [name for name in models if name.startswith(arm)]
        columns = {metric: [figures[name][metric] for name in own] for metric in METRICS[modality]}
        columns["validation_loss"] = [float(models[name].validation_loss or 0) for name in own]
        arms[arm] = {name: spread(values) for name, values in columns.items()}
    return arms


def spread(values: list[float]) -> dict[str, Any]:
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"mean": statistics.fmean(values), "deviation": deviation, "seeds": values}


def main() -> None:
    options = arguments()
    torch.set_num_threads(options.threads)
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder).resolve(), options.modality)
        steps = divided(bench, options)
        models = trained(bench, steps, options)
        arms = summary(models, bench.measured(models), options.modality)
    decisive = METRICS[options.modality][0]
    means = {arm: arms[arm][decisive]["mean"] for arm in ARMS}
    body, member = FAMILIES[options.modality]
    settings = {key: getattr(options, key) for key in ("modality", "labels", "seconds", "seeds", "share", "few", "threads")}
    found = {
        "settings": {**settings, "body": body, "member": member, "data": SOURCES[options.modality]},
        "steps": steps,
        "train_items": bench.all.splits["train"],
        "machine": {"processor": platform.processor() or platform.machine(), "torch": torch.__version__},
        "decided_by": decisive,
        "winner": min(means, key=lambda arm: means[arm]),
        "arms": arms,
    }
    options.out.mkdir(parents=True, exist_ok=True)
    file = options.out / f"pretraining_{options.modality}_{options.labels}.json"
    file.write_text(json.dumps(found, indent=1) + "\n")
    print(
        json.dumps(
            {arm: {name: [round(v["mean"], 4), round(v["deviation"], 4)] for name, v in arms[arm].items()} for arm in ARMS}
        )
    )
    print(f"{found['winner']} wins on {decisive}; {file}")


if __name__ == "__main__":
    main()
