"""What a trained model says of content that it is given: forecasts, labels, features, likelihoods, cleaner items.

A capability that an ensemble does not have itself is that of the member with the largest weight that has it
(`delegation.able`); `answers(protocol)` names it. Models run at the micro-batch that the card states, and what is
short of it is padded, so that an answer depends on its own item alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from types import ModuleType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from aigc_models.bundle import Card
from aigc_models.capabilities import (
    Assigns,
    Classifies,
    Denoises,
    Encodes,
    Forecasts,
    Matches,
    Recommends,
    Reconstructs,
    Regresses,
    Scores,
)
from aigc_models.corpus import Batch, Corpus
from aigc_models.delegation import abilities, able, outside
from aigc_models.errors import BadInput, Unreachable, unknown
from aigc_models.heads._linear import probabilities
from aigc_models.language import reading
from aigc_models.modality import divided_inside
from aigc_models.sequences import Sequences
from aigc_models.training.devices import place_of

if TYPE_CHECKING:
    from aigc_models.language.cases import CaseBook, Cases, Reply

REASONS, REASONS_FROM = 2, 20  # reasons of an item, and newest items of a history that they are sought in
MOST_KEPT = 2_000  # rows of log-probabilities that reasons are made from
LEVELS = (0.1, 0.25, 0.5, 0.75, 0.9)
Labels = str | Sequence[str] | None  # one for all items, or several that are gone through in turn


class Latest(NamedTuple):
    """The newest past of each series that a model was trained on, as content, and its condition."""

    contents: tuple[Any, ...] = ()
    conditions: tuple[int, ...] = ()


class Recommended(NamedTuple):
    """An item that may come next, how likely it is, and the items of the history that speak for it, the strongest first."""

    item: str
    probability: float
    because: tuple[str, ...] = ()


@dataclass(frozen=True)
class Forecast:
    """What comes after `past`: a content for each of `levels`, quantiles step by step, in the data's own unit."""

    past: Any
    levels: tuple[float, ...]
    quantiles: tuple[Any, ...]


