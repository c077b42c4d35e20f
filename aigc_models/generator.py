"""Load a bundle and use it; a member and an ensemble are used alike.

    generator = Generator.load("outputs/painter")
    pictures = generator.generate(4, label="cat", seed=7)

An item's bytes depend on its seed and its condition (and prompt and sampling) alone: models always
run at the micro-batch that the card states, and what is short of it is padded.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from aigc_models import bundle
from aigc_models.capabilities import Generates, Streams
from aigc_models.errors import BadInput, Damaged, Unreadable, fault, shortened, unknown
from aigc_models.find import find
from aigc_models.fingerprints.winnowing import TrainingRuns
from aigc_models.inference import Inference, Labels, Latest
from aigc_models.language import decoding, grammar
from aigc_models.language.beam import Search
from aigc_models.language.copying import Watch
from aigc_models.language.grammar import Match
from aigc_models.language.slots import Draft, Slots, in_turn, stream
from aigc_models.layers.noise import LABEL, derived, item_seeds
from aigc_models.layers.threads import for_writing
from aigc_models.sequences import PAD
from aigc_models.training.devices import Device

NEVER = -100.0  # added to the logit of a symbol that is not drawn


class Sampling(BaseModel):
    """What whole-item models (`Generates`) may heed; one that does not know an option leaves it alone."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
    temperature: float | None = Field(None, ge=0, le=10, description="spread of the noise; 1: as learnt, 0: none")
    guidance: float | None = Field(None, ge=0, le=100, description="1: the condition as it is, above 1: exaggerated")
    steps: int | None = Field(None, ge=1, le=1000, description="of the sampler")


