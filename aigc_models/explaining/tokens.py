"""What a generator held for likely in a text, token by token, and what each of its members would have written there.

Of each token its probability given all before it, and the entropy of what could have stood in its place: a token that
surprises (little probability where the entropy is small) is one that the model did not mean; much entropy says that it had no
opinion. A character of several tokens is one here: their probabilities are multiplied, the entropy is that of the first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor

from aigc_models.capabilities import Streams
from aigc_models.errors import BadInput
from aigc_models.training.devices import place_of

if TYPE_CHECKING:
    from aigc_models.inference import Inference

MOST = 4_096  # tokens of a text
END = "(end)"  # how the end of a text is called where a model would have ended it


class Wanted(NamedTuple):
    """Of a member, or of the model: the probability of what stands there, and what was likeliest, with its probability."""

    probability: float
    likeliest: str
    likeliest_probability: float


class Token(NamedTuple):
    """A piece of the text at `start` to `end`; `entropy` in nats; `members` by name, none of a model alone."""

    text: str
    start: int
    end: int
    wanted: Wanted
    entropy: float
    members: dict[str, Wanted]


class Reading(NamedTuple):
    """The tokens of a text, its log-probability with its end (nats), and the probability that it ends where it does."""

    tokens: tuple[Token, ...]
    nats: float
    ends: float


@torch.inference_mode()
def read(generator: Inference, text: str, label: str | None = None) -> Reading:
    """`text` as the model reads it, from its beginning, under a label or none.

    Raises `BadInput` for a model that makes no texts symbol by symbol, an unknown label, and a text that is empty or longer
    than `MOST` tokens.
    """
    model, modality, format = generator.model, generator.modality, generator.format
    if generator.card.modality != "text" or not isinstance(model, Streams):
        raise BadInput(
            f"{generator.card.name} makes no texts symbol by symbol; what it does: {', '.join(generator.capabilities)}"
        )
    symbols = modality.symbols(text, format).tolist()
    if not 1 <= len(symbols) <= MOST:
        raise BadInput(f"the text has {len(symbols):,} tokens; 1 to {MOST:,} are read")
    condition = generator.label_conditions(1, label)
    whole = following(model, condition, symbols)
    members = {
        name: following(member, condition, symbols)
        for name, member in getattr(model, "members", {}).items()
        if isinstance(member, Streams)
    }
    pieces = [piece.decode("utf-8", "replace") for piece in modality.pieces(format)]
    last = whole[len(symbols), model.vocabulary.end]
    nats = float(whole[torch.arange(len(symbols)), symbols].sum() + last)
    return Reading(tuple(_tokens(generator, symbols, whole, members, pieces)), nats, float(last.exp()))


def following(model: Any, condition: Tensor, symbols: list[int]) -> Tensor:
    """Log-probabilities float64 (time, symbol) of what follows each beginning of the symbols, the empty one first."""
    place = place_of(model)
    state, given = model.begin(condition.to(place)), torch.tensor([[model.vocabulary.end, *symbols]], device=place)
    log_probabilities: Tensor = model.extend(state, given)[0][0].double().cpu()
    return log_probabilities


def _tokens(
    generator: Inference, symbols: list[int], whole: Tensor, members: dict[str, Tensor], pieces: list[str]
) -> list[Token]:
    decoder, tokens, first, start = generator.modality.Decoder(generator.format), list[Token](), 0, 0
    entropy = -(whole.exp() * whole.clamp(min=-1e9)).sum(1)
    for at, symbol in enumerate(symbols):
        if not (text := decoder.add(symbol)):
            continue  # its character is not complete
        rows = slice(first, at + 1)
        by_member = {name: _wanted(rows_of, symbols, rows, pieces) for name, rows_of in members.items()}
        said = _wanted(whole, symbols, rows, pieces)
        tokens.append(Token(text, start, start + len(text), said, float(entropy[first]), by_member))
        first, start = at + 1, start + len(text)
    return tokens


def _wanted(rows_of: Tensor, symbols: list[int], rows: slice, pieces: list[str]) -> Wanted:
    places = list(range(rows.start, rows.stop))
    probability = float(rows_of[places, symbols[rows]].sum().exp())
    best = int(rows_of[rows.start].argmax())
    called = pieces[best] if best < len(pieces) else END
    return Wanted(probability, called, float(rows_of[rows.start, best].exp()))
