"""What a model says of the tokens of a text, in OpenAI's shapes; log-probabilities in nats."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aigc_models.language.slots import Said

END = "<|end|>"


def token(symbol: int, pieces: Sequence[bytes]) -> str:
    """A piece as text, or as OpenAI writes tokens that are no text by themselves."""
    if symbol >= len(pieces):
        return END
    try:
        return pieces[symbol].decode("utf-8")
    except UnicodeDecodeError:
        return "bytes:" + "".join(f"\\x{byte:02x}" for byte in pieces[symbol])


def of_completion(said: Sequence[Said], offset: int, pieces: Sequence[bytes]) -> dict[str, Any]:
    """Of `completions`; `offset`: characters before the first token; `pieces`: the bytes of each symbol."""
    offsets, likeliest = list[int](), list[dict[str, float]]()
    for each in said:
        piece = pieces[each.symbol] if each.symbol < len(pieces) else b" "
        begins = [byte & 0xC0 != 0x80 for byte in piece]  # whether a byte begins a character
        offsets.append(offset if begins[0] else offset - 1)
        offset += sum(begins)
        likeliest.append({token(symbol, pieces): value for symbol, value in each.likeliest.items()})
    return {
        "tokens": [token(each.symbol, pieces) for each in said],
        "token_logprobs": [each.log_probability for each in said],
        "top_logprobs": likeliest,
        "text_offset": offsets,
    }


def of_chat(said: Sequence[Said], pieces: Sequence[bytes]) -> dict[str, Any]:
    """Of `chat.completions`."""
    return {
        "content": [
            {
                **_described(each.symbol, each.log_probability, pieces),
                "top_logprobs": [_described(*other, pieces) for other in each.likeliest.items()],
            }
            for each in said
        ]
    }


def _described(symbol: int, log_probability: float, pieces: Sequence[bytes]) -> dict[str, Any]:
    stands_for = list(pieces[symbol]) if symbol < len(pieces) else None
    return {"token": token(symbol, pieces), "logprob": log_probability, "bytes": stands_for}
