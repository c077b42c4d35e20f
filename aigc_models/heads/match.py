"""Which answer fits a question: both as vectors by one body, near each other where they belong together (a bi-encoder).

An item is a question, its first line, and the answer, all other lines. Trained by InfoNCE with a learnt temperature (van den
Oord et al. 2018; Radford et al. 2021), in both directions, against the other items of a batch (Henderson et al. 2017).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import TYPE_CHECKING, Any

import safetensors.torch
import torch
from jaxtyping import Bool, Float
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from aigc_models.capabilities import Matches, Mean, Player, Shape
from aigc_models.corpus import Batch, Corpus, Shuffled
from aigc_models.errors import BadInput
from aigc_models.language.cases import CASES, INDEXED, Case, CaseBook, learn
from aigc_models.language.pairs import Pair, batch_of, distinct_answers, pair, pairs_of
from aigc_models.sequences import PAD
from aigc_models.training.devices import place_of

if TYPE_CHECKING:
    from aigc_models.inference import Inference

__all__ = [
    "MODALITIES",
    "PROTOCOL",
    "MatchHead",
    "Pair",
    "Settings",
    "answers",
    "beside",
    "build",
    "check",
    "pair",
    "pairs_of",
    "suits",
]

PROTOCOL = Matches
MODALITIES = frozenset({"text"})
SIDES = ("question", "answer")
SHARPEST = 100.0  # one over the least temperature (Radford et al. 2021, section 2.5)
AT_ONCE = 64  # items that are described together
SHOWN = 60  # characters of an item in a message


class Settings(BaseModel):
    """The layers on top, and the loss."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    sharpness: float = Field(20.0, gt=0, le=SHARPEST, description="one over the temperature at the start; learnt from there")
    dropout: float = Field(0.0, ge=0, lt=1, description="share of the features that are dropped in training")


class MatchHead(nn.Module):
    """A linear layer for each side above the body, which change nothing at the start: a score is a cosine, made sharper."""

    def __init__(self, body: Any, shape: Shape, settings: Settings) -> None:
        super().__init__()
        self.body: Any = body
        self.settings, self.format, self.none = settings, shape.format, len(shape.labels)
        self.dropout = nn.Dropout(settings.dropout)
        self.sides = nn.ModuleDict()
        for side in SIDES:
            layer = nn.Linear(body.features, body.features)
            nn.init.eye_(layer.weight)
            nn.init.zeros_(layer.bias)
            self.sides[side] = layer
        self.sharpness = nn.Parameter(torch.tensor(math.log(settings.sharpness)))

    def describe(self, batch: Batch, side: str) -> Float[Tensor, "item feature"]:
        """Vectors of length 1 of texts on one side, `question` or `answer`."""
        unlabelled = Batch(batch.values, torch.full_like(batch.conditions, self.none))
        return F.normalize(self.sides[side](self.dropout(self.body.embed(unlabelled))), dim=-1)

    def index(self, answers: Batch) -> Float[Tensor, "answer feature"]:
        """The answers' vectors, on the model's device; those of like length are described together."""
        order = (answers.values != PAD).sum(1).argsort(stable=True)
        batches = [Batch(answers.values[rows], answers.conditions[rows]) for rows in order.split(AT_ONCE)]
        described = [self.describe(trimmed(batch).to(place_of(self)), "answer") for batch in batches]
        return torch.cat(described)[order.argsort().to(place_of(self))]

    def match(self, questions: Batch, answers: Batch | Tensor) -> Float[Tensor, "item answer"]:
        """Logits of each answer, to which the softmax over a question's answers belongs."""
        described = self.index(answers) if isinstance(answers, Batch) else answers
        scores = self.describe(questions.to(place_of(self)), "question") @ described.T
        return (self.factor * scores).to(questions.conditions.device)

    @property
    def factor(self) -> Tensor:
        """One over the temperature."""
        return self.sharpness.exp().clamp(max=SHARPEST)

    def batches(self, corpus: Corpus, size: int, seed: int) -> Shuffled:
        """Random ones: in batches of like length the negatives would be told apart by their length."""
        return Shuffled(corpus, size, seed)

    def players(self) -> list[Player]:
        """One, of whatever takes a gradient; the body's own matrices stay Muon's where it is trained along."""
        learnt: list[Tensor] = [parameter for parameter in self.parameters() if parameter.requires_grad]
        whole = all(parameter.requires_grad for parameter in self.body.parameters())
        matrices = self.body.players()[0].matrices if whole and hasattr(self.body, "players") else []
        return [Player("match", learnt, self.loss, betas=(0.9, 0.99), matrices=list(matrices))]

    def loss(self, batch: Batch) -> Mean:
        """Nats to tell an item's answer from the batch's other ones, and its question likewise; mean of both."""
        pairs = pairs_of(batch.values, self.format)
        questions, answers = ([getattr(pair, side) for pair in pairs] for side in ("question", "answer"))
        left, right = (self.described(texts, side) for texts, side in ((questions, "question"), (answers, "answer")))
        scores = (self.factor * left @ right.T).masked_fill(same(questions, answers).to(left.device), -torch.inf)
        truth = torch.arange(len(pairs), device=left.device)
        loss = (F.cross_entropy(scores, truth) + F.cross_entropy(scores.T, truth)) / 2
        return Mean(loss, torch.tensor(len(pairs), device=left.device))

    def described(self, texts: Sequence[str], side: str) -> Float[Tensor, "item feature"]:
        """`describe` of texts."""
        return self.describe(batch_of(texts, self.format, self.none).to(place_of(self)), side)

    @torch.no_grad()
    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]:
        """The loss of a batch of items."""
        return self.loss(batch).value


