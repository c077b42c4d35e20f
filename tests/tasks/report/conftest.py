"""A run as it could have been: digits and docstrings, one promoted and one refused."""

from __future__ import annotations

import csv
import math
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from aigc_models.evidence import Difference, Measurement
from aigc_models.modalities.image import preview as picture
from aigc_models.modalities.text import preview as words
from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.card import CardSettings
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.report.contents import DatasetReport, Discarded, Item, Level, Metric, Node, Rejected, Report, RunResult
from tasks.split.split import SplitSettings, split
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

STARTED = "2026-11-25T01:08:36+00:00"
VERSIONS = {"python": "3.12.3", "torch": "2.13.0", "prefect": "3.8.8", "mlflow": "3.17.2", "dvc": "3.67.1"}
DOCSTRING = "Return the renderer for the given format.\n\nRaises `KeyError` where there is none; <script>alert(1)</script>"
IMAGE_STAGES = {
    "ingest": 0.8, "clean": 1.9, "deduplicate": 0.7, "split": 0.1, "version": 2.4, "encode": 0.3, "pretrain": 0.0,
    "finetune_vae": 31.0, "finetune_gan": 58.4, "finetune_flow_matching": 59.7, "ensemble": 6.2, "evaluate": 14.8,
    "register": 2.1, "promote": 0.4, "generate": 3.0, "serve": 5.6,
}  # fmt: skip
TEXT_STAGES = {
    **dict.fromkeys(("ingest", "clean", "deduplicate", "split", "version", "encode"), 1.1),
    "pretrain": 20.3, "finetune_rnn": 48.0, "finetune_transformer": 51.2, "ensemble": 4.0, "evaluate": 9.5,
}  # fmt: skip
IMAGE_CANDIDATES = ("ensemble", "vae", "gan", "flow_matching", "baseline")
TEXT_CANDIDATES = ("ensemble", "ngram", "rnn", "transformer", "baseline")


def measured(unit: str, better: str, half: float, **values: float) -> dict[str, Measurement]:
    """`half`: half of each interval; the ensemble is compared with the baseline."""
    figures = {
        name: Measurement.model_validate(
            {"value": value, "low": value - half, "high": value + half, "unit": unit, "better": better}
        )
        for name, value in values.items()
    }
    if "baseline" not in values:
        return figures
    gain = values["ensemble"] - values["baseline"]
    versus = {"baseline": Difference(value=gain, low=gain - abs(gain) / 3, high=gain + abs(gain) / 3)}
    return {**figures, "ensemble": figures["ensemble"].model_copy(update={"versus": versus})}


def image(*values: float) -> dict[str, float]:
    return dict(zip(IMAGE_CANDIDATES, values, strict=True))


def text(*values: float) -> dict[str, float]:
    return dict(zip(TEXT_CANDIDATES, values, strict=True))


IMAGE_FIGURES = {
    "frechet_distance": measured("squared feature units", "lower", 0.09, **image(1.09, 2.31, 1.62, 1.13, 1.57)),
    "frechet_distance_real": measured("squared feature units", "lower", 0.05, real=0.98),
    "classification_accuracy_score": measured("share", "higher", 0.012, **image(0.977, 0.941, 0.952, 0.975, 0.968)),
    "classification_accuracy_real": measured("share", "higher", 0.012, real=0.973),
    "nearest_training_distance_ratio": measured("ratio", "higher", 0.02, **image(0.981, 1.12, 1.04, 0.975, 0.97)),
}
TEXT_FIGURES = {
    "bits_per_byte": measured("bits per byte", "lower", 0.025, **text(1.463, 1.534, 1.941, 2.07, 1.534)),
    "nearest_training_distance_ratio": measured("ratio", "higher", 0.02, **text(0.71, 0.98, 1.02, 1.05, 0.98)),
}


def metric(candidates: dict[str, Measurement]) -> Metric:
    main = candidates.get("ensemble") or candidates["real"]
    members = [value.value for name, value in candidates.items() if name not in ("ensemble", "baseline", "real")]
    best = (min if main.better == "lower" else max)(members, default=None)
    baseline = candidates["baseline"].value if "baseline" in candidates else None
    kept = {"value": main.value, "low": main.low, "high": main.high, "unit": main.unit, "better": main.better}
    return Metric.model_validate({**kept, "baseline": baseline, "best_member": best, "split": "test"})


