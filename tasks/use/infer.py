"""What a registered model says of content that it is given: `aigc forecast`, `classify`, `score`, `encode`, `reconstruct`,
`denoise`. Each function answers with a value that `--json` prints and writes its files into `out`, if there is one.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from types import ModuleType
from typing import TYPE_CHECKING, Any

from aigc_models.errors import BadInput
from aigc_models.find import find
from aigc_models.reading.cells import no_formula
from tasks.stage.links import LEADS_OUT, leads_out
from tasks.use.generate import writable, write
from tasks.use.given import Given, Refused, read
from tasks.use.provenance import Identity, labelled

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_models.generator import Generator
    from aigc_models.inference import Forecast

PEAK = 2.0  # of pictures and sounds, from -1 to 1


@dataclass(frozen=True)
class Question:
    """What is asked of a loaded model."""

    generator: Generator
    identity: Identity
    items: Sequence[Given] = ()
    refused: Sequence[Refused] = ()
    label: str | None = None
    out: Path | None = None

    @classmethod
    def of(cls, generator: Generator, identity: Identity, where: str, by_line: bool = False, **options: Any) -> Question:
        """With the content at `where`: a file, a folder, or `-`."""
        return cls(generator, identity, *read(generator.modality, where, by_line), **options)

    def fitting(self, fit: Callable[[list[Any]], Any]) -> Question:
        """Without the items that `fit` cannot take, a series that is too short for the model; `BadInput` where none is left."""
        if not self.generator.goes_on or not self.items:
            return self
        kept, refused = [], list(self.refused)
        for item in self.items:
            try:
                fit([item.content])
                kept.append(item)
            except BadInput as error:
                refused.append(Refused(item.name, str(error)))
        if not kept:
            raise BadInput(f"{refused[-1].name}: {refused[-1].reason}")
        return replace(self, items=kept, refused=refused)

    @property
    def contents(self) -> list[Any]:
        return [item.content for item in self.items]

    def answer(self, capability: type, key: str, rows: list[dict[str, Any]], **figures: Any) -> dict[str, Any]:
        """The answer as JSON; with `out` also as `DIR/KEY.json`. `member`: who answered for an ensemble."""
        refused = [{"file": one.name, "reason": one.reason} for one in self.refused]
        head = {"model": self.identity.model, "version": self.identity.version, "member": self.generator.answers(capability)}
        body = {**head, **figures, key: rows, "refused": refused}
        if self.out is not None:
            body["out"] = str(self.out)
            self.save(f"{key}.json", json.dumps(body, indent=1, sort_keys=True).encode() + b"\n")
        return body

    def save(self, name: str, payload: bytes) -> str:
        """Write a file under `out`; its name there."""
        if self.out is None:
            return ""
        if leads_out(self.out / name, self.out):
            raise BadInput(f"{self.out / name} {LEADS_OUT}, and nothing is written there; choose another --out")
        with writable(self.out):
            (self.out / name).parent.mkdir(parents=True, exist_ok=True)
            write(self.out / name, payload)
        return name


def forecast(question: Question, levels: Sequence[float]) -> dict[str, Any]:
    """Quantiles of what comes after each series; without one, after the newest of the training data."""
    from aigc_models.capabilities import Forecasts
    from tasks.judge.forecast_view import picture, table

    question = question.fitting(question.generator.encode_pasts)
    pasts = question.contents or None
    names = [item.name for item in question.items]
    forecasts = question.generator.forecast(pasts, levels, question.label)
    rows = []
    for at, forecast in enumerate(forecasts):
        stem = str(PurePosixPath(names[at]).with_suffix("")) if names else f"{at:06d}"
        files = {"file": question.save(f"{stem}.csv", table(forecast))} if question.out else {}
        question.save(f"{stem}.svg", picture(forecast).encode())
        rows.append({**files, "input": names[at] if names else "latest", **points(forecast)})
    return question.answer(Forecasts, "forecasts", rows, levels=list(levels))


def points(forecast: Forecast) -> dict[str, Any]:
    """A forecast as JSON: `quantiles` of each channel, (level, time)."""
    first = forecast.quantiles[0]
    quantiles = {name: [each.values[at].tolist() for each in forecast.quantiles] for at, name in enumerate(first.channels)}
    return {"times": first.stamps(), "step": first.step, "quantiles": quantiles}


def forecast_table(generator: Generator, past: Any) -> bytes:
    """What comes after a past as csv: time, channel, and a column for each level."""
    from tasks.judge.forecast_view import table

    return table(generator.forecast([past])[0])


def classify(question: Question) -> dict[str, Any]:
    """The likeliest label of each item; of models to name several labels or to regress what these say of it."""
    head = head_of(question.generator)
    answers = head.answers(question.generator, question.contents)
    rows = [{"input": item.name, **answer} for item, answer in zip(question.items, answers, strict=True)]
    missed = {name: count for name, (count, _) in question.generator.unanswered().items()}
    return question.answer(head.PROTOCOL, "classified", rows, **({"unanswered": missed} if missed else {}))


def head_of(generator: Generator) -> ModuleType:
    """The file of `aigc_models/heads` that says which label, labels or number an item has; any other model is one to
    classify, if it can."""
    task = generator.card.task
    return find("aigc_models.heads", task if task in ("multilabel", "regress") else "classify")


def score(question: Question) -> dict[str, Any]:
    """How likely each item is: nats, and of texts bits per byte."""
    from aigc_models.capabilities import Scores

    generator = question.generator
    nats = generator.log_likelihood(question.contents, question.label).double().tolist()
    sizes = _bytes(generator, question.contents)
    rows: list[dict[str, Any]] = []
    for item, log_likelihood, size in zip(question.items, nats, sizes, strict=True):
        rate = {"bytes": size, "bits_per_byte": -log_likelihood / math.log(2) / max(1, size)} if size is not None else {}
        rows.append({"input": item.name, "log_likelihood": log_likelihood, **rate})
    byte_counts = [size for size in sizes if size is not None]
    overall = {"bits_per_byte": -sum(nats) / math.log(2) / max(1, sum(byte_counts))} if byte_counts else {}
    return question.answer(Scores, "scored", rows, **overall)


def _bytes(generator: Generator, contents: Sequence[Any]) -> list[int | None]:
    """How many bytes each text has; of what else is scored, nobody counts any."""
    if generator.card.modality != "text":
        return [None] * len(contents)
    return [len(content.encode("utf-8")) for content in contents]


def encode(question: Question) -> dict[str, Any]:
    """A feature vector for each item; `features.csv` with `out`."""
    from aigc_models.capabilities import Encodes

    question = question.fitting(question.generator.encode)
    features = question.generator.embed(question.contents).tolist()
    buffer = io.StringIO()
    lines = csv.writer(buffer, lineterminator="\n")
    lines.writerow(["input", *(f"feature_{at}" for at in range(len(features[0])))])
    lines.writerows(
        [no_formula(item.name), *(f"{value:.7g}" for value in row)] for item, row in zip(question.items, features, strict=True)
    )
    question.save("features.csv", buffer.getvalue().encode())
    rows = [{"input": item.name, "features": row} for item, row in zip(question.items, features, strict=True)]
    return question.answer(Encodes, "encoded", rows, size=len(features[0]))


def reconstruct(question: Question) -> dict[str, Any]:
    """Each item through the model and back, and how far that is from it."""
    from aigc_models.capabilities import Reconstructs

    question, generator = question.fitting(question.generator.encode), question.generator
    restored = generator.reconstruct(question.contents)
    before, after = generator.encode(question.contents), generator.encode(restored)
    return _mended(question, Reconstructs, "reconstructed", restored, {"": (before, after)})


def denoise(question: Question, noise: float, add: bool, seed: int = 0) -> dict[str, Any]:
    """Each item freed from noise; `add`: that much is added first, so that the figures are against the clean item."""
    from aigc_models.capabilities import Denoises

    question, generator = question.fitting(question.generator.encode), question.generator
    clean = generator.encode(question.contents)
    noisy = clean + noise * _noise(clean, seed) if add else clean
    values = generator.denoised(noisy, noise, question.label)
    restored = generator.decode_like(values, question.contents)
    pairs = {"": (clean, values), "noisy_": (clean, noisy)} if add else {"": (clean, values)}
    return _mended(question, Denoises, "denoised", restored, pairs, noise=noise, added=add)


def _noise(values: Tensor, seed: int) -> Tensor:
    import torch

    return torch.randn(values.shape, generator=torch.Generator().manual_seed(seed))


def _mended(
    question: Question,
    capability: type,
    key: str,
    contents: Sequence[Any],
    pairs: dict[str, tuple[Tensor, Tensor]],
    **figures: Any,
) -> dict[str, Any]:
    """Write the items, with their label inside where there is room; `mse` and `psnr` of each pair of encoded items."""
    modality = question.generator.modality
    errors = {name: ((one - other).flatten(1) ** 2).double().mean(1).tolist() for name, (one, other) in pairs.items()}
    rows = []
    for at, (item, content) in enumerate(zip(question.items, contents, strict=True)):
        item_errors = {name: each[at] for name, each in errors.items()}
        rows.append({"input": item.name, **_figures(item_errors, question.generator.goes_on)})
        if question.out:
            stem = str(PurePosixPath(item.name).with_suffix("")).replace(":", "-")
            payload = labelled(modality.pack(content), modality.suffix, question.identity.mark(0, at))
            rows[-1]["file"] = question.save(f"{stem}{modality.suffix}", payload)
    means = {name: sum(each) / len(each) for name, each in errors.items()}
    return question.answer(capability, key, rows, **_figures(means, question.generator.goes_on), **figures)


def _figures(errors: dict[str, float], standardised: bool) -> dict[str, float]:
    """Mean squared error in encoded units; the peak signal-to-noise ratio in decibels where items have a peak."""
    figures = {f"{name}mse": error for name, error in errors.items()}
    if not standardised:
        figures |= {f"{name}psnr": 10 * math.log10(PEAK**2 / max(error, 1e-12)) for name, error in errors.items()}
    return figures
