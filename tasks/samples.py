"""What the candidates of an evaluation generate: samples to measure, and samples to look at."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aigc_models.corpus import Corpus
    from aigc_models.generator import Generator
    from tasks.evaluate import EvaluationSettings


def shuffled(corpus: Corpus, seed: int) -> Corpus:
    """The first items of a split may be of few labels, as the source has them in order."""
    import numpy as np

    return corpus.take(np.random.default_rng(seed).permutation(len(corpus)))


def generate_like(test: Corpus, generator: Generator, settings: EvaluationSettings) -> Corpus:
    """Sample i has the condition of test item i, for as many as there are (at most `settings.samples`)."""
    import numpy as np
    import torch

    from aigc_models.corpus import Corpus

    count = min(len(test), settings.samples)
    conditions = torch.from_numpy(np.array(test.conditions[:count], dtype=np.int64))
    seeds = torch.arange(count) + settings.seed
    contents = generator.modality.decode(generator.encoded(conditions, seeds), generator.format)
    return Corpus(test.modality, generator.modality.encode(contents, generator.format), conditions.numpy())


def show_samples(generator: Generator, settings: EvaluationSettings, folder: Path) -> None:
    """Write the samples that the report shows, labels in turn, and `samples.json` that says what they are.

    Made together, which takes a fraction of the time; each is what `generate(1, label=label, seed=seed)` gives.
    """
    import torch

    from aigc_models.generator import item_seeds

    folder.mkdir(exist_ok=True)
    labels: Sequence[str | None] = generator.card.labels or (None,)
    asked = [(labels[position % len(labels)], settings.seed + position) for position in range(settings.shown)]
    conditions = torch.cat([generator.conditions(1, label, seed) for label, seed in asked])
    values = generator.encoded(conditions, torch.cat([item_seeds(seed, 1) for _, seed in asked]))
    shown = []
    for position, content in enumerate(generator.modality.decode(values, generator.format)):
        path = generator.modality.write(content, folder / f"{position:03d}{generator.modality.suffix}")
        shown.append({"file": path.name, "label": asked[position][0], "seed": asked[position][1]})
    (folder / "samples.json").write_text(json.dumps(shown, indent=1, sort_keys=True) + "\n")
