"""Text, learnt as its bytes or as the pieces of a tokeniser. An item's content is a `str`."""

from __future__ import annotations

import codecs
import hashlib
import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import Unreadable, no_content
from aigc_models.fingerprints import minhash
from aigc_models.fingerprints.fingerprint import Fingerprint
from aigc_models.modalities.text import filling, measuring, tokeniser
from aigc_models.reading import first_bytes
from aigc_models.sequences import Sequences, Vocabulary

if TYPE_CHECKING:
    from torch import Tensor

PROSE = {".txt", ".text", ".md", ".markdown", ".rst", ".tex", ".html", ".htm", ".xml", ".srt", ".vtt", ".log"}
CODE = {".py", ".js", ".ts", ".java", ".c", ".h", ".cpp", ".go", ".rs", ".rb", ".sh", ".sql", ".css"}
DATA = {".json", ".yaml", ".yml", ".toml", ".ini", ".cfg"}
SUFFIXES = frozenset(PROSE | CODE | DATA)
suffix = ".txt"

LONGEST = 1024  # symbols of a generated item, where nothing else is asked
SHINGLE = 5  # bytes
_SURROGATE = re.compile("[\ud800-\udfff]")
_BYTES = np.array([1 << (8 * at) for at in range(SHINGLE)], dtype=np.uint64)  # five bytes as one number
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_WORDS = re.compile(rf"{_UNSPACED.pattern}|(?:(?!{_UNSPACED.pattern})\S)+")


measures = measuring.measures
embedding = measuring.embedding


class Format(BaseModel):
    """How text is laid out as numbers."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    length: int = Field(description="most symbols of a generated item unless it is asked for more, END included", gt=0)
    tokeniser: Literal["bytes", "bpe", "unigram", "auto"] = Field(
        "bytes",
        description="what texts are cut into; auto: what needs the fewest bits a byte in a short training",
        exclude_if=lambda kind: kind == "bytes",  # so that the cards of data sets without one stay as they are
    )
    pieces: int = Field(
        1024,
        ge=300,
        le=30_000,
        description="of a tokeniser, the 256 bytes among them",
        exclude_if=lambda pieces: pieces == 1024,
    )
    learned: str = Field(
        "",
        description="the tokeniser, learned from the train split alone; made, not given",
        repr=False,
        exclude_if=lambda learned: not learned,
    )
    fill_in: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="share of the train texts that are learnt with their end first, so that a model can fill in a middle",
        exclude_if=lambda share: share == 0,
    )


def read(payload: bytes, name: str) -> str:
    """UTF-8, with or without a byte-order mark, or UTF-16 with one; raises `Unreadable` with the byte offset."""
    if not payload:
        raise no_content(name)
    utf16 = payload.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if utf16 else "utf-8-sig"
    try:
        return payload.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(_undecoded(payload, error, "UTF-16" if utf16 else "UTF-8")) from error


def _undecoded(payload: bytes, error: UnicodeDecodeError, encoding: str) -> str:
    kind = first_bytes.kind(payload)
    if kind and kind != first_bytes.PAGE:
        return f"not text but {kind}"
    byte = payload[error.start : error.start + 1].hex()
    return f"not {encoding}: {error.reason} 0x{byte} at byte {error.start}; save it as UTF-8"


def validate(content: str) -> str | None:
    """The reason why this cannot be used as text, or None."""
    if "\0" in content:
        return f"holds a NUL character at position {content.index(chr(0))}: a binary file, or a damaged one"
    lone = _SURROGATE.search(content)
    return f"holds a lone surrogate at position {lone.start()}" if lone else None


def normalise(content: str) -> str:
    """NFC, newlines as `\\n`, no byte-order mark, no blanks at line ends or around the whole."""
    text = content.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "")
    lines = [line.rstrip() for line in unicodedata.normalize("NFC", text).split("\n")]
    return "\n".join(lines).strip("\n")


def pack(content: str) -> bytes:
    return content.encode("utf-8")


def unpack(payload: bytes) -> str:
    return payload.decode("utf-8")


def fingerprint(content: str) -> Fingerprint:
    """`near`: bands of a MinHash (Broder 1997) of the shingles, little-endian uint32. Case and white space are ignored."""
    exact = hashlib.sha256(content.encode("utf-8")).hexdigest()
    plain = _plain(content)
    return Fingerprint(exact, minhash.sketch([plain[at : at + SHINGLE] for at in range(len(plain) - SHINGLE + 1)]))


bands = minhash.bands
similarity = minhash.similarity
alike = minhash.alike


def traits(content: str) -> np.ndarray:
    """Hashes of the shingles, uint64, in order: what `alike` compares."""
    windows = np.lib.stride_tricks.sliding_window_view(np.frombuffer(_plain(content), dtype=np.uint8), SHINGLE)
    return np.unique(windows.astype(np.uint64) @ _BYTES)


def _plain(content: str) -> bytes:
    return " ".join(content.casefold().split()).encode("utf-8").ljust(SHINGLE)


def vocabulary(format: Format) -> Vocabulary:
    """The 256 bytes, or the tokeniser's pieces."""
    return Vocabulary(len(tokeniser.pieces(format.learned)))