def same(questions: Sequence[str], answers: Sequence[str]) -> Bool[Tensor, "item item"]:
    """Which other items of a batch are no negatives of an item, since they have its question or its answer."""
    numbers = [torch.tensor([texts.index(text) for text in texts]) for texts in (questions, answers)]
    alike = (numbers[0][:, None] == numbers[0]) | (numbers[1][:, None] == numbers[1])
    return alike.fill_diagonal_(False)


def trimmed(batch: Batch) -> Batch:
    """Without the columns in which all items are padded."""
    longest = int((batch.values != PAD).sum(1).max().clamp(min=1))
    return Batch(batch.values[:, :longest], batch.conditions)


def suits(card: Mapping[str, Any]) -> str:
    """Never by itself: any text of two lines could be a pair."""
    return ""


def check(shape: Shape, train: Corpus) -> None:
    """A question and an answer in every train item, and two different answers at least."""
    pairs = pairs_of(train.sequences, shape.format)
    short = [pair for pair in pairs if not pair.question.strip() or not pair.answer.strip()]
    if short:
        first = max(short[0], key=len)
        raise BadInput(
            "to match takes a question, an item's first line, and its answer, the lines behind it; "
            f"{len(short):,} of {len(pairs):,} train items have one alone, such as "
            f"{first[:SHOWN]!r}: complete them, or leave them out"
        )
    answers = {pair.answer for pair in pairs}
    if len(answers) < 2:
        only = f"all {len(pairs):,} items have the same: {min(answers)[:SHOWN]!r}" if answers else "there is no train item"
        raise BadInput(f"to match takes two different answers or more, and {only}; add questions that have another answer")


def answers(generator: Inference, contents: Sequence[Any]) -> list[dict[str, Any]]:
    """Of each pair, the `best` answer among those of all these pairs, its `probability`, and the `place` of its own answer."""
    pairs = [pair(content) for content in contents]
    distinct = distinct_answers(pairs)
    shares = generator.match([one.question for one in pairs], generator.index(distinct)).numpy()
    rows = []
    for one, row in zip(pairs, shares, strict=True):
        best, place = int(row.argmax()), 1 + int((row > row[distinct.index(one.answer)]).sum())
        rows.append({"question": one.question, "best": distinct[best], "probability": float(row[best]), "place": place})
    return rows


def beside(ensemble: Any, corpora: Mapping[str, Corpus], ids: Mapping[str, Sequence[str]], shape: Shape) -> dict[str, bytes]:
    """The past cases. Weights and certainty come from validation questions beside the train cases; to be replied from are all
    cases, whichever split they are in, since nothing is measured on them here."""
    pairs = {name: pairs_of(corpus.sequences, shape.format) for name, corpus in corpora.items()}
    each = {name: [Case(id, *one) for id, one in zip(ids[name], pairs[name], strict=True)] for name in pairs}
    none = len(shape.labels)
    learned = learn(ensemble.members, ensemble.weights, each["train"], pairs["validation"], shape.format, none)
    whole = learned.model_copy(update={"cases": tuple(chain.from_iterable(each.values()))})
    indexed = CaseBook(ensemble.members, whole, shape.format, none).indexed
    tensors = {name: one.cpu().contiguous() for name, one in indexed.items() if isinstance(one, Tensor)}
    return {CASES: whole.model_dump_json().encode(), INDEXED: safetensors.torch.save(tensors)}


def build(body: nn.Module, shape: Shape, settings: Settings) -> MatchHead:
    """`body` with a layer for each side; it `Encodes`, and says the width of what it gives as `features`."""
    return MatchHead(body, shape, settings)
