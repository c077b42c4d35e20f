"""What a text is cut into: its bytes, or the pieces of a byte-level tokeniser that was learned from the train split.

Every string comes back exactly, since each byte is a piece too: byte-pair encoding (Sennrich et al. 2016, over bytes as in
Radford et al. 2019), or a unigram model (Kudo 2018). Both are the `tokenizers` library's.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Kind = Literal["bytes", "bpe", "unigram"]
BYTES = 256
ROUNDS = 4  # of counting how frequent the pieces of a unigram model are


def learn(kind: Kind, size: int, texts: Sequence[str]) -> str:
    """A tokeniser of about `size` pieces, as text for a format; `kind` is not `bytes`."""
    from tokenizers import models, trainers

    if kind == "bpe":
        tokeniser = _byte_level(models.BPE())
        trainer = trainers.BpeTrainer(vocab_size=size, initial_alphabet=sorted(_alphabet().values()), show_progress=False)
        tokeniser.train_from_iterator(texts, trainer)
    else:
        tokeniser = _unigram(size, texts)
    return base64.b85encode(zlib.compress(tokeniser.to_str().encode(), 9)).decode()


def _unigram(size: int, texts: Sequence[str]) -> Tokenizer:
    """The library finds the pieces; what it says of how frequent they are differs from one training to the next, by the order
    in which it adds. So the frequencies are counted here, from the likeliest cuts of the texts, until they hardly change."""
    from tokenizers import models, trainers

    tokeniser = _byte_level(models.Unigram())
    trainer = trainers.UnigramTrainer(vocab_size=size, initial_alphabet=sorted(_alphabet().values()), show_progress=False)
    tokeniser.train_from_iterator(texts, trainer)
    pieces, scores = sorted(tokeniser.get_vocab()), np.full(tokeniser.get_vocab_size(), -1.0)
    for _ in range(ROUNDS):
        tokeniser = _byte_level(models.Unigram(list(zip(pieces, scores.tolist(), strict=True))))
        cuts = tokeniser.encode_batch_fast(list(texts), add_special_tokens=False)
        counts = np.full(len(pieces), 0.5)
        for each in cuts:
            counts += np.bincount(each.ids, minlength=len(pieces))
        scores = np.round(np.log(counts / counts.sum()), 6)
    return _byte_level(models.Unigram(list(zip(pieces, scores.tolist(), strict=True))))


def _byte_level(model: Any) -> Tokenizer:
    """A tokeniser with this model whose text is bytes, none of which is changed or left out."""
    from tokenizers import Tokenizer, decoders, pre_tokenizers

    tokeniser = Tokenizer(model)
    tokeniser.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokeniser.decoder = decoders.ByteLevel()
    return tokeniser


@lru_cache(maxsize=8)
def loaded(learned: str) -> Tokenizer:
    """What `learn` gave."""
    from tokenizers import Tokenizer

    return Tokenizer.from_str(zlib.decompress(base64.b85decode(learned)).decode())


@lru_cache(maxsize=8)
def pieces(learned: str) -> tuple[bytes, ...]:
    """The bytes that each symbol stands for; of no tokeniser, the 256 bytes."""
    if not learned:
        return tuple(bytes([value]) for value in range(BYTES))
    tokeniser, byte_of = loaded(learned), {character: value for value, character in _alphabet().items()}
    named = sorted(tokeniser.get_vocab(with_added_tokens=False).items(), key=lambda pair: pair[1])
    return tuple(bytes(byte_of[character] for character in name) for name, _ in named)


@lru_cache(maxsize=8)
def sizes(learned: str) -> np.ndarray:
    """How many bytes each symbol stands for: int64 (symbol,)."""
    return np.array([len(piece) for piece in pieces(learned)], dtype=np.int64)


def cut(texts: list[str], learned: str) -> list[np.ndarray]:
    """The symbols of each text, int16 (time,)."""
    if not learned:
        return [np.frombuffer(text.encode("utf-8"), dtype=np.uint8).astype(np.int16) for text in texts]
    encoded = loaded(learned).encode_batch(texts, add_special_tokens=False)
    return [np.array(each.ids, dtype=np.int16) for each in encoded]


def _alphabet() -> dict[int, str]:
    """The printable character by which a byte is called in vocabularies of byte-level tokenisers (Radford et al. 2019)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [value for value in range(BYTES) if value not in printable]
    return {value: chr(value) for value in printable} | {value: chr(BYTES + at) for at, value in enumerate(others)}


def described(learned: str) -> str:
    """What kind it is and how many pieces it has, for people."""
    if not learned:
        return "bytes"
    model = json.loads(loaded(learned).to_str())["model"]
    return f"{model['type'].lower()} of {len(pieces(learned)):,} pieces"