@dataclass(frozen=True)
class Inference:
    """A trained model, and what it is asked about content. Errors of the caller are `BadInput`."""

    card: Card
    model: Any
    modality: ModuleType
    format: Any
    latest: Latest = field(default_factory=Latest)
    cases: Cases | None = None
    indexes: dict[str, Tensor] = field(default_factory=dict, repr=False, compare=False)  # of the texts of `cases`, by member
    alone: dict[int, Tensor] = field(default_factory=dict, repr=False, compare=False)  # what follows one item, by its symbol

    @property
    def capabilities(self) -> tuple[str, ...]:
        """What the model or a member of it can do; one that scores classifies too, where it knows two labels or more."""
        names = abilities(self.model)
        return (*names, "classifies") if self._by_bayes else names

    def answers(self, protocol: type) -> str:
        """The member that answers for an ensemble; empty: the model itself. `BadInput` where nobody can."""
        if protocol is Classifies and self._by_bayes:
            return ""
        provider = able(self.model, protocol)
        if provider is None:
            raise self._cannot(VERBS[protocol])
        return provider.name

    def forecast(
        self, pasts: Sequence[Any] | None = None, levels: Sequence[float] = LEVELS, label: Labels = None
    ) -> list[Forecast]:
        """Quantiles of what comes after each past; without one, after the newest of the training data.

        `levels` in (0, 1), ascending. A past that is too short or lacks a channel is `BadInput`.
        """
        self.answers(Forecasts)
        asked = _ascending(levels)
        after = self.pasts(pasts)
        conditions = self.label_conditions(len(after), label, newest=pasts is None)
        values = self.forecasted(self.encode_pasts(after), conditions, asked)
        each = [self.modality.decode(values[..., at], self.format, after=after) for at in range(len(asked))]
        return [Forecast(past, asked, tuple(quantiles)) for past, *quantiles in zip(after, *each, strict=True)]

    def forecasted(self, past: Tensor, conditions: Tensor, levels: Sequence[float]) -> Tensor:
        """The same for an encoded past (item, channel, context): standardised, (item, channel, horizon, level)."""
        wanted = torch.tensor(levels, dtype=torch.float32)
        return self._ask(Forecasts, lambda model, *given: model.forecast(*given, wanted.to(given[0].device)), past, conditions)

    def classify(self, contents: Sequence[Any]) -> Tensor:
        """Probabilities float32 (item, label); of a model that only scores by Bayes' rule, all labels equally likely.

        Raises `Unreachable` where a model that lies elsewhere gives no answer; an ensemble does without one of several members
        (`unanswered` says so).
        """
        shares = self.shares(contents)
        if silent := int(shares.isnan().any(1).sum()):
            reasons = "; ".join(f"{name}: {reason}" for name, (_, reason) in self.unanswered().items())
            raise Unreachable(f"{self.card.name} gives no answer for {silent} of {len(contents)} texts ({reasons})")
        return shares

    def unanswered(self) -> dict[str, tuple[int, str]]:
        """Who lies elsewhere and gave no answer since this was last called: for how many items, and why the last of them."""
        missed = {name: one.unanswered() for name, one in outside(self.model, self.card.name).items()}
        return {name: (count, reason) for name, (count, reason) in missed.items() if count}

    def shares(self, contents: Sequence[Any]) -> Tensor:
        """The probabilities that `classify` gives, with NaN for an item that got no answer."""
        if not self.card.labels:
            raise BadInput(f"{self.card.name} was trained without labels; there is nothing to classify into")
        if self._by_bayes:
            scores = torch.stack([self.log_likelihood(contents, label) for label in self.card.labels], 1)
        else:
            values, conditions = self._rows(contents), self.label_conditions(len(contents))
            scores = self._ask(Classifies, lambda model, *given: model.classify(Batch(*given)), values, conditions)
        silent = scores.isnan().all(1, keepdim=True) if outside(self.model) else torch.zeros(len(scores), 1).bool()
        # a model that holds every label for impossible tells none from the others
        shares = torch.nan_to_num(scores.double(), nan=0.0, posinf=1e30, neginf=-1e30).softmax(1).float()
        return shares.masked_fill(silent, torch.nan)

    def assign(self, contents: Sequence[Any]) -> Tensor:
        """The probability that an item has a label, each decided for itself: float32 (item, label)."""
        values, conditions = self._rows(contents), self.label_conditions(len(contents))
        scores = self._ask(Assigns, lambda model, *given: model.assign(Batch(*given)), values, conditions)
        return probabilities(scores.double()).float()

    def regress(self, contents: Sequence[Any]) -> Tensor:
        """The number of each item, in the unit of the data's own: float32 (item,)."""
        values, conditions = self._rows(contents), self.label_conditions(len(contents))
        return self._ask(Regresses, lambda model, *given: model.regress(Batch(*given)), values, conditions).float()

    def recommend(self, histories: Sequence[Any], count: int = 10) -> list[list[Recommended]]:
        """What is likeliest to come next in each history, `count` items that it does not hold, the likeliest first.

        A history may be empty: what it gets is what is likeliest of all. Items that the model does not know are passed over.
        """
        encoded = [symbols[:-1] for symbols in self.modality.encode(histories, self.format).rows()]  # without its END
        scores = self._recommended(encoded)
        answers = []
        for symbols, row in zip(encoded, scores, strict=True):
            row = row.log_softmax(0)
            allowed = row.clone()
            allowed[[0, *{int(symbol) for symbol in symbols}]] = -torch.inf  # 0: what is not known
            best = allowed.topk(min(count, int(torch.isfinite(allowed).sum()))).indices.tolist()
            why = self._because(symbols, best)
            named = self.format.items
            answers.append(
                [Recommended(named[at - 1], float(row[at].exp()), because) for at, because in zip(best, why, strict=True)]
            )
        return answers

    def index(self, answers: Sequence[str]) -> Any:
        """What `match` needs of answers, made once for all questions."""
        provider = able(self.model, Matches)
        if provider is None:
            raise self._cannot(VERBS[Matches])
        batch = Batch(self.encode(answers), self.label_conditions(len(answers)))
        with torch.inference_mode():
            return provider.model.index(batch.to(place_of(provider.model)))

    def match(self, questions: Sequence[str], index: Any) -> Tensor:
        """Which of the answers that `index` holds is the right one: probabilities float32 (question, answer), whose rows sum
        to 1; an ensemble's are calibrated, and those of a model alone are in the order of its scores, no more."""
        values = self.modality.encode(questions, self.format), self.label_conditions(len(questions))
        scores = self._ask(Matches, lambda model, *given: model.match(Batch(*given), index), *values)
        return scores.double().softmax(-1).float()

    def reply(self, question: str, count: int = 1) -> list[Reply]:
        """The `count` answers of past cases that suit a question best, the best first; `Reply.suits` says which are to be
        given. Raises `BadInput` for a question without a word, and where the bundle keeps no cases."""
        if self.cases is None:
            raise BadInput(
                f"{self.card.name} ({self.card.family}) keeps no past cases to reply from; train it for --task match"
            )
        if not question.strip():
            raise BadInput("the question is empty; say what is asked")
        return self.case_book.reply(" ".join(question.split()), count)

    @cached_property
    def case_book(self) -> CaseBook:
        """The cases with what the members need of them, made at the first question."""
        from aigc_models.language.cases import CaseBook

        assert self.cases is not None
        members = getattr(self.model, "members", {self.card.name: self.model})
        if missing := [name for name in self.cases.weights if name not in members]:
            raise BadInput(f"the cases of {self.card.name} are looked for by {', '.join(missing)}, which it does not have")
        return CaseBook(members, self.cases, self.format, len(self.card.labels), self.indexes)

    def _recommended(self, histories: Sequence[Any]) -> Tensor:
        """Log-probabilities float (history, symbol)."""
        sequences = Sequences.of(histories, np.int32)
        conditions = self.label_conditions(len(histories))
        return self._ask(
            Recommends, lambda model, *given: model.recommend(Batch(*given)), sequences, conditions, padded=False
        ).float()  # plain models take as long as there are histories

    def _because(self, symbols: Any, best: Sequence[int]) -> list[tuple[str, ...]]:
        """For each of the `best` the newest items of the history that make it likelier, each alone, than no history does; the
        one that does it most first."""
        looked_at = list(dict.fromkeys(int(symbol) for symbol in reversed(symbols[-REASONS_FROM:]) if symbol))
        if not looked_at or not best:
            return [()] * len(best)
        missing = [symbol for symbol in (0, *looked_at) if symbol not in self.alone]
        if missing:
            rows = self._recommended([[symbol] if symbol else [] for symbol in missing]).log_softmax(1)
            self.alone.update(zip(missing, rows, strict=True))
        lifts = torch.stack([self.alone[symbol][list(best)] - self.alone[0][list(best)] for symbol in looked_at])
        order, named = lifts.sort(dim=0, descending=True, stable=True).indices[:REASONS], self.format.items
        each = [[looked_at[at] for at in column.tolist() if lifts[at, place] > 0] for place, column in enumerate(order.T)]
        while len(self.alone) > MOST_KEPT:
            self.alone.pop(next(one for one in self.alone if one))
        return [tuple(named[symbol - 1] for symbol in reasons) for reasons in each]

    def reconstruct(self, contents: Sequence[Any]) -> list[Any]:
        """Each content through the model and back."""
        values = self._ask(Reconstructs, lambda model, given: model.reconstruct(given), self.encode(contents))
        return self.decode_like(values, contents)

    def denoise(self, contents: Sequence[Any], noise: float, label: Labels = None) -> list[Any]:
        """Each content freed from noise; `noise`: its standard deviation, where items lie in [-1, 1] or are standardised."""
        return self.decode_like(self.denoised(self.encode(contents), noise, label), contents)

    def denoised(self, values: Tensor, noise: float, label: Labels = None) -> Tensor:
        """The same for encoded items, float (item, channel, *space)."""
        if not 0 < noise <= 10:
            raise BadInput(f"noise {noise} is out of bounds; give its standard deviation, above 0 and at most 10")
        conditions = self.label_conditions(len(values), label)
        return self._ask(Denoises, lambda model, *given: model.denoise(*given, noise), values, conditions)

    def embed(self, contents: Sequence[Any]) -> Tensor:
        """A feature vector for each content: float32 (item, feature)."""
        values, conditions = self._rows(contents), self.label_conditions(len(contents))
        return self._ask(Encodes, lambda model, *given: model.embed(Batch(*given)), values, conditions).float()

    def log_likelihood(self, contents: Sequence[Any], label: Labels = None) -> Tensor:
        """How likely the model holds each content to be: float32 (item,) in nats; no label: the 'no label' condition."""
        if not isinstance(self.model, Scores):  # a member's likelihood is not the ensemble's
            raise self._cannot("score")
        encoded, conditions = self.modality.encode(contents, self.format), self.label_conditions(len(contents), label)
        if not isinstance(encoded, Sequences):

            def ask(model: Any, *given: Tensor) -> Tensor:
                return model.log_likelihood(Batch(*given)).float().sum(1)

            return self._ask(Scores, ask, self.modality.tensor(encoded), conditions, padded=False)
        corpus, nats = Corpus(self.card.modality, encoded, conditions.numpy()), torch.zeros(len(contents))
        with torch.inference_mode():
            for index in reading.side_by_side(corpus):
                batch = corpus.batch(index).to(place_of(self.model))
                nats[torch.from_numpy(index)] = self.model.log_likelihood(batch).double().sum(1).float().cpu()
        return nats

    def encode(self, contents: Sequence[Any]) -> Tensor:
        """Contents as the modality's tensors."""
        values: Tensor = self.modality.tensor(self.modality.encode(contents, self.format))
        return values

    def _rows(self, contents: Sequence[Any]) -> Tensor | Sequences:
        """The same; symbols as they are, since a batch of them is padded and not all of them together."""
        encoded = self.modality.encode(contents, self.format)
        return encoded if isinstance(encoded, Sequences) else self.modality.tensor(encoded)

    def decode_like(self, values: Tensor, contents: Sequence[Any]) -> list[Any]:
        """Encoded items as content; of series, at the times that the ends of `contents` have."""
        if not self.goes_on:
            return list(self.modality.decode(values, self.format))
        before = [content.part(0, content.steps - values.shape[-1]) for content in contents]
        return list(self.modality.decode(values, self.format, after=before))

    @property
    def goes_on(self) -> bool:
        """Whether items go on from a past, as those of a series do."""
        return divided_inside(self.modality)

    def pasts(self, pasts: Sequence[Any] | None) -> list[Any]:
        """Those that are given, or the newest of the training data; `BadInput` where there is none."""
        after = list(self.latest.contents if pasts is None else pasts)
        if not after:
            raise BadInput(f"{self.card.name} goes on from a past and its bundle keeps none; give one")
        return after

    def encode_pasts(self, after: Sequence[Any]) -> Tensor:
        """The newest part of each past as a model takes it: float (item, channel, context)."""
        values: Tensor = self.modality.tensor(self.modality.latest(after, self.format))
        return values

    def label_conditions(self, count: int, label: Labels = None, newest: bool = False, first: int = 0) -> Tensor:
        """Conditions int64 (item,) of the labels, in turn; without one, 'no label', or that of each `newest` past in turn."""
        labels = self.card.labels
        chosen = [label] if isinstance(label, str) else list(label or ())
        for name in chosen:
            if name not in labels:
                raise unknown("label", name, labels)
        newest_conditions = self.latest.conditions if newest and not chosen else ()
        turn = [labels.index(name) for name in chosen] or list(newest_conditions) or [len(labels)]
        return torch.tensor([turn[item % len(turn)] for item in range(first, first + count)], dtype=torch.int64)

    def _ask(self, protocol: type, ask: Callable[..., Tensor], *inputs: Tensor | Sequences, padded: bool = True) -> Tensor:
        """What `ask(model, *inputs)` gives, a micro-batch at a time; the last item of a short one is repeated to fill it.

        Of symbols, those of like length are asked together, since a batch is padded to its longest.
        """
        provider = able(self.model, protocol)
        if provider is None:
            raise self._cannot(VERBS[protocol])
        parts, placed = [], place_of(provider.model)
        order = torch.from_numpy(inputs[0].lengths.argsort(kind="stable")) if isinstance(inputs[0], Sequences) else None
        if order is not None:
            inputs = tuple(each[order.numpy()] if isinstance(each, Sequences) else each[order] for each in inputs)
        for part in self._parts(len(inputs[0])):
            end = part.start + self.card.micro_batch if padded else part.stop
            index = torch.arange(part.start, end).clamp_max(part.stop - 1)
            with torch.inference_mode():
                given = [each[index.numpy()].tensor() if isinstance(each, Sequences) else each[index] for each in inputs]
                parts.append(ask(provider.model, *(each.to(placed) for each in given))[: part.stop - part.start].cpu())
        answers = torch.cat(parts) if parts else torch.zeros(0)
        return answers if order is None or not parts else answers[order.argsort()]

    def _parts(self, count: int, size: int = 0) -> list[slice]:
        """Of at most `size`, or the micro-batch."""
        size = size or self.card.micro_batch
        return [slice(start, min(start + size, count)) for start in range(0, count, size)]

    @property
    def _by_bayes(self) -> bool:
        return isinstance(self.model, Scores) and len(self.card.labels) > 1 and able(self.model, Classifies) is None

    def _cannot(self, what: str) -> BadInput:
        can = ", ".join(self.capabilities) or "nothing of the kind"
        return BadInput(f"{self.card.name} ({self.card.family}) cannot {what}; what it does: {can}")


VERBS: dict[type, str] = {
    Forecasts: "forecast",
    Classifies: "classify",
    Assigns: "name several labels",
    Regresses: "regress",
    Reconstructs: "reconstruct",
    Denoises: "denoise",
    Recommends: "recommend",
    Matches: "match",
    Encodes: "encode",
    Scores: "score",
}


def _ascending(levels: Sequence[float]) -> tuple[float, ...]:
    """The levels, checked."""
    asked = tuple(levels)
    if not asked or any(not 0 < level < 1 for level in asked) or list(asked) != sorted(set(asked)):
        raise BadInput(f"levels {', '.join(map(str, asked)) or '(none)'}: give numbers between 0 and 1, ascending")
    return asked
