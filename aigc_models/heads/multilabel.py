"""Which labels an item has, any number of them: a logit for each over what a body makes of the item, trained by binary
cross-entropy.

The label of an item in the data set names a set: `economy;politics`, `economy|politics`, or a JSON list of names.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Assigns, Mean, Shape
from aigc_models.corpus import Batch, Corpus
from aigc_models.errors import BadInput
from aigc_models.find import names as files
from aigc_models.heads._linear import LinearHead

if TYPE_CHECKING:
    from aigc_models.inference import Inference

PROTOCOL = Assigns
MODALITIES = frozenset(files("aigc_models.modalities"))
MOST_LABELS, ENOUGH, SEVERAL = 100, 5, 0.05  # labels, items of each on average, share of items with two or more: by itself
FEWEST = 2  # train items of two of the labels
RARE = 0.1  # probability of a label before anything is learnt
THRESHOLD = 0.5  # from which on a label is given, where none was learnt


class Targets(BaseModel):
    """How the label of an item becomes a number for each single label: 1 where it has it, else 0."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    separator: str = Field(";|", min_length=1, description="characters any of which stands between two labels of an item")

    def parts(self, label: str) -> list[str]:
        """The single labels of a set, each once.

        >>> Targets().parts("economy; politics"), Targets().parts('["a", "b|c"]')
        (['economy', 'politics'], ['a', 'b|c'])
        """
        names = _listed(label)
        if names is None:
            names = re.split(f"[{re.escape(self.separator)}]", label)
        return list(dict.fromkeys(name.strip() for name in names if name.strip()))

    def names(self, labels: Sequence[str | None]) -> tuple[str, ...]:
        """The single labels of the train items, in alphabetical order; `BadInput` where no item has two."""
        sets = [self.parts(label) for label in labels if label]
        if sets and all(len(each) < 2 for each in sets):
            example = next((each[0] for each in sets if each), "")
            raise BadInput(
                f"every train item has one label, such as {example!r}: use --task classify, or regress; or say what "
                f"stands between the labels of an item, which is none of {' '.join(self.separator)} here, such as "
                "--set 'training.encode.target={separator: \",\"}'"
            )
        return tuple(sorted({name for each in sets for name in each}))

    def of(self, label: str | None, names: Sequence[str]) -> Float[np.ndarray, " target"]:
        """float32 (label,); a label that is none of `names` has no number, and the others of its item count."""
        if not label:
            return np.full(len(names), np.nan, dtype=np.float32)
        has = set(self.parts(label))
        return np.array([name in has for name in names], dtype=np.float32)


class Settings(BaseModel):
    """The layer on top, and its loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dropout: float = Field(0.1, ge=0, lt=1, description="share of the features that are dropped in training")


class MultilabelHead(LinearHead):
    """A logit for each label from the body's features; items without a label teach nothing."""

    NAME = "multilabel"

    def __init__(self, body: Any, labels: int, settings: Settings) -> None:
        super().__init__(body, labels, labels, settings)
        nn.init.constant_(self.output.bias, math.log(RARE / (1 - RARE)))  # most labels are rare (Lin et al. 2017, section 4.1)

    def assign(self, batch: Batch) -> Float[Tensor, "item label"]:
        """Before the sigmoid."""
        return self.scores(batch)

    def loss(self, batch: Batch) -> Mean:
        """Nats a label of an item that has any, and how many items those are."""
        assert batch.targets is not None
        there = ~batch.targets.isnan().any(1)
        count = there.sum().clamp(min=1)
        total = F.binary_cross_entropy_with_logits(self.assign(batch)[there], batch.targets[there], reduction="sum")
        return Mean(total / count / self.output.out_features, count)


def suits(card: Mapping[str, Any]) -> str:
    """Why a data card suits the task: sets made of few labels that come again and again; empty where it does not."""
    counts: Mapping[str, int] = card.get("splits", {}).get("train", {}).get("labels", {})
    sets = {label: Targets().parts(label) for label in counts if label}
    items = sum(counts[label] for label in sets)
    several = sum(counts[label] for label, names in sets.items() if len(names) > 1)
    single = Counter[str]()
    for label, names in sets.items():
        single.update(dict.fromkeys(names, counts[label]))
    frequent = 2 <= len(single) <= min(MOST_LABELS, items // ENOUGH)
    if frequent and several >= SEVERAL * items and single.total() >= ENOUGH * len(single):
        return f"{several / items:.0%} of the train items have several of {len(single)} labels"
    return ""


def check(shape: Shape, train: Corpus) -> None:
    """Two labels at least, with as many train items as it takes to learn and check one."""
    assert train.targets is not None
    counts = np.nansum(train.targets, axis=0)
    if int((counts >= FEWEST).sum()) < 2:
        stand = ", ".join(f"{name!r} has {int(count)}" for name, count in zip(shape.labels[:5], counts, strict=False)) or "none"
        raise BadInput(
            f"to name several labels takes two labels with {FEWEST} train items each, and there are: {stand}; "
            "say where labels stand with `aigc data add --label`"
        )


def given(probabilities: Sequence[float], thresholds: Sequence[float]) -> list[int]:
    """Which labels an item is given, the likeliest first."""
    chosen = [at for at, (one, least) in enumerate(zip(probabilities, thresholds, strict=True)) if one >= least]
    return sorted(chosen, key=lambda at: -probabilities[at])


def thresholds_of(model: Any, labels: int) -> tuple[float, ...]:
    """From which probability on a model gives each label: what its ensemble has learnt, or a half."""
    learnt: Iterable[float] = getattr(model, "thresholds", ())
    return tuple(learnt) or (THRESHOLD,) * labels


def answers(generator: Inference, contents: Sequence[Any]) -> list[dict[str, Any]]:
    """Of each content the `labels` that it is given, the likeliest first, and the `probabilities` of all."""
    names, rows = generator.card.labels, []
    least = thresholds_of(generator.model, len(names))
    for shares in generator.assign(contents).tolist():
        chosen = [names[at] for at in given(shares, least)]
        rows.append({"labels": chosen, "probabilities": dict(zip(names, shares, strict=True))})
    return rows


def build(body: nn.Module, shape: Shape, settings: Settings) -> MultilabelHead:
    """`body` with a layer on top; it `Encodes`, and says the width of what it gives as `features`."""
    return MultilabelHead(body, len(shape.labels), settings)


def _listed(label: str) -> list[str] | None:
    """The names in a JSON list of texts or numbers; None for another text."""
    if not label.lstrip().startswith("["):
        return None
    try:
        names = json.loads(label)
    except ValueError:
        return None
    return [str(name) for name in names] if all(isinstance(name, (str, int, float)) for name in names) else None
