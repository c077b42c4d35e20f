"""What a model can do, as small protocols. Code asks for a capability, never for a class.

Shapes: `conditions` is int64 (item,), an index into the bundle's `labels`, or `len(labels)` where
an item has none. `seeds` is int64 (item,): one an item, so that an item depends on its own seed
and condition and on nothing that rode along in the batch. Which device tensors lie on: see `devices`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, runtime_checkable

from jaxtyping import Float, Int
from torch import Tensor

from aigc_models.corpus import Batch, Corpus
from aigc_models.sequences import Vocabulary


class Mean(NamedTuple):
    """A loss that is a mean over a number of things that varies, such as hidden symbols: parts of a batch weigh by it."""

    value: Float[Tensor, ""]
    weight: Int[Tensor, ""]  # how many those are


@dataclass(frozen=True)
class Player:
    """Whose parameters take a step on which loss, and how often."""

    name: str
    parameters: list[Tensor]
    loss: Callable[[Any], Tensor | Mean]  # a mean over a batch, or over what the model's own `batches` gives
    every: int = 1
    learning_rate: float = 1.0  # a factor on the plan's rate
    betas: tuple[float, float] = (0.9, 0.999)
    weight_decay: float = 0.01
    matrices: list[Tensor] = field(default_factory=list)  # hidden ones, whose steps are Muon's
    blocks: int = 1  # of outputs that each of these holds one above the other, such as a cell's gates


@runtime_checkable
class Learns(Protocol):
    """Trained by `training.fit`: an `nn.Module` with one player, or two for a GAN."""

    def players(self) -> list[Player]: ...


@runtime_checkable
class Batches(Protocol):
    """Trains on batches of its own making: those of a step depend on the seed and the step alone.

    Like a `Batch` they have a length, `to(device)` and `part(rows)`.
    """

    def batches(self, corpus: Corpus, size: int, seed: int) -> Callable[[int], Any]: ...


@runtime_checkable
class Validates(Protocol):
    """Has a validation loss, lower is better; `fit` stops early on it and keeps the best weights."""

    def validation_loss(self, batch: Batch) -> Float[Tensor, ""]: ...


@runtime_checkable
class Fits(Protocol):
    """Trained in one go, without gradient steps: a count model, a mixture, a regression."""

    def fit(self, train: Corpus, validation: Corpus, progress: Callable[..., None]) -> float | None:
        """The validation loss, where plain methods of a modality are compared by it (lower is better)."""


@runtime_checkable
class Stateful(Protocol):
    """Its weights as named tensors, which is all that a bundle stores."""

    def state_dict(self) -> Mapping[str, Tensor]: ...
    def load_state_dict(self, state: Mapping[str, Tensor]) -> Any: ...


@runtime_checkable
class Generates(Protocol):
    """Draws whole items: float (item, channel, *space), in [-1, 1] for pictures and sounds.

    A model that also `Forecasts` takes `past=` float (item, channel, context) and draws one future of each:
    float (item, channel, horizon), standardised.
    """

    def generate(
        self, conditions: Int[Tensor, " item"], seeds: Int[Tensor, " item"], **sampling: Any
    ) -> Float[Tensor, "item channel *space"]: ...


@runtime_checkable
class Streams(Protocol):
    """Says what symbol comes next; `language.decoding` draws items from it, `language.reading` scores them.

    A state is never changed in place. It is a tree of tuples whose tensors and arrays have the item first, so that items
    that have ended can leave it; what is neither holds for all items.
    """

    @property
    def vocabulary(self) -> Vocabulary:
        """The symbols that it knows."""

    def begin(self, conditions: Int[Tensor, " item"]) -> Any:
        """A state before the first symbol, for conditions (item,)."""

    def advance(self, state: Any, tokens: Int[Tensor, " item"]) -> tuple[Float[Tensor, "item symbol"], Any]:
        """Feed tokens int64 (item,), get log-probabilities float (item, symbol) of the next, and the new state.

        The first token fed is the vocabulary's END.
        """

    def extend(self, state: Any, tokens: Int[Tensor, "item time"]) -> tuple[Float[Tensor, "item time symbol"], Any]:
        """The same of several tokens at once, int64 (item, time): what follows each, and the state behind the last."""


@runtime_checkable
class Prefills(Protocol):
    """Streams, and reads a prompt faster than by `extend`, since of that only what follows its end is asked for."""

    def prefill(self, state: Any, tokens: Int[Tensor, "item time"]) -> Any:
        """The state behind `tokens` int64 (item, time)."""


class States(Protocol):
    """States of a fixed number of items side by side, changed in place; `language.slots` draws with them.

    What is said of one slot does not depend on what the others hold.
    """

    def put(self, slot: int, state: Any) -> None:
        """A state of one item, as `Streams.begin` and `extend` give it."""

    def take(self, slot: int) -> Any:
        """The state of a slot, as `put` takes it."""

    def free(self, slot: int) -> None:
        """The slot has no item any more; it is fed a filler."""

    def step(self, tokens: Int[Tensor, " slot"]) -> Float[Tensor, "slot symbol"]:
        """What `Streams.advance` gives, on the CPU for tokens on the CPU; of slots that are free anything but a NaN."""


@runtime_checkable
class Slotted(Protocol):
    """Streams, and has a kind of states of its own, for speed."""

    def states(self, count: int) -> States: ...


@runtime_checkable
class Scores(Protocol):
    """Log-likelihood of each symbol: float (item, time) in nats, zero at padding."""

    def log_likelihood(self, batch: Batch) -> Float[Tensor, "item time"]: ...


@runtime_checkable
class Encodes(Protocol):
    """A feature vector for each item: float (item, feature)."""

    def embed(self, batch: Batch) -> Float[Tensor, "item feature"]: ...


@runtime_checkable
class Reconstructs(Protocol):
    """An item through the model and back, in the item's own shape."""

    def reconstruct(self, values: Float[Tensor, "item channel *space"]) -> Float[Tensor, "item channel *space"]: ...


