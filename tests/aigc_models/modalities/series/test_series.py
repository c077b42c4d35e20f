from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser

import numpy as np
import pytest
import torch

from aigc_models.errors import BadInput, Unreadable
from aigc_models.modalities import series
from aigc_models.modalities.series import Format, Series

DAY = 86400.0


def wave(
    steps: int = 400, channels: tuple[str, ...] = ("load",), step: str = "1h", start: float = 0.0, seed: int = 0
) -> Series:
    random, at = np.random.default_rng(seed), np.arange(steps)
    rows = [10 * (1 + row) + 3 * np.sin(2 * np.pi * at / 24) + random.normal(0, 0.3, steps) for row in range(len(channels))]
    return Series(np.array(rows), channels, start, step)


def table(times: list[object], header: str = "date,load", values: list[float] | None = None) -> bytes:
    values = values or [float(at % 7) for at in range(len(times))]
    return "\n".join([header, *(f"{time},{value}" for time, value in zip(times, values, strict=True))]).encode()


def hours(count: int, start: str = "2020-01-01") -> list[datetime]:
    return [datetime.fromisoformat(start) + timedelta(hours=at) for at in range(count)]


def test_a_table_becomes_a_series() -> None:
    parsed = series.read(b"date,a,b\n2020-01-01,1,4\n2020-01-02,2,5\n2020-01-03,,6\n", "x.csv")
    assert (parsed.channels, parsed.step, parsed.stamps()[0], parsed.notes) == (("a", "b"), "1D", "2020-01-01", ())
    np.testing.assert_array_equal(parsed.values, [[1, 2, np.nan], [4, 5, 6]])


@pytest.mark.parametrize("step", ["1h", "7D", "1MS", "1ME", "12MS", "1B", "1", "15min"])
@pytest.mark.parametrize("steps", [1, 3, 60])
def test_pack_and_unpack_are_inverse(step, steps) -> None:
    start = float(np.datetime64("2020-01-31", "s").astype(int))
    content = wave(steps, ("a", 'b,"c"'), step, start).noted("values filled 3: linearly")
    again = series.unpack(series.pack(content))
    np.testing.assert_array_equal(again.values, content.values)
    assert (again.channels, again.start, again.step, again.notes) == (content.channels, start, step, content.notes)


def test_what_is_written_can_be_read_as_a_users_own(tmp_path) -> None:
    content = wave(50, ("a", "b"))
    path = series.write(content.noted("rows sorted 2: they came late"), tmp_path / "one")
    again = series.read(path.read_bytes(), path.name)
    np.testing.assert_array_equal(again.values, content.values)
    assert path.suffix == ".csv"
    assert again.step == "1h"


def test_rows_in_any_order_are_sorted_with_a_note() -> None:
    times = hours(30)
    parsed = series.read(table(times[15:] + times[:15]), "x")
    assert parsed.steps == 30
    assert parsed.notes == ("rows sorted 15: they came after later ones",)


def test_a_repeated_time_is_merged_where_values_agree_and_refused_where_not() -> None:
    times = hours(20)
    values = [float(at) for at in range(20)]
    parsed = series.read(table([*times, times[3]], values=[*values, 3.0]), "x")
    assert parsed.steps == 20
    assert "rows merged 1" in parsed.notes[-1]
    with pytest.raises(Unreadable, match=r"2020-01-01T03:00:00 stands in 2 rows with different values \(3 and 9 in 'load'\)"):
        series.read(table([*times, times[3]], values=[*values, 9.0]), "x")


def berlin(moment: datetime) -> datetime:
    """Local time of 2020, without an offset."""
    summer = datetime(2020, 3, 29, 1, tzinfo=UTC) <= moment < datetime(2020, 10, 25, 1, tzinfo=UTC)
    return moment.astimezone(timezone(timedelta(hours=2 if summer else 1)))