@dataclass(frozen=True)
class Generator(Inference):
    """A trained generator: it makes items, and answers about content as `Inference` says.

    Errors of the caller (labels, options, what it cannot do) are `BadInput`.
    """

    runs: TrainingRuns | None = None  # of the training data, which a text does not repeat; none: it may

    @classmethod
    def load(cls, path: Path | str, device: Device = "auto", copy_guard: bool = True) -> Generator:
        """Read the bundle in folder `path`, onto the GPU where there is one, or onto `device`.

        `copy_guard`: texts do not repeat 50 characters of the training data, where the bundle holds what tells so.
        Raises `BadInput` where there is no bundle or no such device, `Damaged` where it was altered.
        """
        card, model = bundle.load(Path(path), device)
        modality = find("aigc_models.modalities", card.modality)
        contents, conditions = bundle.latest(Path(path))
        try:
            latest = Latest(tuple(map(modality.unpack, contents)), conditions)
        except (Unreadable, *bundle.UNFIT) as error:
            raise Damaged(f"{Path(path) / bundle.LATEST} holds no content of {card.modality}: {error}") from error
        past, indexes = bundle.cases(Path(path)) or (None, {})
        runs = bundle.training_runs(Path(path)) if copy_guard else None
        return cls(card, model, modality, card.shape.format, latest, past, indexes, runs=runs)

    @property
    def sampling(self) -> type[BaseModel]:
        """The options that `generate` takes beside its own, with their meanings."""
        return decoding.Sampling if self._streams else Sampling

    def generate(
        self,
        count: int = 1,
        *,
        label: Labels = None,
        prompt: str | None = None,
        seed: int = 0,
        first: int = 0,
        past: Sequence[Any] | None = None,
        **sampling: Any,
    ) -> list[Any]:
        """`count` items of content, as the modality's file says; item i has the seed `derived(seed, i)`.

        `label`: one for all, or several that are gone through in turn; none: each item draws one of
        the card's labels, all equally likely, from its own seed. `prompt`: how each text begins.
        `first`: the number of the first item, to go on after some that are there already.
        `past`: what each series goes on from, in turn; none: the newest of the training data (and its label).
        With `beams` item i is the i-th best text of its label, and no seed matters but for the label.
        """
        if count < 1:
            raise BadInput(f"count is {count}; ask for 1 or more")
        conditions, after = self.conditions(count, label, seed, first, past), self.after(count, first, past)
        if self._streams and sampling.get("beams"):
            return self.decode(self._searched(conditions, first, prompt, sampling))
        values = self.encoded(conditions, item_seeds(seed, count, first), prompt=prompt, given=self.given(after), **sampling)
        return self.decode(values, after)

    def each(
        self, count: int, *, label: Labels = None, prompt: str | None = None, seed: int = 0, first: int = 0, **sampling: Any
    ) -> Iterator[Any]:
        """The items of `generate`, one after the other, as they are made; of symbols one begins when another has ended."""
        if self._streams and not sampling.get("beams"):
            drafts = self._drafts(
                self.conditions(count, label, seed, first), item_seeds(seed, count, first), self._symbols(prompt), sampling
            )
            written = in_turn(self.slots(), drafts)
            while (draft := self._next(written)) is not None:
                yield from self.decode(torch.tensor([draft.whole]))
            return
        size = count if self._streams else self.card.micro_batch  # beams are searched once
        for begun in range(0, count, size or 1):
            part = min(size, count - begun)
            yield from self.generate(part, label=label, prompt=prompt, seed=seed, first=first + begun, **sampling)

    def _next(self, written: Iterator[Draft]) -> Draft | None:
        with for_writing(self.model):
            return next(written, None)

    def given(self, after: Sequence[Any]) -> dict[str, Tensor]:
        """`after` as `encoded` takes it."""
        return {"past": self.encode_pasts(after)} if after else {}

    def after(self, count: int, first: int = 0, past: Sequence[Any] | None = None) -> list[Any]:
        """What each item goes on from; none where items begin by themselves."""
        if not self.goes_on:
            if past is not None:
                raise BadInput(f"{self.card.name} makes {self.card.modality}, which goes on from no past; leave it out")
            return []
        pasts = self.pasts(past)
        return [pasts[item % len(pasts)] for item in range(first, first + count)]

    def decode(self, values: Tensor, after: Sequence[Any] = ()) -> list[Any]:
        """Encoded items as content; series at the times that follow those of `after`."""
        return list(self.modality.decode(values, self.format, **({"after": after} if after else {})))

    def stream(
        self, prompt: str = "", label: str | None = None, seed: int = 0, first: int = 0, **sampling: Any
    ) -> Iterator[str]:
        """The text that `generate(1, ...)` gives, its prompt first, piece by piece as it is drawn.

        The pieces are whole characters. `first`: the number of the text under the seed.
        """
        draft = self.draft(prompt, sampling, label, seed, first)
        if draft.how.beams:
            raise BadInput("beams: the best text is known at its end alone and cannot be streamed; ask for it as a whole")
        return iter(self.modality.characters(stream(self.slots(), draft), self.format))

    def draft(
        self,
        prompt: str,
        sampling: Mapping[str, Any],
        label: str | None = None,
        seed: int = 0,
        first: int = 0,
        likeliest: int | None = None,
        echo: bool = False,
        suffix: str | None = None,
    ) -> Draft:
        """The same text for whoever draws several side by side, in `slots`; see `Draft` for `likeliest` and `echo`.

        `suffix`: what comes behind the text that is drawn; `BadInput` where the model did not learn to fill in.
        """
        if not self._streams:
            raise self._cannot("stream")
        if suffix is not None and not getattr(self.format, "fill_in", 0):
            learn = "train it with the preset python-code, or with training.encode.format='{fill_in: 0.3}'"
            raise BadInput(f"suffix: {self.card.name} did not learn to fill in a middle; leave it out, or {learn}")
        how = decoding.sampling(**self._checked(dict(sampling)))
        condition = int(self.conditions(1, label, seed, first)[0])
        symbols = self._symbols(prompt, suffix)
        return Draft(condition, derived(seed, first), symbols, how, likeliest, echo, self._start(how), self.watch(symbols))

    def watch(self, prompt: Sequence[int]) -> Watch | None:
        """What a text after `prompt` may not repeat; none where it may repeat anything."""
        if self.runs is None:
            return None
        given = list(prompt)
        return Watch(
            self.runs,
            lambda: self.modality.Decoder(self.format),
            lambda: "".join(self.modality.characters(given, self.format)),
        )

    def slots(self) -> Slots:
        """As many as the micro-batch: a text is the same whichever of the ways to make it is taken."""
        return self._slots if not self._slots.drafts else Slots(self.model, self.card.micro_batch)

    @cached_property
    def _slots(self) -> Slots:
        return Slots(self.model, self.card.micro_batch)

    def conditions(
        self, count: int, label: Labels = None, seed: int = 0, first: int = 0, past: Sequence[Any] | None = None
    ) -> Tensor:
        """The conditions int64 (item,) that `generate` uses for these arguments; raises `BadInput` for an unknown label."""
        labels = self.card.labels
        if label or self.goes_on:
            return self.label_conditions(count, label, newest=past is None, first=first)
        drawn = [derived(seed, item, LABEL) % len(labels) if labels else 0 for item in range(first, first + count)]
        return torch.tensor(drawn, dtype=torch.int64)

    def encoded(
        self,
        conditions: Tensor,
        seeds: Tensor,
        *,
        prompt: str | None = None,
        given: Mapping[str, Tensor] | None = None,
        together: int | None = None,
        **sampling: Any,
    ) -> Tensor:
        """Items as the modality's tensors (image: float (item, channel, height, width); text: int64 (item, time)).

        `conditions` and `seeds`: int64 (item,). `given`: what each item goes on from, item first, such as
        `past` float (item, channel, context); then an item is what follows it. `together`: how many are made at a time,
        in place of the micro-batch; faster in large numbers, but an item is then what `generate` gives to rounding alone.
        """
        if not self._streams and not isinstance(self.model, Generates):
            raise self._cannot("generate")
        checked, context, beginning = self._checked(sampling), given or {}, self._symbols(prompt)
        if checked.get("beams"):
            raise BadInput("beams: the best texts are searched by generate alone")
        if self._streams and not together:
            with for_writing(self.model):
                return self._drawn(self._drafts(conditions, seeds, beginning, sampling))
        parts = []
        size = together or self.card.micro_batch
        for part in self._parts(len(seeds), size):
            given_part = {name: each[part] for name, each in context.items()}
            with for_writing(self.model) if self._streams else nullcontext():
                parts.append(self._batch(size, conditions[part], seeds[part], beginning, given_part, checked))
        return _joined(parts) if parts else torch.zeros(0, 1)

    def _drafts(self, conditions: Tensor, seeds: Tensor, prompt: Sequence[int], sampling: Mapping[str, Any]) -> Iterable[Draft]:
        """Of items of symbols; what was asked wrongly is said before the first."""
        how = decoding.sampling(**self._checked(dict(sampling)))
        pairs = zip(conditions.tolist(), seeds.tolist(), strict=True)
        start = self._start(how)
        return (Draft(condition, seed, prompt, how, start=start, watch=self.watch(prompt)) for condition, seed in pairs)

    def _drawn(self, drafts: Iterable[Draft]) -> Tensor:
        """Items of symbols, int64 (item, time)."""
        return _padded([draft.whole for draft in in_turn(self.slots(), drafts)])

    def _searched(self, conditions: Tensor, first: int, prompt: str | None, sampling: Mapping[str, Any]) -> Tensor:
        """Of each condition the best texts, int64 (item, time)."""
        how, symbols, searches = decoding.sampling(**self._checked(dict(sampling))), self._symbols(prompt), dict[int, Search]()
        for condition in set(conditions.tolist()):
            searches[condition] = Search(self.model, Draft(condition, 0, symbols, how, start=self._start(how)))
            searches[condition].run()
        fewest = min(len(search.finished) for search in searches.values())
        if fewest < first + len(conditions):
            raise BadInput(f"beams={how.beams} found {fewest} texts; ask for as many, or for more beams")
        best = [searches[condition].finished[rank] for rank, condition in enumerate(conditions.tolist(), start=first)]
        end, watch = self.model.vocabulary.end, self.watch(symbols)
        return _padded([[*symbols, *(watch.before(each.symbols, end) if watch else each.symbols)] for each in best])

    def _batch(
        self,
        size: int,
        conditions: Tensor,
        seeds: Tensor,
        prompt: Sequence[int],
        given: Mapping[str, Tensor],
        sampling: dict[str, Any],
    ) -> Tensor:
        """At most `size` items; the last one is repeated to fill it up."""
        index = torch.arange(size).clamp_max(len(seeds) - 1)
        asked, context = (conditions[index], seeds[index]), {name: each[index] for name, each in given.items()}
        with torch.inference_mode():
            if self._streams:
                start = self._start(decoding.sampling(**sampling))
                values = decoding.generate(self.model, *asked, [prompt] * size, True, start, **sampling)
            else:
                values = self.model.generate(*asked, **context, **sampling)
        return values[: len(seeds)]

    def _symbols(self, prompt: str | None, suffix: str | None = None) -> list[int]:
        """The symbols that an item is to begin with, and to end in."""
        if not prompt and suffix is None:
            return []
        if not self._streams or not hasattr(self.modality, "symbols"):
            raise self._cannot("go on from a prompt")
        end = {} if suffix is None else {"suffix": suffix}
        symbols: list[int] = self.modality.symbols(prompt or "", self.format, **end).tolist()
        return symbols

    def _start(self, how: decoding.Sampling) -> Match | None:
        """What texts are held to, where `how` says so."""
        pieces = self.modality.pieces(self.format) if how.held and hasattr(self.modality, "pieces") else None
        return pieces and grammar.grammar(pieces, how.regex, how.json_schema, how.grammar)

    @property
    def _streams(self) -> bool:
        return isinstance(self.model, Streams)

    def _checked(self, sampling: dict[str, Any]) -> dict[str, Any]:
        """The options, known and within their bounds; a text is as long as those of the data unless asked for otherwise."""
        for name in sampling:
            if name not in self.sampling.model_fields:
                raise unknown("sampling option", name, self.sampling.model_fields)
        default = {"max_length": self.format.length} if self._streams else {}
        try:
            checked = self.sampling.model_validate(default | sampling).model_dump(exclude_unset=True, exclude_none=True)
        except ValidationError as error:
            first = error.errors()[0]
            named = f"{first['loc'][0]}={shortened(first['input'])}"
            raise BadInput(f"sampling option {named}: {fault(first)}") from error
        for symbol in checked.get("logit_bias", ()):
            if not 0 <= symbol < self.model.vocabulary.outputs:
                last = self.model.vocabulary.end
                raise BadInput(f"sampling option logit_bias: there is no symbol {symbol}; they are 0 to {last}, the END")
        if unwritten := self.modality.unwritten(self.format) if hasattr(self.modality, "unwritten") else ():
            checked["logit_bias"] = checked.get("logit_bias", {}) | dict.fromkeys(unwritten, NEVER)
        return checked


def _padded(items: Sequence[Sequence[int]]) -> Tensor:
    """Int64 (item, time), as long as the longest."""
    rows = [torch.tensor(item) for item in items]
    return nn.utils.rnn.pad_sequence(rows, batch_first=True, padding_value=PAD) if rows else torch.zeros(0, 1)


def _joined(parts: list[Tensor]) -> Tensor:
    """Micro-batches one after the other; symbols are padded to the longest."""
    if parts[0].ndim == 2:
        longest = max(part.shape[1] for part in parts)
        parts = [nn.functional.pad(part, (0, longest - part.shape[1]), value=PAD) for part in parts]
    return torch.cat(parts)