@runtime_checkable
class Denoises(Protocol):
    """An item freed from noise, in the item's own shape."""

    def denoise(
        self, values: Float[Tensor, "item channel *space"], conditions: Int[Tensor, " item"], noise: float
    ) -> Float[Tensor, "item channel *space"]:
        """`noise`: standard deviation of what was added, in the units of `values`."""


@runtime_checkable
class Forecasts(Protocol):
    """What comes after a past, as quantiles of each step."""

    def forecast(
        self, past: Float[Tensor, "item channel context"], conditions: Int[Tensor, " item"], levels: Float[Tensor, " level"]
    ) -> Float[Tensor, "item channel horizon level"]:
        """`past` float (item, channel, context), standardised; `levels` float (level,) in (0, 1), ascending.

        Gives float (item, channel, horizon, level), standardised, never falling along `level`.
        """


@runtime_checkable
class Classifies(Protocol):
    """Class scores: float (item, label), before the softmax."""

    def classify(self, batch: Batch) -> Float[Tensor, "item label"]: ...


@runtime_checkable
class Assigns(Protocol):
    """Which of the labels an item has, any number of them."""

    def assign(self, batch: Batch) -> Float[Tensor, "item label"]:
        """A logit for each label, before the sigmoid: each is decided for itself."""


@runtime_checkable
class Regresses(Protocol):
    """A number of each item, such as a price or a mark."""

    def regress(self, batch: Batch) -> Float[Tensor, " item"]:
        """In the unit of the data's own numbers."""


@runtime_checkable
class Recommends(Protocol):
    """Says which item comes next in a history."""

    def recommend(self, batch: Batch) -> Float[Tensor, "item symbol"]:
        """Log-probabilities float (item, symbol) of what follows each history in `batch.values`, int64 (item, time), `PAD`
        behind each and without an END; of `vocabulary.size` symbols, the unknown item among them. A history may be empty."""


@runtime_checkable
class Matches(Protocol):
    """Says how well answers fit questions; both are items as a modality encodes them."""

    def index(self, answers: Batch) -> Any:
        """What the model needs of answers, made once and kept beside it: `match` takes it in place of them."""

    def match(self, questions: Batch, answers: Any) -> Float[Tensor, "item answer"]:
        """How well each answer fits each question, higher is better, on the questions' device; scores of one question are
        comparable with each other alone. `answers`: a Batch, or what `index` made of it."""


@runtime_checkable
class Outside(Protocol):
    """Lies elsewhere and may not answer, whatever else it can do: its scores of such an item are NaN, never a guess."""

    where: str  # what it asks, for a reader

    def unanswered(self) -> tuple[int, str]:
        """How many items got no answer since this was last called, and why the last of them."""


PROTOCOLS: dict[str, type] = {
    "generates": Generates,
    "streams": Streams,
    "scores": Scores,
    "encodes": Encodes,
    "reconstructs": Reconstructs,
    "denoises": Denoises,
    "forecasts": Forecasts,
    "classifies": Classifies,
    "assigns": Assigns,
    "regresses": Regresses,
    "recommends": Recommends,
    "matches": Matches,
}


def capabilities(model: object) -> tuple[str, ...]:
    """The names of what `model` can do, such as `("scores", "streams")`."""
    return tuple(name for name, protocol in PROTOCOLS.items() if isinstance(model, protocol))


@dataclass(frozen=True)
class Shape:
    """What a family has to know of the data before it builds a model."""

    modality: str
    labels: tuple[str, ...] = ()
    format: Any = field(default=None)  # the modality's own `Format`
    task: str = "generate"  # a file of aigc_models/heads: what the model is asked

    @property
    def conditions(self) -> int:
        """How many conditions there are: each label, and one for 'no label'."""
        return len(self.labels) + 1