@pytest.mark.parametrize("minutes", [60, 15])
def test_a_clock_change_in_both_directions(minutes) -> None:
    begin = datetime(2020, 3, 20, tzinfo=UTC)
    moments = [begin + timedelta(minutes=minutes * at) for at in range(230 * 24 * 60 // minutes)]
    local = [berlin(moment) for moment in moments]
    parsed = series.read(table([f"{time:%Y-%m-%d %H:%M}" for time in local]), "x")
    quarter = 60 // minutes
    assert f"rows averaged {quarter}: in the hour that a clock set back repeats (2020-10-25)" in parsed.notes
    assert np.isnan(parsed.values).sum() == quarter
    filled = series.normalise(parsed)
    assert np.isfinite(filled.values).all()
    assert "an hour that a clock set forward leaves out" in filled.notes[-1]
    exact = series.read(table([time.isoformat() for time in local]), "x")
    assert (exact.notes, exact.steps, exact.stamps()[0]) == ((), len(moments), "2020-03-20T00:00:00")


def test_times_that_are_nearly_even_are_moved_and_uneven_ones_interpolated() -> None:
    random = np.random.default_rng(0)
    near = [time + timedelta(seconds=int(random.integers(-90, 90))) for time in hours(200)]
    parsed = series.read(table([time.isoformat() for time in near]), "x")
    assert (parsed.step, parsed.steps, parsed.stamps()[1]) == ("1h", 200, "2020-01-01T01:00:00")
    assert "times moved" in parsed.notes[0]
    at = np.sort(random.uniform(0, 200 * 3600, 400).round())
    uneven = [datetime(2020, 1, 1) + timedelta(seconds=float(one)) for one in at]
    parsed = series.read(table([time.isoformat() for time in uneven], values=(at / 3600).tolist()), "x")
    assert "steps interpolated" in parsed.notes[0]
    finite = np.isfinite(parsed.values[0])
    np.testing.assert_allclose(parsed.values[0, finite], (parsed.times()[finite] - 1577836800) / 3600, atol=1e-3)


@pytest.mark.parametrize(
    ("times", "step"),
    [
        ([f"{2000 + at // 12}-{at % 12 + 1:02}-15" for at in range(40)], "1MS"),
        ([f"{2000 + at // 4}Q{at % 4 + 1}" for at in range(20)], "3MS"),
        ([f"{1990 + at}-12-31" for at in range(20)], "12ME"),
        ([str(np.busday_offset("2020-01-01", at)) for at in range(60)], "1B"),
        ([str(np.datetime64("2020-01-04") + 7 * at) for at in range(20)], "7D"),
        ([str(at * 5) for at in range(20)], "5"),
        ([str(1467331200 + 900 * at) for at in range(20)], "15min"),
    ],
)
def test_the_step_is_found(times, step) -> None:
    assert series.read(table(times), "x").step == step


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "zero bytes"),
        (b"date,load\n", "a header and no rows"),
        (b"date,load\n2020-01-01,1\n", "holds one point"),
        (b"2020-01-01,1\n2020-01-02,2\n", "has no header"),
        (b"date,a,a\n2020-01-01,1,2\n", "two columns are named 'a'"),
        (b"date,load\n2020-01-01,1,5\n", "row 1 has 3 cells, the header 2"),
        (b"date,load\n2020-01-01,1\xff\n", "not UTF-8: byte 22"),
        (
            b"date,load\n1900-01-01T00:00:00,1\n1900-01-01T00:00:01,2\n1900-01-01T00:00:02,2\n2020-01-01T00:00:00,3\n",
            "the limit is",
        ),
    ],
)
def test_what_cannot_be_read_says_why(payload, reason) -> None:
    with pytest.raises(Unreadable, match=reason):
        series.read(payload, "x.csv")


def test_all_missing_and_no_channel_are_invalid() -> None:
    assert series.validate(Series(np.full((1, 9), np.nan), ("a",), 0.0, "1D")) == "all 9 values are missing"
    assert "no channel" in str(series.validate(series.read(b"date\n2020-01-01\n2020-01-02\n", "x")))


def test_short_gaps_are_filled_and_ends_left_out() -> None:
    values = np.array([[np.nan, 1, np.nan, 3, 4, np.nan]])
    filled = series.normalise(Series(values, ("a",), 0.0, "1D"))
    np.testing.assert_array_equal(filled.values, [[1, 2, 3, 4]])
    assert filled.start == DAY
    assert len(filled.notes) == 2
    assert series.handling([filled])["values filled"]["count"] == 1
    assert series.handling([filled])["missing_share"] == 0.25
    again = series.normalise(filled)
    assert again.notes == filled.notes