def result(
    name: str, modality: str, figures: dict[str, dict[str, Measurement]], stages: dict[str, float], **parts: object
) -> RunResult:
    """The fixed part, with something plausible for whatever `parts` leaves open."""
    members = [member for member in next(iter(figures.values())) if member not in ("ensemble", "baseline")]
    latency = {"value": 41.2, "low": 38.0, "high": 47.9, "split": "served", "unit": "ms", "better": "lower"}
    scores = {
        member: {key: candidates[member].value for key, candidates in figures.items() if member in candidates}
        for member in members
    }
    fixed = {
        "run": "sample-20261125-010836", "preset": "sample", "started": STARTED, "seconds": 214.0, "overhead_seconds": 31.5,
        "dataset": {"name": name, "modality": modality, "version": "4f1c9a52be7710d3", "rows": 1787, "quarantined": 19,
                    "duplicates": 6, "splits": {"train": 1431, "validation": 178, "test": 178}},
        "stages": [{"name": stage, "seconds": seconds, "cached": not seconds} for stage, seconds in stages.items()],
        "members": [{"name": member, "family": member, "params": 203_371, "metrics": scores[member]} for member in members],
        "ensemble": {"method": "mixture", "weights": dict(zip(members, (0.08, 0.21, 0.71), strict=True)), "metrics": {}},
        "metrics": {
            **{key: metric(candidates) for key, candidates in figures.items()},
            "latency_p95_ms": {**latency, "baseline": None, "best_member": None},
        },
        "gates": [{"name": "frechet_distance at most 1.3 x frechet_distance_real", "passed": True, "value": 1.09,
                   "limit": 1.27},
                  {"name": "nearest_training_distance_ratio", "passed": True, "value": 0.981, "limit": 0.95},
                  {"name": "latency_p95_ms", "passed": True, "value": 41.2, "limit": 500}],
        "promotion": {"decision": "promoted", "model": name, "version": 1, "alias": "champion"},
        "samples": [f"samples/{name}/{seed}.png" for seed in range(30)], "versions": VERSIONS,
    }  # fmt: skip
    return RunResult.model_validate({**fixed, **parts})


def curve(start: float, end: float, names: tuple[str, ...]) -> tuple[dict[str, float], ...]:
    generator = np.random.default_rng(7)
    points = []
    for step in range(0, 2000, 10):
        value = end + (start - end) * math.exp(-step / 350)
        point = {name: value * (1 + 0.2 * place) + float(generator.normal(0, 0.03 * value)) for place, name in enumerate(names)}
        late = {"validation_loss": value * 1.04} if step % 100 == 0 else {}
        points.append({"step": step, "seconds": step * 0.03, "learning_rate": 0.002, **point, **late})
    return tuple(points)


def lineage(name: str, members: tuple[str, ...]) -> tuple[Level, ...]:
    link = "http://127.0.0.1:5000/#/experiments/1/runs/"
    return (
        Level(name="source", nodes=(Node(title="sklearn digits", detail="embedded, 1,806 rows"),)),
        Level(name="data version", nodes=(Node(title="4f1c9a52be77", detail="kept by DVC", link="../../data.dvc"),)),
        Level(name="body", nodes=(Node(title="autoencoder", detail="pretrained, 20 s", link=link + "b0"),)),
        Level(
            name="members", nodes=tuple(Node(title=member, detail="0.2 M parameters", link=link + member) for member in members)
        ),
        Level(name="ensemble", nodes=(Node(title="mixture", detail="weights from validation", link=link + "e1"),)),
        Level(
            name="registered",
            nodes=(Node(title=f"models:/{name}/1", detail="sha256 91be…", link="http://127.0.0.1:5000/#/models"),),
        ),
        Level(name="alias", nodes=(Node(title=f"{name}@champion", detail="passed 3 of 3 gates"),)),
    )


@pytest.fixture(scope="session")
def digits() -> DatasetReport:
    pixels = np.random.default_rng(0).integers(0, 255, (40, 8, 8, 1), dtype=np.uint8)
    return DatasetReport(
        result=result("digits", "image", IMAGE_FIGURES, IMAGE_STAGES),
        card={
            "name": "digits", "modality": "image", "licence": "BSD-3-Clause", "source": "scikit-learn digits",
            "counts": {"raw": 1806, "rejected": {"decodes": 12}, "clean": 1794, "exact_duplicates": 6,
                       "near_duplicate_groups": 4,
                       "bridges": 1, "kept": 1787},
            "splits": {split: {"rows": 1787, "labels": {str(label): count + label for label in range(10)}, "unlabelled": 0}
                       for split, count in (("train", 140), ("validation", 15), ("test", 15))},
            "unseen_labels": {"validation": {}, "test": {}}, "format": {"height": 8, "width": 8, "channels": 1},
            "diversity": {"labels": 10, "label_entropy_bits": 3.3218, "height": [8, 8.0, 8], "channels": {"1": 1431}},
            "split": {"by": "hash", "validation": 0.1, "test": 0.1, "seed": 0},
        },
        examples=tuple(Item(html=picture(pixels[index]), label=str(index % 10), note=f"digits#{index}") for index in range(20)),
        discarded=(
            Discarded(rule="decodes", stage="clean", count=12, examples=(
                Rejected(source="scans/0007.png", reason="truncated after 112 bytes"),
                Rejected(source="scans/notes.png", reason="is text, not a PNG"))),
            Discarded(rule="exact_duplicate", stage="duplicate", count=6, examples=(
                Rejected(source="scans/0009.png", reason="the same pixels as scans/0002.png"),)),
            Discarded(rule="bridge", stage="bridge", count=1, examples=(
                Rejected(source="scans/0044.png", reason="near-duplicate of items in train and test"),)),
        ),
        curves={"vae": curve(60, 21, ("loss.model",)), "gan": curve(1.4, 0.6, ("loss.critic", "loss.generator")),
                "flow_matching": curve(1.3, 0.2, ("loss.model",))},
        samples=tuple(Item(html=picture(pixels[seed]), label=str(seed % 10), note=f"seed {seed}",
                           path=f"samples/digits/{seed}.png")
                      for seed in range(30)),
        measurements=IMAGE_FIGURES,
        lineage=lineage("digits", ("vae", "gan", "flow_matching")),
        baseline="a Gaussian mixture for each label, in principal components",
        reason="All 3 gates passed and there was no champion to compare with.",
        gate_reasons={"latency_p95_ms": "41.2 is at most 500"},
        notes=("The pretrained body is left out of this preset: random weights did better at equal total time.",),
    )  # fmt: skip


