"""Tunes and histories: what is read, refused, compared and laid out as symbols."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from aigc_models.errors import BadInput, Unreadable
from aigc_models.modalities import events
from aigc_models.modalities.events.events import Events, history, notes

SCALE = (60, 62, 64, 65, 67, 69, 71, 72)


def tune(pitches=SCALE, length=0.5, voice=0) -> Events:
    count = len(pitches)
    return notes(np.arange(count) * length, pitches, [length] * count, [voice] * count)


def melody(seed: int, count: int = 60, up: int = 0) -> Events:
    random = np.random.default_rng(seed)
    lengths = random.choice([0.25, 0.5, 1.0], count)
    return notes(np.cumsum(lengths) - lengths, random.integers(50, 80, count) + up, lengths, [0] * count)


def same(one: Events, other: Events) -> bool:
    columns, others = one.columns(), other.columns()
    equal = all(np.array_equal(columns[name], others[name], equal_nan=name == "weights") for name in columns)
    return columns.keys() == others.keys() and one.dated == other.dated and equal


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1e6), st.integers(0, 127), st.floats(0, 1e4), st.integers(-1, 20)), min_size=1))
def test_what_is_packed_comes_back(rows):
    content = notes(*zip(*rows, strict=True))
    assert same(events.unpack(events.pack(content)), content)
    assert same(events.read(events.pack(content), "a.events"), content)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.floats(-1e9, 1e9), st.text(min_size=1), st.floats(0, 5) | st.just(float("nan"))), min_size=1))
def test_histories_come_back_too(rows):
    times, items, weights = zip(*rows, strict=True)
    content = history(times, items, weights, dated=True)
    assert same(events.unpack(events.pack(content)), content)


def test_a_list_of_events_and_a_grid_are_read_as_columns_are():
    rows = [{"time": 0, "pitch": 60, "duration": 1}, {"time": 1, "pitch": 64, "duration": 0.5, "voice": 1}]
    parsed = events.read(json.dumps(rows[:1]).encode(), "a.json")
    assert same(parsed, notes([0], [60], [1], [0]))
    grid = events.read(b"[[60, 48], [60, null], [-1, 50]]", "a.json")
    assert grid.ordered().values.tolist() == [60, 48, 50]
    assert grid.ordered().durations.tolist() == [0.5, 0.25, 0.25]


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "zero bytes"),
        (b"{", "not JSON"),
        (b"[" * 100_000, "too deep"),
        (b'{"a": 1}', "'pitch' .* or 'item' .* is needed; it has: a"),
        (b'[{"time": 0, "pitch": "x", "duration": 1}]', "event 1: the pitch 'x' is not a number"),
        (b'[{"time": 0, "pitch": 60.5, "duration": 1}]', "is not a whole number"),
        (b'{"pitch": [1, 2], "time": [0], "duration": [1]}', "lists of the same length"),
        (b'{"item": [""]}', "neither text nor a whole number"),
        (b"[[600000]]", "which is no pitch"),
        (b'{"item": [' + b"9" * 40 + b"]}", "40 digits"),
        (b"\xff{", "a.json is no tune in ABC notation: no line K:"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"pitch": [' + b"60," * 100_000 + b"60]}", "holds 100,001 events; the limit is 100,000"),
        (b"[" + b"[60]," * 100_000 + b"[60]]", "holds 100,001 steps; the limit is 100,000"),
        (b"[[60]" + b",[61],[60]" * 40_000 + b"," + b"[" + b"60," * 30_000 + b"60]]", "notes; the limit is 100,000"),
        (b'{"kind": ["notes"], "pitch": [60]}', "'pitch' .* or 'item' .* is needed"),
        (rb'{"item": ["a", "\ud800"]}', "event 2: the item .* half a character"),
        (rb'{"\ud800": 1}', r"it has: \?$"),
        (b'[{"a": 1}]', "it has: a"),
    ],
)
def test_what_is_no_events_is_told_why(payload, reason):
    with pytest.raises(Unreadable, match=reason):
        events.read(payload, "a.json")


def test_other_names_in_events_are_left_out_however_many_there_are():
    rows = [{"kind": "note", "time": at, "pitch": 60, "duration": 1, f"other {at}": 1} for at in range(20_000)]
    assert len(events.read(json.dumps(rows).encode(), "a.json")) == 20_000


def test_changed_bytes_end_in_events_or_in_a_reason():
    random = np.random.default_rng(0)
    whole = {"a.abc": b"X:1\nM:4/4\nL:1/8\nK:G\nGABc d2B2 | [CEG]4 z4 |\n", "a.events": events.pack(melody(0, 8))}
    outcomes = {"read": 0, "refused": 0}
    for at in range(400):
        name = ("a.abc", "a.events")[at % 2]
        payload = bytearray(whole[name])
        for place in random.integers(0, len(payload), 1 + at % 3):
            payload[place] = random.integers(0, 256) if at % 5 else random.choice(list(b"0123456789 CDEFG"))
        try:
            events.validate(events.read(bytes(payload), name))
            outcomes["read"] += 1
        except Unreadable:
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20, outcomes


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tune(()), "holds no notes"),
        (history([], []), "holds no events"),
        (notes([0], [128], [1], [0]), "event 1 has a pitch outside 0 to 127"),
        (notes([0, 1], [60, 60], [1, -1], [0, 0]), "event 2 has no duration"),
        (notes([-1], [60], [1], [0]), "begins before the tune does"),
        (notes([1, 0], [60, 60], [1, 1], [0, 0]), "event 2 is earlier than the one before it in its voice"),
        (history([2, 1], ["a", "b"]), "event 2 is earlier than the event before it"),
        (history([np.inf], ["a"]), "event 1 is no time"),
        (history([0], ["a"], [np.inf]), "event 1 is no number"),
    ],
)
def test_what_cannot_be_used_is_told_why(content, reason):
    assert reason in events.validate(content)


def test_voices_may_overlap_in_time():
    assert events.validate(notes([0, 1, 0, 1], [60, 62, 48, 50], [1] * 4, [0, 0, 1, 1])) is None


def test_silence_before_a_tune_is_left_out_and_notes_are_put_in_order():
    content = events.normalise(notes([9.5, 8.5, 9.5], [48, 60, 64], [1] * 3, [1, 0, 0]))
    assert content.times.tolist() == [0.5, 1.5, 1.5]
    assert content.values.tolist() == [60, 64, 48]


def near(one: Events, other: Events) -> bool:
    rows = events.bands([events.fingerprint(content).near for content in (one, other)])
    return int((rows[0] == rows[1]).sum()) >= 2 and bool(events.alike(events.traits(one), events.traits(other)))


def test_another_key_or_one_changed_note_is_near_and_another_tune_is_not():
    one = melody(1, 200)
    changed = one.take(np.arange(200))
    changed.values[100] += 1
    assert near(one, melody(1, 200, up=3))
    assert near(one, changed)
    assert not near(one, melody(2, 200))
    assert events.fingerprint(one).exact != events.fingerprint(changed).exact


def test_a_history_that_went_on_covers_the_earlier_one():
    earlier, later = history([1, 2], ["a", "b"]), history([1, 2, 3], ["a", "b", "c"])
    assert events.covers(later, earlier)
    assert not events.covers(earlier, later)
    assert not events.covers(history([1, 2, 3], ["a", "x", "c"]), earlier)
    assert not events.covers(tune(), tune((60,)))


def test_tunes_are_symbols_on_the_coarsest_grid_that_fits():
    contents = [tune(), tune(SCALE[::-1], 0.25)]
    form = events.choose_format(contents)
    assert (form.kind, form.grid, form.length % 16) == ("notes", 4, 0)
    values = events.encode(contents, form)
    assert [row[-1] for row in values.rows()] == [events.vocabulary(form).end] * 2
    assert events.amounts(values, form).tolist() == [len(content) for content in contents]
    back = events.decode(events.tensor(values), form)
    assert all(same(one, other) for one, other in zip(back, contents, strict=True))


def test_chords_voices_and_percussion_come_back():
    content = notes([0, 0, 0, 3, 7], [72, 60, 36, 74, 35], [3, 3, 1, 70, 1], [0, 1, 5, 1, -1]).ordered()
    form = events.choose_format([content])
    (back,) = events.decode(events.tensor(events.encode([content], form)), form)
    assert same(back.ordered(), content)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(0, 260), max_size=40))
def test_whatever_a_model_says_is_a_tune(symbols):
    form = events.Format(kind="notes", length=64, grid=4)
    (content,) = events.decode(torch.tensor([symbols], dtype=torch.int64).reshape(1, -1), form)
    assert not len(content) or events.validate(events.normalise(content)) is None


def test_a_history_is_symbols_of_the_items_that_several_hold():
    contents = [history([1, 2, 3], ["a", "b", "a"]), history([1, 2], ["a", "c"]), history([1, 2], ["b", "d"])]
    form = events.choose_format(contents)
    assert form.items == ("a", "b")
    back = events.decode(events.tensor(events.encode(contents, form)), form)
    assert [content.values.tolist() for content in back] == [["a", "b", "a"], ["a"], ["b"]]  # unknown ones are left out
    long = [history(np.arange(5000), ["a", "b"] * 2500)] * 2
    form = events.choose_format(long)
    assert form.length == events.LONGEST
    assert events.encode(long, form).lengths.tolist() == [5001, 5001]
    assert events.Format.model_validate({"kind": "history", "length": 16, "vocabulary": ["a"]}).items == ("a",)


def test_tunes_and_histories_do_not_mix():
    with pytest.raises(BadInput, match="make two of it"):
        events.choose_format([tune(), history([1], ["a"])])
    with pytest.raises(BadInput, match="the model learns notes, and is given a history"):
        events.encode([history([1], ["a"])], events.choose_format([tune()]))


def test_what_is_written_can_be_read_again(tmp_path):
    path = events.write(tune(), tmp_path / "a")
    assert path.name == "a.events"
    assert same(events.read(path.read_bytes(), path.name), tune())


def test_a_preview_draws_notes_and_lists_items_as_they_are_called():
    drawn = events.preview(tune())
    assert drawn.count("<rect") == len(SCALE)
    assert "8 notes, 1 voices, 4 quarter notes" in drawn
    listed = events.preview(history([1, 2], ["<script>", "b"]))
    assert "<script>" not in listed
    assert "&lt;script&gt;" in listed


def test_figures_of_tunes_and_of_histories():
    figures = events.spread([tune(), melody(3)])
    assert figures["notes"] == 68
    items = [tune(), melody(3), melody(4)]
    measures = events.measures(items)
    assert all(values.shape == (3,) and np.isfinite(values).all() for values in measures.values())
    features = events.embedding(items)
    assert (features.shape[0], features.dtype) == (3, np.float32)
    assert np.isfinite(features).all()


def test_tempo_and_meter_are_kept_and_leave_tunes_without_them_as_they_were():
    stated = notes([4.5, 5.5], [60, 62], [1, 1], [0, 0], tempo=72.5, meter=(3, 4))
    for kept in (stated.take(np.array([1])), stated.ordered(), events.unpack(events.pack(stated))):
        assert (kept.tempo, kept.meter) == (72.5, (3, 4))
    ready = events.normalise(stated)
    assert (ready.tempo, ready.meter, ready.times.tolist()) == (72.5, (3, 4), [1.5, 2.5])  # whole bars are taken away
    assert events.pack(tune((60,))) == b'{"kind":"notes","time":[0],"pitch":[60],"duration":[0.5],"voice":[0]}'
    assert b'"tempo":80,"meter":[6,8]' in events.pack(notes([0], [60], [1], [0], tempo=80.0, meter=(6, 8)))
    grid = events.read(b'{"step": 1, "steps": [[60]], "tempo": 90, "meter": [3, 4]}', "a.json")
    assert (grid.tempo, grid.meter) == (90, (3, 4))
    listed = events.read(b'{"events": [{"time": 0, "pitch": 60, "duration": 1}], "tempo": 90}', "a.json")
    assert (listed.tempo, listed.meter) == (90, None)


@pytest.mark.parametrize(
    ("stated", "reason"),
    [
        ('"tempo": "fast"', "the tempo 'fast' is no number of quarter notes a minute from 5 to 1000"),
        ('"tempo": 0', "the tempo '0' is no"),
        ('"tempo": NaN', "the tempo 'nan' is no"),
        ('"meter": "3/4"', r"the meter '3/4' is no meter such as \[3, 4\]"),
        ('"meter": [3, 0]', "is no meter"),
        ('"meter": [true, 4]', "is no meter"),
    ],
)
def test_a_tempo_or_a_meter_that_is_none_is_told(stated, reason):
    with pytest.raises(Unreadable, match=reason):
        events.read(f'{{"pitch": [60], "time": [0], "duration": [1], {stated}}}'.encode(), "a.json")


def test_the_format_has_the_median_tempo_and_the_most_frequent_meter():
    stated = [(60.0, (3, 4)), (90.0, (4, 4)), (100.0, (3, 4)), (None, None)]
    contents = [notes([0, 1], [60, 62], [1, 1], [0, 0], tempo=tempo, meter=meter) for tempo, meter in stated]
    form = events.choose_format(contents)
    assert (form.tempo, form.meter) == (90, (3, 4))
    assert events.Format.model_validate_json(form.model_dump_json()) == form
    made = events.decode(events.tensor(events.encode(contents, form)), form)
    assert {(content.tempo, content.meter) for content in made} == {(90, (3, 4))}
    old = events.Format.model_validate({"kind": "notes", "length": 16, "grid": 4, "items": []})
    assert (old.tempo, old.meter) == (None, None)