def test_the_scale_is_of_the_train_part_alone() -> None:
    content = wave(600)
    borders = series.borders([content], 0.1, 0.2)
    train = series.before(content, borders["validation"])
    spoiled = Series(content.values.copy(), content.channels, content.start, content.step)
    spoiled.values[:, train.steps :] = 1e6
    assert series.choose_format([train]) == series.choose_format([series.before(spoiled, borders["validation"])])
    assert train.steps == 420
    np.testing.assert_allclose(series.choose_format([train]).centre, train.values.mean(axis=1))


@pytest.mark.parametrize(("step", "season"), [("1h", 24), ("7D", 52), ("1D", 7), ("1MS", 12), ("1", 24)])
def test_the_season_by_the_step_or_by_what_repeats(step, season) -> None:
    assert series.choose_format([wave(1600, step=step)]).season == season


def test_the_format_fits_what_there_is() -> None:
    format = series.choose_format([wave(40)])
    assert format.length < 40
    assert format.horizon >= 1


def two_series() -> tuple[list[Series], Format, dict[str, float]]:
    contents = [wave(500, ("a", "b")), wave(300, ("b", "a"), start=100 * 3600.0, seed=1)]
    borders = series.borders(contents, 0.1, 0.2)
    format = series.choose_format([series.before(content, borders["validation"]) for content in contents])
    return contents, format.model_copy(update={"context": 48, "horizon": 12, "stride": 3}), borders


def test_no_step_that_is_judged_lies_in_a_train_window() -> None:
    contents, format, borders = two_series()
    marked = [Series(content.times()[None].repeat(2, 0), content.channels, content.start, content.step) for content in contents]
    plain = format.model_copy(update={"centre": (0.0, 0.0), "scale": (3600.0, 3600.0)})
    parts = {name: series.windows(marked, plain, borders, name) for name in ("train", "validation", "test")}
    at = {name: values.astype(np.float64) * 3600 for name, (values, _, _) in parts.items()}
    assert at["train"].max() < borders["validation"]
    assert borders["validation"] <= at["validation"][..., 48:].min()
    assert at["validation"].max() < borders["test"]
    assert at["test"][..., 48:].min() >= borders["test"]
    for values in at.values():
        assert (np.diff(values[:, 0, 48]) >= 0).all()  # in the order of time
        assert (np.diff(values, axis=-1) == 3600).all()
    assert set(parts["train"][1]) == {0, 1}
    assert (np.diff(np.unique(at["test"][:, 0, 48])) == 3 * 3600).all()


def test_windows_hold_the_channels_in_the_formats_order() -> None:
    contents, format, borders = two_series()
    values, owners, spans = series.windows(contents, format, borders, "train")
    times = contents[1].times()
    assert spans[np.argmax(owners == 1)].tolist() == [times[48], times[59]], "its horizon, of 12 steps after 48"
    expected = series.standardised(contents[1], format)
    np.testing.assert_allclose(expected[0], (contents[1].values[1] - format.centre[0]) / format.scale[0], rtol=1e-5)
    np.testing.assert_array_equal(values[np.argmax(owners == 1)], expected[:, :60])


def test_decode_undoes_encode_and_goes_on_in_time() -> None:
    contents, format, _ = two_series()
    values = series.tensor(series.encode(contents, format))
    assert values.shape == (2, 2, 60)
    assert values.dtype == torch.float32
    past = series.given(values, format)["past"]
    assert past.shape == (2, 2, 48)
    np.testing.assert_array_equal(past[0], series.encode([contents[0]], format)[0, :, :48])
    future = series.decode(values[..., 48:], format, after=[content.part(0, content.steps - 12) for content in contents])
    np.testing.assert_allclose(future[0].values, contents[0].values[:, -12:], rtol=1e-5)
    np.testing.assert_allclose(future[1].times(), contents[1].times()[-12:])
    assert future[1].channels == ("a", "b")


def test_the_latest_past_and_what_a_past_must_have() -> None:
    contents, format, _ = two_series()
    latest = series.latest(contents, format)
    assert latest.shape == (2, 2, 48)
    tail = series.tail(contents[0], format)
    assert tail is not None
    assert tail.steps == 48
    assert tail.time(48) == contents[0].time(500)
    np.testing.assert_array_equal(series.window(tail, format), latest[0])
    with pytest.raises(BadInput, match="has 20 steps; 48 are needed"):
        series.window(wave(20, ("a", "b")), format)
    with pytest.raises(BadInput, match="no channel b; it has: a, c"):
        series.window(wave(60, ("a", "c")), format)
    with pytest.raises(BadInput, match="step of 1D; the model was trained on 1h"):
        series.window(wave(60, ("a", "b"), "1D"), format)


