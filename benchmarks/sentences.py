"""Macro-F1 and calibration of the classifiers of text, each alone and pooled, on Financial PhraseBank.

    python -m benchmarks.sentences FOLDER [--steps 500] [--seeds 3] --out benchmarks/results/sentences.json

FOLDER holds `Sentences_50Agree.txt` (Malo et al. 2014): a sentence, `@` and its label a line. Five stratified folds; of the
training part of each a tenth is validation, on which strengths, the best steps and the pool are chosen, and no test fold has
a say. Beside them stands a peer: scikit-learn's pipeline and logistic regression, which has the whole training part.
Calibration errors are over the test items of all folds together, as measured (`plain`) and less what chance adds, and
`by_chance` is what a perfectly calibrated model of these confidences would show as measured. One process; set
OMP_NUM_THREADS=1.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from scipy.special import log_softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, train_test_split
from sklearn.pipeline import make_pipeline, make_union

from aigc_models.capabilities import Fits, Shape
from aigc_models.corpus import Corpus
from aigc_models.ensembles import opinion_pool
from aigc_models.families import ridge, tfidf, word_cnn
from aigc_models.metrics._classes import log_probabilities
from aigc_models.metrics.expected_calibration_error import calibration_error
from aigc_models.modalities import text
from aigc_models.training.fit import fit, seeded
from aigc_models.training.plan import Plan

FILE, FOLDS, SEED = "Sentences_50Agree.txt", 5, 0
LABELS = ("negative", "neutral", "positive")


class Answered(NamedTuple):
    """What one classifier says of a test fold, log-probabilities (item, label), and the seconds it took."""

    said: np.ndarray
    fit_seconds: float
    seconds_for_1000: float


class Quiet:
    """What training sees of the world: a folder."""

    def __init__(self, folder: str) -> None:
        self.folder = Path(folder)

    def progress(self, step: int, total: int, **figures: float) -> None:
        return None

    def stop(self) -> bool:
        return False


def sentences(folder: Path) -> tuple[list[str], np.ndarray]:
    """Each sentence once, and its label; of two labels of the same sentence the first."""
    lines = (folder / FILE).read_text("utf-8-sig").splitlines()
    pairs = [line.rpartition("@")[::2] for line in lines if line.strip()]
    labels = dict[str, str]()
    for sentence, label in pairs:
        labels.setdefault(sentence.strip(), label.strip())
    return list(labels), np.array([LABELS.index(label) for label in labels.values()])


def peer(written: list[str], truth: np.ndarray, asked: list[str]) -> Answered:
    """Words 1-2 and characters 2-5, logistic regression, C=10, labels balanced."""
    kinds = (TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True, min_df=2),
             TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True, min_df=2))  # fmt: skip
    model = make_pipeline(make_union(*kinds), LogisticRegression(C=10, class_weight="balanced", max_iter=1000))
    begun = time.perf_counter()
    model.fit(written, truth)
    middle = time.perf_counter()
    said = model.predict_log_proba(asked)
    return Answered(said, middle - begun, (time.perf_counter() - middle) * 1000 / len(asked))


def trained(family: Any, seed: int, corpora: dict[str, Corpus], shape: Shape, steps: int) -> Any:
    """One member, as `finetune` trains it."""
    with seeded(seed):
        model = family.build(family.SIZES["small"], shape)
    if isinstance(model, Fits):
        model.fit(corpora["train"], corpora["validation"], lambda *args, **figures: None)
        return model
    plan = Plan.model_validate({**family.PLAN, "steps": steps, "seed": seed, "device": "cpu"})
    with tempfile.TemporaryDirectory() as folder:
        fit(model, corpora["train"], corpora["validation"], plan, Quiet(folder))
    return model


def answers(model: Any, test: Corpus, fit_seconds: float) -> Answered:
    begun = time.perf_counter()
    said = log_probabilities(model, test, len(LABELS)).numpy()
    return Answered(said, fit_seconds, (time.perf_counter() - begun) * 1000 / len(test))


def of_fold(corpora: dict[str, Corpus], shape: Shape, steps: int, seeds: int) -> dict[str, Answered]:
    """Each family alone, and calibrated by a pool of one; all of them by equal weights, and pooled."""
    answered, members, plans = dict[str, Answered](), dict[str, Any](), [("tfidf", tfidf, 0), ("ridge", ridge, 0)]
    for name, family, seed in [*plans, *((f"word_cnn_{seed}", word_cnn, seed) for seed in range(seeds))]:
        begun = time.perf_counter()
        members[name] = trained(family, seed, corpora, shape, steps)
        answered[name] = answers(members[name], corpora["test"], time.perf_counter() - begun)

    def pooled(chosen: dict[str, Any]) -> Answered:
        begun = time.perf_counter()
        splits = corpora["train"], corpora["validation"]
        pool = opinion_pool.fit(chosen, *splits, shape, opinion_pool.Settings(), 0, lambda *args: None)
        if len(chosen) > 1:
            print(
                "   weights", {name: round(weight, 3) for name, weight in pool.weights.items()}, pool.settings.scale, flush=True
            )
        return answers(pool, corpora["test"], time.perf_counter() - begun)

    calibrated = {f"{name} calibrated": pooled({name: member}) for name, member in members.items()}
    equal = opinion_pool.build(members, dict.fromkeys(members, 1.0), opinion_pool.Settings())
    return answered | calibrated | {"equal weights": answers(equal, corpora["test"], 0.0), "opinion_pool": pooled(members)}


def macro_f1(truth: np.ndarray, said: np.ndarray) -> float:
    return float(f1_score(truth, said.argmax(1), average="macro"))


def summary(answered: list[Answered], truths: list[np.ndarray]) -> dict[str, Any]:
    """Macro-F1 by fold; the calibration of all folds' items together."""
    each = [macro_f1(truth, one.said) for one, truth in zip(answered, truths, strict=True)]
    said, truth = log_softmax(np.concatenate([one.said for one in answered]), axis=1), np.concatenate(truths)
    confidence, right = np.exp(said.max(1)), (said.argmax(1) == truth).astype(float)
    random = np.random.default_rng(0)
    chance = [calibration_error(confidence, (random.random(len(truth)) < confidence).astype(float), False) for _ in range(200)]
    return {
        "macro_f1": round(float(np.mean(each)), 4),
        "spread": round(float(np.std(each, ddof=1)), 4),
        "folds": [round(one, 4) for one in each],
        "accuracy": round(float(right.mean()), 4),
        "log_loss": round(float(-said[np.arange(len(truth)), truth].mean()), 4),
        "calibration_error": round(calibration_error(confidence, right), 4),
        "calibration_error_plain": round(calibration_error(confidence, right, debiased=False), 4),
        "calibration_error_by_chance": round(float(np.mean(chance)), 4),
        "fit_seconds": round(float(np.mean([one.fit_seconds for one in answered])), 2),
        "seconds_for_1000": round(float(np.mean([one.seconds_for_1000 for one in answered])), 3),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--steps", type=int, default=500, help="of the network")
    parser.add_argument("--seeds", type=int, default=3, help="networks")
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    torch.set_num_threads(1)
    written, truth = sentences(options.folder)
    form = text.choose_format(written)
    shape, whole = Shape("text", LABELS, form, "classify"), Corpus("text", text.encode(written, form), truth)
    answered, truths = dict[str, list[Answered]](), list[np.ndarray]()
    for number, (rest, test) in enumerate(
        StratifiedKFold(FOLDS, shuffle=True, random_state=SEED).split(written, truth), start=1
    ):
        train, validation = train_test_split(rest, test_size=0.1, random_state=SEED, stratify=truth[rest])
        parts = {"train": train, "validation": validation, "test": test}
        corpora = {name: whole.take(np.sort(rows)) for name, rows in parts.items()}
        fold = {"scikit-learn": peer([written[at] for at in rest], truth[rest], [written[at] for at in test])}
        fold |= of_fold(corpora, shape, options.steps, options.seeds)
        truths.append(truth[test])
        for name, one in fold.items():
            answered.setdefault(name, []).append(one)
        print(number, {name: round(macro_f1(truth[test], one.said), 4) for name, one in fold.items()}, flush=True)
    results = {name: summary(each, truths) for name, each in answered.items()}
    for name, figures in results.items():
        print(name, figures)
    if options.out:
        settings = {"sentences": len(written), "folds": FOLDS, "steps": options.steps, "seeds": options.seeds}
        options.out.write_text(json.dumps({"settings": settings, "results": results}, indent=1) + "\n")


if __name__ == "__main__":
    main()