@pytest.fixture(scope="session")
def docstrings() -> DatasetReport:
    gate = {"name": "nearest_training_distance_ratio", "passed": False, "value": 0.71, "limit": 0.9}
    promotion = {"decision": "refused", "model": "docstrings", "version": 2, "alias": None}
    return DatasetReport(
        result=result("docstrings", "text", TEXT_FIGURES, TEXT_STAGES, gates=[gate], promotion=promotion),
        card={"name": "docstrings", "licence": "see each library", "diversity": {"distinct_2": 0.74}},
        examples=tuple(Item(html=words(DOCSTRING), label="<b>rich</b>", note=f"rich/{index}.py") for index in range(6)),
        curves={"rnn": curve(5.5, 1.4, ("loss.model",)), "transformer": curve(5.5, 1.5, ("loss.model",))},
        samples=tuple(Item(html=words(DOCSTRING), label="click", note=f"seed {seed}") for seed in range(6)),
        measurements=TEXT_FIGURES,
        lineage=lineage("docstrings", ("ngram", "rnn", "transformer")),
        baseline="an interpolated Kneser-Ney n-gram model over bytes, of order 7",
        reason="Generated texts lie nearer to the training texts (0.71) than the limit of 0.90 lets pass.",
    )


@pytest.fixture(scope="session")
def report(digits: DatasetReport, docstrings: DatasetReport) -> Report:
    return Report(
        run="sample-20261125-010836", preset="sample", started=STARTED, seconds=214.0, overhead_seconds=31.5, versions=VERSIONS,
        datasets=(digits, docstrings), config="preset: sample\ntraining:\n  budget: 90s\n", command="aigc run sample",
    )  # fmt: skip


VOID = {"meta", "img", "br", "link", "hr", "input"}
EVIL = "<script>alert(1)</script>"


class Page(HTMLParser):
    """Tags with their attributes, the text, and whether everything opened is closed."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


@pytest.fixture(scope="session")
def read_page() -> type[Page]:
    """A page by its text."""
    return Page


@pytest.fixture(scope="session")
def letters(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`data/letters` of a table with copies, near-duplicates, personal data, a text too short, and names made to harm."""
    root = tmp_path_factory.mktemp("letters")
    noise, workspace = np.random.default_rng(3), Workspace(root / "workspace").create()
    texts = [" ".join(f"{word:x}" for word in noise.integers(4096, 65536, 14)) for _ in range(70)]
    long = " ".join(f"{word:x}" for word in noise.integers(4096, 65536, 200))
    rows = [
        *((text, "calm" if at % 2 else EVIL) for at, text in enumerate(texts)),
        (f"{texts[9]} {EVIL}", EVIL),
        (long, "calm"),
    ]
    rows += [(texts[0], EVIL), (texts[1], "loud"), ("x", "calm"), (f"write to ann@example.org of {EVIL}", "calm")]
    rows += [(f"{long} {ending}", "calm") for ending in ("and so", "or not")]
    table = root / "a <img src=x onerror=alert(1)>.csv"
    with table.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "kind"), *rows])
    source = SourceSettings(name="letters", location=str(table), content="text", label="column:kind")
    rules = CleanSettings(rules={"personal_data": {"action": "reject"}})
    card = CardSettings(licence=f"mine {EVIL}", source=f"a table {EVIL}")

    def context(name: str) -> StageContext:
        (workspace.stages / name).mkdir(parents=True)
        return StageContext(workspace.stages / name, workspace)

    cleaned = clean.plain(ingest.plain(source, context("ingest")), rules, context("clean"))
    duplicates = deduplicate.plain(cleaned, DeduplicateSettings(), context("deduplicate"))
    split.plain(cleaned, duplicates, SplitSettings(card=card), context("split"))
    return workspace.data / "letters"