def learned(format: Format, texts: Sequence[str]) -> Format:
    """The format with a tokeniser of its kind, learned from these texts of the train split; as it is, if it has one."""
    if format.tokeniser == "bytes" or format.learned:
        return format
    assert format.tokeniser != "auto"
    return format.model_copy(update={"learned": tokeniser.learn(format.tokeniser, format.pieces, texts)})


def choose_format(contents: Sequence[str]) -> Format:
    """As long as the longest item and its END, rounded up to 16, at most `LONGEST`; longer ones are learnt whole."""
    longest = max((len(content.encode("utf-8")) for content in contents), default=0) + 1
    return Format(length=min(LONGEST, -(-longest // 16) * 16))


def encode(contents: Sequence[str], format: Format) -> Sequences:
    """int16: the symbols of each and END; no text is shortened."""
    end = np.array([vocabulary(format).end], dtype=np.int16)
    return Sequences.of(np.concatenate([each, end]) for each in tokeniser.cut(list(contents), format.learned))


def encode_train(contents: Sequence[str], format: Format) -> Sequences:
    """`encode` of train items: `fill_in` of them with their end first."""
    if not format.fill_in:
        return encode(contents, format)
    end = np.array([vocabulary(format).end], dtype=np.int16)
    parts = [
        symbols(content, format) if at is None else filling.symbols(content[:at], content[at:], format.learned)
        for content, at in zip(contents, filling.cuts(contents, format.fill_in), strict=True)
    ]
    return Sequences.of(np.concatenate([part, end]) for part in parts)


def symbols(content: str, format: Format, suffix: str | None = None) -> np.ndarray:
    """int16 (time,): what a text is made of, without an END; also of a prompt, and of one whose text is to end in `suffix`."""
    if suffix is not None:
        return filling.symbols(content, suffix, format.learned)
    return tokeniser.cut([content], format.learned)[0]


def unwritten(format: Format) -> tuple[int, ...]:
    """Symbols that no text has: a model is given them, and never draws them."""
    return filling.marks(format.learned) if format.fill_in else ()


def tensor(values: Sequences) -> Tensor:
    """int64 (item, time), -1 behind an item, as long as the longest of these items."""
    return values.tensor()


def decode(values: Tensor | Sequences, format: Format) -> list[str]:
    """int64 (item, time) back to text, each up to its END; bytes that are no UTF-8 become U+FFFD."""
    rows = (row.tolist() for row in (values.rows() if isinstance(values, Sequences) else values.cpu().numpy()))
    if format.fill_in:
        rows = (filling.restored(row, format.learned) for row in rows)
    return ["".join(characters(row, format)) for row in rows]


def pieces(format: Format) -> tuple[bytes, ...]:
    """What each symbol stands for."""
    return tokeniser.pieces(format.learned)


class Decoder:
    """Symbols as they come to text in whole characters; bytes that are no UTF-8 become U+FFFD."""

    def __init__(self, format: Format) -> None:
        self._decoder, self._pieces = codecs.getincrementaldecoder("utf-8")(errors="replace"), pieces(format)

    def add(self, symbol: int) -> str:
        """The characters that `symbol` completes; none, or more than one where it shows that those before were no UTF-8."""
        return self._decoder.decode(self._pieces[symbol])

    def rest(self) -> str:
        """What is left when no more symbols come."""
        return self._decoder.decode(b"", final=True)


def characters(symbols: Iterable[int], format: Format) -> Iterator[str]:
    """The text of symbols up to an END, in pieces of whole characters, each as soon as it is complete."""
    decoder, end = Decoder(format), vocabulary(format).end
    for symbol in takewhile(lambda symbol: 0 <= symbol < end, symbols):
        if piece := decoder.add(symbol):
            yield piece
    if rest := decoder.rest():
        yield rest


def amounts(values: Sequences, format: Format) -> np.ndarray:
    """The bytes of each item: float64 (item,)."""
    ends = np.cumsum(np.append(tokeniser.sizes(format.learned), 0)[values.symbols])[values.starts[1:] - 1]
    return np.diff(ends, prepend=0).astype(np.float64)


def write(content: str, path: Path) -> Path:
    """Write `content` with this modality's suffix; gives the path."""
    target = path.with_name(path.name.removesuffix(suffix) + suffix)
    target.write_bytes(content.encode("utf-8", "replace"))
    return target


def emptiness(content: str) -> str | None:
    """In what way a text says nothing: `empty`, `blank` (white space alone), `one symbol` (over and over), or None."""
    if not content.strip():
        return "blank" if content else "empty"
    return "one symbol" if len(set("".join(content.split()))) == 1 else None


def preview(content: str) -> str:
    """The item as a piece of HTML that needs nothing else."""
    if not content.strip():
        return f"<p>{emptiness(content)}</p>"
    return f'<pre style="white-space:pre-wrap;margin:0">{html.escape(content)}</pre>'


def spread(contents: Sequence[str]) -> dict[str, Any]:
    """`distinct_n`: different runs of n neighbouring words over all such runs (Li et al. 2016, section 5)."""
    sizes = [len(content.encode()) for content in contents]
    return {**_distinct(contents), "bytes": sum(sizes), "mean_bytes": round(sum(sizes) / len(sizes), 1)}


def words(content: str) -> list[str]:
    """Between white space; Chinese and Japanese, written without any, by character."""
    return _WORDS.findall(content) if _UNSPACED.search(content) else content.split()


def _distinct(contents: Sequence[str], longest: int = 3) -> dict[str, float]:
    """By arrays of numbers: a quarter of the time that sets of words take."""
    numbers: dict[str, int] = {}
    texts = [[numbers.setdefault(word, len(numbers)) for word in words(content)] for content in contents]
    every = np.fromiter(chain.from_iterable(texts), dtype=np.int64)
    left = np.fromiter((at for text in texts for at in range(len(text), 0, -1)), dtype=np.int64, count=len(every))
    runs, shares = every, {}  # of each word, the number of the run that begins there
    for length in range(1, longest + 1):
        unique, runs = np.unique(runs, return_inverse=True)
        whole = left >= length  # those that do not reach into the next text
        seen = np.zeros(len(unique), dtype=bool)
        seen[runs[whole]] = True
        shares[f"distinct_{length}"] = round(int(seen.sum()) / max(1, int(whole.sum())), 4)
        runs = runs * len(numbers) + np.roll(every, -length)
    return shares
