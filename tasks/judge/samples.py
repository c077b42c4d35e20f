"""What the candidates of an evaluation generate: samples to measure, and samples to look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aigc_models.find import find, names
from aigc_models.heads import GENERATE
from aigc_models.modality import divided_inside
from tasks.judge.heat_map import heat_map

if TYPE_CHECKING:
    from torch import Tensor

    from aigc_models.corpus import Corpus
    from aigc_models.generator import Generator

TOGETHER = 128  # samples that are measured are made so many at a time: several times as fast as the micro-batch of an answer
HEATED = 8  # texts whose tokens are shown by how much they surprised
QUOTED = 120  # characters of a nearest training text that are shown
ORIGINS = 12  # test windows whose forecast is shown
BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)


def shuffled(corpus: Corpus, seed: int) -> Corpus:
    """The first items of a split may be of few labels, as the source has them in order; windows of time stay as they are."""
    import numpy as np

    if divided_inside(find("aigc_models.modalities", corpus.modality)):
        return corpus
    return corpus.take(np.random.default_rng(seed).permutation(len(corpus)))


def generate_like(test: Corpus, generator: Generator, most: int, seed: int) -> Corpus:
    """Sample i has the condition of test item i, for as many as there are (at most `most`); sample i has seed `seed` + i.

    None of what goes on from a past: that is measured by its quantiles, at every window.
    """
    import numpy as np
    import torch

    from aigc_models.corpus import Corpus

    if generator.goes_on:
        return test.take(np.arange(0))
    count = min(len(test), most)
    conditions = torch.from_numpy(np.array(test.conditions[:count], dtype=np.int64))
    seeds = torch.arange(count) + seed
    values = generator.encoded(conditions, seeds, together=min(count, TOGETHER))
    contents = generator.modality.decode(values, generator.format)
    return Corpus(test.modality, generator.modality.encode(contents, generator.format), conditions.numpy())


def show_samples(generator: Generator, count: int, seed: int, folder: Path, test: Corpus, train: Corpus | None = None) -> None:
    """Write the `count` samples that the report shows, and `samples.json` that says what they are.

    Of each its `file`, `label` and `seed`; of a text also a `note` with its nearest in `train`; of a forecast also `html`, how
    it is shown, and a `note` in place of the seed, as of answers about test items, which a model gives whose task is not to
    make any.
    """
    folder.mkdir(exist_ok=True)
    if generator.card.task != GENERATE:
        shown = answers(generator, count, folder, test)
    else:
        shown = forecasts(generator, folder, test) if generator.goes_on else items(generator, count, seed, folder, train)
    (folder / "samples.json").write_text(json.dumps(shown, indent=1, sort_keys=True) + "\n")


def answers(generator: Generator, count: int, folder: Path, test: Corpus) -> list[dict[str, Any]]:
    """What the model answers about test items; none where no file says how that is shown."""
    if generator.card.task not in names("tasks.judge.answers"):
        return []
    shown: list[dict[str, Any]] = find("tasks.judge.answers", generator.card.task).answers(generator, test, count, folder)
    return shown


def items(generator: Generator, count: int, seed: int, folder: Path, train: Corpus | None = None) -> list[dict[str, Any]]:
    """Generated items, labels in turn.

    Made together, which takes a fraction of the time; each is what `generate(1, label=label, seed=seed)` gives.
    """
    import torch

    from aigc_models.generator import item_seeds

    labels: Sequence[str | None] = generator.card.labels or (None,)
    asked = [(labels[position % len(labels)], seed + position) for position in range(count)]
    conditions = torch.cat([generator.conditions(1, label, seed) for label, seed in asked])
    values = generator.encoded(conditions, torch.cat([item_seeds(seed, 1) for _, seed in asked]))
    shown = []
    contents = generator.modality.decode(values, generator.format)
    for position, content in enumerate(contents):
        path = generator.modality.write(content, folder / f"{position:03d}{generator.modality.suffix}")
        shown.append({"file": path.name, "label": asked[position][0], "seed": asked[position][1]})
    if generator.card.modality == "text":
        for one, content, (label, _) in zip(shown[:HEATED], contents, asked, strict=False):
            if html := heat_map(generator, content, label):
                one["html"] = html
    if generator.card.modality == "text" and train is not None and len(train):
        for one, nearest in zip(shown, nearest_texts(contents, train, generator), strict=True):
            one["note"] = f"seed {one['seed']}; {nearest}"
    return shown


def nearest_texts(contents: Sequence[str], train: Corpus, generator: Generator) -> list[str]:
    """Of each text, in words, which training text is most like it, and how far away that is, as `memorised_share` compares."""
    from aigc_models.metrics._text_distance import closest

    references = generator.modality.decode(train.values, generator.format)
    rows, distances = closest(references, contents)
    shown = (" ".join(references[row].split()) for row in rows.tolist())
    cut = (text if len(text) <= QUOTED else f"{text[:QUOTED]}..." for text in shown)
    return [f"nearest training text, at {far:.2f}: {text}" for text, far in zip(cut, distances.tolist(), strict=True)]


def forecasts(generator: Generator, folder: Path, test: Corpus) -> list[dict[str, Any]]:
    """Forecasts at origins spread over the test time, beside what really came; times are steps from the origin."""
    import numpy as np

    from aigc_models.inference import Forecast
    from tasks.judge.forecast_view import beside, picture

    labels, step = [*generator.card.labels, None], generator.format.step
    rows = np.unique(np.linspace(0, len(test) - 1, min(ORIGINS, len(test))).round().astype(np.int64))
    batch, shown = test.batch(rows), []
    pasts = generator.modality.given(batch.values, generator.format)["past"]
    context = pasts.shape[-1]
    quantiles = generator.forecasted(pasts, batch.conditions, BANDS)
    whole, *levels = (_counted(generator, part, first) for part, first in _parts(batch.values, quantiles, context))
    for number, row in enumerate(rows.tolist()):
        past, actual = whole[number].part(0, context), whole[number].part(context, whole[number].steps)
        forecast = Forecast(past, BANDS, tuple(level[number] for level in levels))
        file, note = f"{number:03d}.csv", f"test window {row + 1} of {len(test)}, {actual.steps} steps of {step} ahead"
        (folder / file).write_bytes(beside(forecast, actual))
        label = labels[int(batch.conditions[number])]
        shown.append({"file": file, "label": label, "seed": None, "note": note, "html": picture(forecast, actual, note)})
    return shown


def _parts(windows: Tensor, quantiles: Tensor, context: int) -> list[tuple[Tensor, int]]:
    """Encoded series and the step from the origin that each begins at: whole windows, then each level."""
    return [(windows, -context), *((quantiles[..., at], 0) for at in range(quantiles.shape[-1]))]


def _counted(generator: Generator, values: Tensor, first: int) -> list[Any]:
    """Encoded windows as series in their own unit, whose time is a plain number of steps from `first` on."""
    return [replace(one, start=float(first), step="1") for one in generator.modality.decode(values, generator.format)]
