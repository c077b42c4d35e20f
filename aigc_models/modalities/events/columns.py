"""Events as JSON: an object of columns (what `pack` writes), a list of events, or a grid of steps."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aigc_models.errors import Unreadable
from aigc_models.modalities.events.events import (
    MOST_BEATS,
    MOST_EVENTS,
    SHORTEST_BEAT,
    TEMPI,
    Events,
    Meter,
    history,
    meter_of,
    notes,
    tempo_of,
)

NAMES = {"notes": ("time", "pitch", "duration", "voice", "velocity"), "history": ("time", "item", "weight")}
STEP = 0.25  # quarter notes of a step of a grid that does not say


def pack(content: Events) -> bytes:
    """Compact JSON with numbers that come back exactly; tempo and meter only where they are stated."""
    kind = "notes" if content.tune else "history"
    columns = {name: _plain(column) for name, column in zip(_names(content), content.columns().values(), strict=True)}
    about: dict[str, Any] = {} if content.tune else {"dated": content.dated}
    if content.tempo is not None:
        about["tempo"] = int(content.tempo) if content.tempo.is_integer() else content.tempo
    if content.meter is not None:
        about["meter"] = content.meter
    return json.dumps({"kind": kind, **about, **columns}, ensure_ascii=False, separators=(",", ":")).encode()


def _names(content: Events) -> list[str]:
    names = NAMES["notes" if content.tune else "history"]
    return list(names if content.weights is not None else names[:-1])


def _plain(column: np.ndarray) -> list[Any]:
    """JSON values: whole numbers without a point, null for what is missing."""
    values = column.tolist()
    if column.dtype != np.float64:
        return values
    return [None if value != value else int(value) if value.is_integer() else value for value in values]


def unpack(payload: bytes) -> Events:
    """What `pack` wrote."""
    return _of_columns(json.loads(payload))


def read(payload: bytes) -> Events:
    """Raises `Unreadable` with the event and what is wrong with it."""
    try:
        whole = json.loads(payload.decode("utf-8-sig"), parse_int=_whole)
    except RecursionError as error:
        raise Unreadable("not JSON that can be read: values are too deep inside each other") from error
    except UnicodeDecodeError as error:
        raise Unreadable(f"not UTF-8: byte {error.start} is 0x{payload[error.start]:02x}") from error
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from error
    about = {name: whole[name] for name in ("tempo", "meter") if name in whole} if isinstance(whole, dict) else {}
    if isinstance(whole, dict) and isinstance(whole.get("events"), list):
        whole = whole["events"]
    if isinstance(whole, dict) and isinstance(whole.get("steps"), list):
        tempo, meter = _stated(about)
        return replace(of_grid(whole["steps"], whole.get("step", STEP)), tempo=tempo, meter=meter)
    if isinstance(whole, dict):
        return _of_columns(whole)
    if isinstance(whole, list) and whole and all(isinstance(one, dict) for one in whole):
        return _of_columns({**_transposed(whole), **about})
    if isinstance(whole, list):
        return of_grid(whole, STEP)
    raise Unreadable("is JSON, but no events: expected is [{'time': 0, 'pitch': 60, 'duration': 1}, ...]")


def _whole(digits: str) -> int:
    if len(digits) > 18:
        raise Unreadable(f"a number of {len(digits)} digits")
    return int(digits)


def _check_count(count: int, what: str) -> None:
    if count > MOST_EVENTS:
        raise Unreadable(f"holds {count:,} {what}; the limit is {MOST_EVENTS:,}: cut it")


def _transposed(events: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    _check_count(len(events), "events")
    column_names = {name for names in NAMES.values() for name in names}
    # A column for each name that any event has would let a small file ask for gigabytes.
    named = {key: None for event in events for key in event if key in column_names} or list(events[0])[:8]
    return {name: [event.get(name) for event in events] for name in named}


def _of_columns(whole: Mapping[str, Any]) -> Events:
    kind = whole.get("kind") or ("notes" if "pitch" in whole else "history" if "item" in whole else "")
    if not isinstance(kind, str) or kind not in NAMES:
        keys = ", ".join(str(key)[:20] for key in list(whole)[:8]).encode(errors="replace").decode() or "none"
        raise Unreadable(f"is JSON, but no events: 'pitch' (of notes) or 'item' (of a history) is needed; it has: {keys}")
    columns = {name: whole[name] for name in NAMES[kind] if name in whole}
    wrong = next((name for name, column in columns.items() if not isinstance(column, list)), None)
    if wrong is not None or len({len(column) for column in columns.values()}) > 1:
        raise Unreadable(f"{', '.join(columns)} have to be lists of the same length")
    _check_count(max(map(len, columns.values()), default=0), "events")
    if kind == "history":
        return _history(columns, whole.get("dated") is True)
    pitches = [_number(value, "pitch", at, whole=True) for at, value in enumerate(_needed(columns, "pitch"))]
    numbers = {name: _numbers(columns, name) for name in ("time", "duration")}
    voices = [int(_number(value, "voice", at, whole=True)) for at, value in enumerate(columns.get("voice", [0] * len(pitches)))]
    velocity = [_number(value, "velocity", at, missing=True) for at, value in enumerate(columns.get("velocity", []))]
    return notes(numbers["time"], pitches, numbers["duration"], voices, velocity or None, *_stated(whole))


def _stated(whole: Mapping[str, Any]) -> tuple[float | None, Meter | None]:
    """The tempo and the meter of a tune; raises `Unreadable` for what is none."""
    tempo, meter = whole.get("tempo"), whole.get("meter")
    if tempo is not None:
        tempo = None if isinstance(tempo, bool) or not isinstance(tempo, (int, float)) else tempo_of(tempo)
        if tempo is None:
            what = f"no number of quarter notes a minute from {TEMPI[0]:g} to {TEMPI[1]:g}"
            raise Unreadable(f"the tempo {str(whole['tempo'])[:40]!r} is {what}")
    if meter is not None:
        whole_numbers = isinstance(meter, list) and [type(part) for part in meter] == [int, int]
        meter = meter_of(*meter) if whole_numbers else None
        if meter is None:
            what = f"no meter such as [3, 4], of at most {MOST_BEATS} beats of at least a {SHORTEST_BEAT}th"
            raise Unreadable(f"the meter {str(whole['meter'])[:40]!r} is {what}")
    return tempo, meter


def _history(columns: Mapping[str, list[Any]], dated: bool) -> Events:
    items = [_item(value, at) for at, value in enumerate(_needed(columns, "item"))]
    times = _numbers(columns, "time") if "time" in columns else list(range(len(items)))
    weights = [_number(value, "weight", at, missing=True) for at, value in enumerate(columns.get("weight", []))]
    return history(times, items, weights or None, dated)


def _needed(columns: Mapping[str, list[Any]], name: str) -> list[Any]:
    if name not in columns:
        raise Unreadable(f"has no {name!r}; it has: {', '.join(columns) or 'none'}")
    return columns[name]


def _numbers(columns: Mapping[str, list[Any]], name: str) -> list[float]:
    return [_number(value, name, at) for at, value in enumerate(_needed(columns, name))]


def _number(value: Any, name: str, at: int, whole: bool = False, missing: bool = False) -> float:
    if missing and value is None:
        return float("nan")
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise Unreadable(f"event {at + 1}: the {name} {str(value)[:40]!r} is not a number")
    if whole and (abs(value) > 2**31 or int(value) != value):
        raise Unreadable(f"event {at + 1}: the {name} {value!r} is not a whole number")
    return value


def _item(value: Any, at: int) -> str:
    if isinstance(value, bool) or not isinstance(value, (str, int)) or value == "":
        raise Unreadable(f"event {at + 1}: the item {str(value)[:40]!r} is neither text nor a whole number")
    name = str(value)
    if not name.isascii() and any("\ud800" <= sign <= "\udfff" for sign in name):
        raise Unreadable(f"event {at + 1}: the item {name[:40]!r} holds half a character, which UTF-8 does not have")
    return name


def of_grid(steps: Sequence[Any], step: Any) -> Events:
    """A list of the pitches that sound at each step, each `step` quarter notes long; the n-th of a step is voice n.

    Equal pitches of a voice in neighbouring steps are one note that is held: a grid does not tell it from a repeated one.
    """
    if isinstance(step, bool) or not isinstance(step, (int, float)) or not 0 < step <= 64:
        raise Unreadable(f"the step {str(step)[:40]!r} is no number of quarter notes")
    _check_count(len(steps), "steps")
    rows: list[list[int]] = []  # step, pitch, steps, voice
    held: dict[int, list[int]] = {}
    for at, chord in enumerate(steps):
        pitches = _chord(chord, at)
        for voice, pitch in pitches.items():
            if voice in held and held[voice][1] == pitch:
                held[voice][2] += 1
            else:
                held[voice] = [at, pitch, 1, voice]
                rows.append(held[voice])
        held = {voice: note for voice, note in held.items() if voice in pitches}
        _check_count(len(rows), "notes")
    table = np.array(rows, dtype=np.int64).reshape(-1, 4)
    return notes(table[:, 0] * float(step), table[:, 1], table[:, 2] * float(step), table[:, 3])


def _chord(chord: Any, at: int) -> dict[int, int]:
    """The pitch of each voice; null or a negative number is a rest."""
    if not isinstance(chord, list):
        raise Unreadable(
            f"step {at + 1} of the grid is {str(chord)[:40]!r}; expected is a list of pitches, such as [72, 67, 60]"
        )
    given = {voice: pitch for voice, pitch in enumerate(chord) if pitch is not None}
    for pitch in given.values():
        if isinstance(pitch, bool) or not isinstance(pitch, (int, float)) or not abs(pitch) < 1000 or int(pitch) != pitch:
            raise Unreadable(f"step {at + 1} of the grid holds {str(pitch)[:40]!r}, which is no pitch (0 to 127)")
    return {voice: int(pitch) for voice, pitch in given.items() if pitch >= 0}
