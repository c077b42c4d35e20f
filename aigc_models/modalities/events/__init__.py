"""Events: a tune (notes of one or several voices), or the history of one user (items in the order of time).

What models see are symbols, see `tokens`.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput, Unreadable, no_content
from aigc_models.fingerprints import minhash
from aigc_models.fingerprints.fingerprint import Fingerprint
from aigc_models.modalities.events import abc, abc_writing, columns, drawing, figures, measuring, midi, near, sounding, tokens
from aigc_models.modalities.events.events import MOST_EVENTS, TOP, Events, Meter
from aigc_models.sequences import Sequences, Vocabulary

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["Events", "Format"]

SUFFIXES = frozenset({".mid", ".midi", ".abc", ".events"})
suffix = ".events"
MOST_BYTES = 16_000_000  # of an item in JSON
LONGEST = 1024  # symbols of a generated item, where nothing else is asked
MOST_ITEMS = 20_000  # names that a vocabulary holds: the most frequent
SHARED = 2  # histories that have to hold an item for its name to be in the vocabulary, which stays when one is forgotten
GRIDS = (1, 2, 3, 4, 6, 8, 12, 24)  # steps of a quarter note
ON_GRID = 0.99  # share of the notes that begin on the grid that is taken
FURTHEST = 1e11  # seconds from 1970 of a time: 3,000 years


class Format(BaseModel):
    """How events are laid out as symbols."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["notes", "history"] = Field(description="tunes, or histories of items")
    length: int = Field(description="most symbols of a generated item unless it is asked for more, END included", gt=0)
    grid: int = Field(1, description="steps of a quarter note (of histories 1)", gt=0)
    items: tuple[str, ...] = Field(
        (),
        description="items that two or more histories hold, the most frequent first",
        validation_alias=AliasChoices("items", "vocabulary"),  # as data cards called it
    )
    tempo: float | None = Field(None, description="median of the tunes that state one (quarter notes a minute)", gt=0)
    meter: Meter | None = Field(
        None, description="most frequent of those that are stated: beats, and what part of a note each is"
    )


pack = columns.pack
unpack = columns.unpack
preview = drawing.preview
spread = figures.spread
measures = measuring.measures
embedding = measuring.embedding
bands = minhash.bands
traits = near.hashes
alike = minhash.alike


def read(payload: bytes, name: str) -> Events:
    """MIDI, JSON or ABC notation, told from each other by their first bytes; raises `Unreadable`."""
    if not payload.strip():
        raise no_content(name)
    if payload.startswith(midi.MAGIC):
        return midi.read(payload)
    if name.lower().endswith((".mid", ".midi")):
        raise Unreadable("is no MIDI file: it does not begin with MThd")
    if payload.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] not in (b"{", b"["):
        return abc.read(payload, name)
    if len(payload) > MOST_BYTES:
        raise Unreadable(f"has {len(payload) / 1e6:,.0f} MB; the limit is {MOST_BYTES / 1e6:g} MB")
    return columns.read(payload)


def parts(payload: bytes) -> list[tuple[str, int, bytes]]:
    """The items of one file: what it is called there, the line in which it begins, and its content."""
    binary = payload.startswith(midi.MAGIC) or payload[:1] in (b"{", b"[")
    return [("", 1, payload)] if binary else abc.tunes(payload)


def validate(content: Events) -> str | None:
    """The reason why this cannot be used, or None."""
    if not len(content):
        return "holds no notes" if content.tune else "holds no events"
    if len(content) > MOST_EVENTS:
        return f"holds {len(content):,} events; the limit is {MOST_EVENTS:,}: cut it"
    wrong = {
        "is no time": ~np.isfinite(content.times) | (np.abs(content.times) > FURTHEST),
        "is no number": np.zeros(0, bool) if content.weights is None else np.isinf(content.weights),
        **(_wrong_notes(content) if content.tune else {"is earlier than the event before it": _backwards(content.times)}),
    }
    for reason, places in wrong.items():
        if places.any():
            return f"event {int(np.argmax(places)) + 1} {reason}"
    return None


def _wrong_notes(content: Events) -> dict[str, np.ndarray]:
    assert content.durations is not None
    assert content.voices is not None
    backwards = np.zeros(len(content), dtype=bool)
    for voice in np.unique(content.voices):
        rows = np.flatnonzero(content.voices == voice)
        backwards[rows] = _backwards(content.times[rows])
    return {
        f"has a pitch outside 0 to {TOP}": (content.values < 0) | (content.values > TOP),
        "has no duration": ~np.isfinite(content.durations) | (content.durations < 0) | (content.durations > FURTHEST),
        "begins before the tune does, at time 0": content.times < 0,
        "is earlier than the one before it in its voice": backwards,
    }


def _backwards(times: np.ndarray) -> np.ndarray:
    """Which times are earlier than the one before."""
    return np.concatenate([np.zeros(len(times[:1]), dtype=bool), times[1:] < times[:-1]])


def normalise(content: Events) -> Events:
    """In order; a tune without whole bars of silence before it, or quarter notes where it states no meter."""
    ordered = content.ordered()
    if not content.tune:
        return ordered
    bar = ordered.bar or 1.0
    return replace(ordered, times=ordered.times - bar * np.floor(ordered.times[0] / bar))


def fingerprint(content: Events) -> Fingerprint:
    """`exact`: of the canonical bytes; `near`: bands of a MinHash of `near.pieces`."""
    return Fingerprint(hashlib.sha256(pack(content)).hexdigest(), minhash.sketch(near.pieces(content)))