def test_too_little_in_a_part_says_what_to_do() -> None:
    contents, format, borders = two_series()
    with pytest.raises(BadInput, match=r"the test part of the longest series has \d+ steps; 400"):
        series.windows(contents, format.model_copy(update={"horizon": 400, "context": 10}), borders, "test")


def test_misfits_and_grown_files() -> None:
    contents = [wave(100), wave(100, ("other",)), wave(100, step="1D"), wave(100, ("a", "b"))]
    assert set(series.misfits(contents)) == {2, 3}
    assert "has the step 1D" in series.misfits(contents)[2]
    assert series.covers(wave(120), wave(100))
    assert not series.covers(wave(100), wave(120))
    assert not series.covers(wave(120, start=DAY), wave(100))


def test_near_duplicates_are_the_same_course_and_not_another() -> None:
    one = wave(400)
    close = Series(one.values + 0.001, one.channels, one.start, one.step)
    other = Series(one.values[:, ::-1].copy(), one.channels, one.start, one.step)
    prints = [series.fingerprint(content) for content in (one, other, close, wave(200))]
    assert list(series.near_pairs([each.near for each in prints])) == [(0, 2)]
    assert prints[0].exact != prints[2].exact
    assert prints[0].exact == series.fingerprint(series.unpack(series.pack(one))).exact


def test_the_strength_of_a_season_is_near_one_for_a_wave_and_zero_for_noise() -> None:
    noise = Series(np.random.default_rng(0).normal(size=(1, 2000)), ("load",), 0.0, "1h")
    strong, weak = (series.spread([content])["channels"]["load"]["season_strength"] for content in (wave(2000), noise))
    assert strong > 0.9
    assert weak < 0.1


def test_the_preview_is_svg_in_the_colour_of_the_text() -> None:
    drawn = series.preview(wave(1000, ("a<b", "c")))
    assert drawn.startswith("<svg")
    assert "currentColor" in drawn
    assert "a&lt;b" in drawn
    assert "http" not in drawn
    assert drawn.count("<polyline") == 2
    assert len(drawn) < 20_000
    HTMLParser().feed(drawn)
    gap = np.where(np.arange(50) == 20, np.nan, 1.0 + np.arange(50))[None]
    assert series.preview(Series(gap, ("a",), 0.0, "1D")).count("<polyline") == 2


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        (["0", "1", "2", "1e308"], r"the time 1e\+308 is beyond 9e\+15"),
        (["-1e308", "0", "1", "1e308"], "is beyond"),
        (["1e-300", "2e-300", "3e-300", "4e-300"], "less than 1e-06 apart"),
        (["0", "1", "2", "1e15"], "would have 1,000,000,000,000,000 steps"),
    ],
)
def test_times_that_no_series_has_are_told(times: list[str], reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        series.read(b"time,load\n" + "".join(f"{time},1\n" for time in times).encode(), "t.csv")


def test_values_that_models_cannot_compute_with_are_invalid() -> None:
    reason = series.validate(Series(np.array([[1.0, 1.7e308, 2.0]]), ("a",), 0.0, "1D"))
    assert reason is not None
    assert "holds 1.7e+308, which is beyond 1e+30" in reason


def test_a_channel_that_is_named_by_a_formula_is_refused() -> None:
    with pytest.raises(Unreadable, match="named by a formula"):
        series.read(b"time,=cmd|' /C calc'!A0\n1,1\n2,1\n", "t.csv")


def test_a_grid_that_memory_would_not_hold_is_not_made() -> None:
    names = ",".join(f"c{at}" for at in range(2000))
    rows = "".join(f"{time},{','.join('1' * 2000)}\n" for time in (*range(20), 4_000_000))
    with pytest.raises(Unreadable, match="would have 4,000,001 steps of 1 in 2,000 channels; the limit is 25,000,000 values"):
        series.read(f"time,{names}\n{rows}".encode(), "t.csv")


def test_repeated_times_without_a_channel_are_invalid() -> None:
    assert series.validate(series.read(b"time\n1\n1\n2\n", "t.csv")) == "has no channel: every column is the time"