def covers(later: Events, earlier: Events) -> bool:
    """Whether a history has all events of an earlier one; of tunes, never: a changed tune is another one."""
    if later.tune or earlier.tune or later.dated != earlier.dated or len(later) <= len(earlier):
        return False
    return not _events_of(earlier) - _events_of(later)


def _events_of(content: Events) -> Counter[tuple[str, ...]]:
    return Counter(zip(*(map(str, column.tolist()) for column in content.columns().values()), strict=True))


def choose_format(contents: Sequence[Events]) -> Format:
    """The coarsest grid that the tunes lie on, their tempo and meter, or the items of the histories; longer items are learnt
    whole.

    Raises `BadInput` where there are both.
    """
    if len({content.tune for content in contents}) > 1:
        raise BadInput("the data set holds tunes and histories; make two of it: a model learns the one or the other")
    if not contents or contents[0].tune:
        format = Format(kind="notes", length=LONGEST, grid=_grid(contents), tempo=_tempo(contents), meter=_meter(contents))
    else:
        format = Format(kind="history", length=LONGEST, items=_items(contents))
    longest = max((len(symbols) for symbols in _symbols(contents, format)), default=0) + 1
    return format.model_copy(update={"length": min(LONGEST, -(-longest // 16) * 16)})


def _grid(contents: Sequence[Events]) -> int:
    times = np.concatenate([content.times for content in contents] or [np.zeros(0)])
    for grid in GRIDS:
        if (np.abs(times * grid - np.rint(times * grid)) < 0.02).sum() >= ON_GRID * len(times):
            return grid
    return GRIDS[-1]


def _tempo(contents: Sequence[Events]) -> float | None:
    stated = [content.tempo for content in contents if content.tempo is not None]
    return round(float(np.median(stated)), 3) if stated else None


def _meter(contents: Sequence[Events]) -> Meter | None:
    counts = Counter(content.meter for content in contents if content.meter is not None)
    return min(counts, key=lambda meter: (-counts[meter], meter), default=None)


def _items(contents: Sequence[Events]) -> tuple[str, ...]:
    """Items by how often they come."""
    counts = Counter(item for content in contents for item in content.values.tolist())
    holders = Counter(item for content in contents for item in set(content.values.tolist()))
    shared = sorted((item for item in counts if holders[item] >= SHARED), key=lambda item: (-counts[item], item))
    return tuple(shared[:MOST_ITEMS])


def _symbols(contents: Sequence[Events], format: Format) -> list[list[int]]:
    """Of each, without an END."""
    if any(content.tune != (format.kind == "notes") for content in contents):
        raise BadInput(f"the model learns {format.kind}, and is given {'a history' if format.kind == 'notes' else 'notes'}")
    if format.kind == "notes":
        return [tokens.of_tune(content, format.grid) for content in contents]
    numbers = {item: tokens.FIRST_ITEM + at for at, item in enumerate(format.items)}
    return [tokens.of_history(content, numbers) for content in contents]


def vocabulary(format: Format) -> Vocabulary:
    """Those of notes, or one for each item and one for those that are not known."""
    return Vocabulary(tokens.OF_TUNES if format.kind == "notes" else tokens.FIRST_ITEM + len(format.items))


def encode(contents: Sequence[Events], format: Format) -> Sequences:
    """int16, or int32 for many items: the symbols of each and END; `BadInput` for the other kind of events."""
    symbols = vocabulary(format)
    kind = np.int16 if symbols.inputs <= np.iinfo(np.int16).max else np.int32
    return Sequences.of(([*item, symbols.end] for item in _symbols(contents, format)), kind)


def tensor(values: Sequences) -> Tensor:
    """int64 (item, time), -1 behind an item, as long as the longest of these items."""
    return values.tensor()


def decode(values: Tensor | Sequences, format: Format) -> list[Events]:
    """Symbols back to events, each up to its END: tunes of the format's tempo and meter, histories at times 0, 1, 2, ..."""
    rows = values.rows() if isinstance(values, Sequences) else values.cpu().numpy()
    used = [list(takewhile(lambda symbol: 0 <= symbol < vocabulary(format).end, row.tolist())) for row in rows]
    if format.kind == "history":
        return [tokens.items(row, format.items) for row in used]
    return [replace(tokens.tune(row, format.grid), tempo=format.tempo, meter=format.meter) for row in used]


def amounts(values: Sequences, format: Format) -> np.ndarray:
    """The events of each item: float64 (item,)."""
    if format.kind == "history":
        return (values.lengths - 1).astype(np.float64)
    return np.array([np.count_nonzero(row < tokens.DURATIONS) for row in values.rows()], dtype=np.float64)


def emptiness(content: Events) -> str | None:
    """`empty` without an event, `one symbol` where all are of one pitch or item, else None."""
    if not len(content):
        return "empty"
    return "one symbol" if len(set(content.values.tolist())) == 1 else None


def write(content: Events, path: Path) -> Path:
    """Write `content` as JSON with this modality's suffix; gives the path."""
    target = path.with_name(path.name.removesuffix(suffix) + suffix)
    target.write_bytes(pack(content))
    return target


def renderings(content: Events, suffixes: Collection[str] | None = None) -> dict[str, bytes]:
    """A tune as MIDI, as ABC notation and as sound, or those of `suffixes`; of what has no notes, and of a history, none.

    ABC says no percussion, and is left out where the tune is longer than what is read of it.
    """
    if not content.tune or not len(content):
        return {}
    writers = {".mid": midi.written, ".abc": abc_writing.written, ".wav": sounding.written}
    made = {kind: write(content) for kind, write in writers.items() if suffixes is None or kind in suffixes}
    return {kind: payload for kind, payload in made.items() if payload is not None}
