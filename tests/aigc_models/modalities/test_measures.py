"""What modalities measure of items, and their plain features: the contract for all, and what each one says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from aigc_models.find import find
from aigc_models.modalities import audio, image, series, text
from aigc_models.modalities.audio import Sound
from aigc_models.modalities.series import Series

RANDOM = np.random.default_rng(0)
RATE = 8_000


def sound(gain: float = 0.5, pitch: float = 500.0, seconds: float = 0.5) -> Sound:
    values = gain * np.sin(2 * np.pi * pitch * np.arange(round(seconds * RATE)) / RATE)
    return Sound(values[None].astype(np.float32), RATE)


def picture(height: int, width: int, channels: int) -> np.ndarray:
    return RANDOM.integers(0, 256, (height, width, channels), dtype=np.uint8)


ITEMS: dict[str, list[Any]] = {
    "text": ["A plain line.", "", "Ünïcode 漢字\nand 12 more, and more", "x" * 5000, "\U0001f600"],
    "image": [picture(8, 8, 1), picture(1, 1, 3), picture(40, 20, 3), picture(8, 8, 3), picture(3, 200, 1)],
    "audio": [sound(), sound(0.0), sound(seconds=0.001), Sound(RANDOM.uniform(-1, 1, (2, 900)).astype(np.float32), 44_100)],
    "series": [
        Series(RANDOM.normal(50, 3, (2, 90)), ("a", "b"), 0.0, "1h"),
        Series(np.array([[1.0, np.nan, 3.0], [np.nan] * 3]), ("a", "b"), 0.0, "1D"),
        Series(np.full((1, 1), 7.0), ("a",), 0.0, "1"),
    ],
}


@pytest.mark.parametrize("name", ITEMS)
def test_features_are_finite_and_an_items_own(name: str) -> None:
    modality, items = find("aigc_models.modalities", name), ITEMS[name]
    measured, embedded = modality.measures(items), modality.embedding(items)
    assert (embedded.dtype, len(embedded)) == (np.float32, len(items))
    assert np.isfinite(embedded).all()
    for at, item in enumerate(items):
        alone = modality.measures([item])
        assert {key: column[at] for key, column in measured.items()} == {key: column[0] for key, column in alone.items()}
        np.testing.assert_array_equal(modality.embedding([item])[0], embedded[at])
    assert all(column.dtype == np.float64 and np.isfinite(column).all() for column in measured.values())


@pytest.mark.parametrize("name", ITEMS)
def test_no_items_keep_the_names_and_the_width(name: str) -> None:
    modality = find("aigc_models.modalities", name)
    empty = modality.measures([])
    assert empty.keys() == modality.measures(ITEMS[name]).keys()
    assert {len(column) for column in empty.values()} == {0}
    assert modality.embedding([]).shape == (0, modality.embedding(ITEMS[name]).shape[1])


def test_texts_are_counted() -> None:
    measured = {key: column[0] for key, column in text.measures(["Ab 12 é\nab ab"]).items()}
    counts = {"characters": 13, "lines": 2, "words": 5, "word_length": 9 / 5, "repeated_word_share": 1 / 5}
    shares = {"digit_share": 2 / 13, "capital_share": 1 / 13, "letter_share": 7 / 13, "beyond_ascii_share": 1 / 13}
    assert measured == pytest.approx(counts | shares)


def test_texts_of_many_parts_are_counted_as_of_one(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [f"{at} times {'more ' * (at % 7)}" for at in range(50)]
    whole = text.measures(items), text.embedding(items)
    monkeypatch.setattr("aigc_models.modalities.text.measuring.AT_ONCE", 30)
    np.testing.assert_array_equal(text.embedding(items), whole[1])
    assert all((column == whole[0][key]).all() for key, column in text.measures(items).items())


def test_hashed_n_grams_are_those_of_a_plain_count() -> None:
    """No n-gram reaches into the next text; signs and places are the same wherever an n-gram stands."""
    one, other, both = text.embedding(["abcd", "wxyz", "abcd wxyz"])
    assert one @ both > 0.4
    assert other @ both > 0.4
    assert abs(one @ other) < 0.2
    np.testing.assert_allclose(np.linalg.norm(text.embedding(["abcd", "ab"]), axis=1), 1, rtol=1e-6)


def test_like_texts_lie_nearer() -> None:
    market, sales, code = text.embedding(
        ["Net sales rose to EUR 12 mn in 2009.", "Net sales fell to EUR 9 mn in 2010.", "def f(x): return [a for a in x if a]"]
    )
    assert market @ sales > 0.5 > 0.2 > abs(market @ code)


def test_pictures_are_measured() -> None:
    half = np.zeros((4, 6, 3), dtype=np.uint8)
    half[:, 3:] = (255, 0, 0)
    grey = np.full((2, 2, 1), 250, dtype=np.uint8)
    measured = image.measures([half, grey])
    assert [measured[name].tolist() for name in ("width", "height", "channels")] == [[6, 2], [4, 2], [3, 1]]
    red = 0.299 * 255
    np.testing.assert_allclose(measured["brightness"], [red / 2, 250], rtol=1e-5)
    np.testing.assert_allclose(measured["contrast"], [red / 2, 0], atol=1e-4)
    np.testing.assert_allclose(measured["sharpness"], [red * 4 / 24 / 2, 0], atol=1e-4)
    assert measured["dark_share"].tolist() == [0.5, 0]
    assert measured["bright_share"].tolist() == [0, 1]
    # of the differences red - green and (red + green) / 2 - blue, half are 0, half 255 and 127.5
    assert measured["colourfulness"][0] == pytest.approx(1.3 * np.hypot(127.5, 63.75), rel=1e-5)


def test_a_grey_picture_and_its_copy_in_colour_have_one_canvas() -> None:
    grey = picture(30, 20, 1)
    one, other = image.embedding([grey, np.repeat(grey, 3, axis=2)])
    np.testing.assert_allclose(one, other, atol=0.01)
    assert np.abs(one).max() <= 1


def test_sounds_are_measured() -> None:
    measured = audio.measures([sound(0.5, 500.0), sound(1.0, 1000.0)])
    np.testing.assert_allclose(measured["level_db"], [20 * np.log10(0.5) - 3.01, -3.01], atol=0.01)
    np.testing.assert_allclose(measured["peak_db"], [-6.02, 0], atol=0.01)
    np.testing.assert_allclose(measured["centre_hz"], [500, 1000], rtol=0.01)
    np.testing.assert_allclose(measured["zero_crossings"], [1000, 2000], rtol=0.01)
    assert measured["seconds"].tolist() == [0.5, 0.5]


def test_the_features_of_sounds_know_their_level_and_pitch() -> None:
    quiet, loud, high = audio.embedding([sound(0.05), sound(0.5), sound(0.5, 2000.0)])
    assert loud.mean() > quiet.mean()
    assert np.argmax(loud[:32]) < np.argmax(high[:32])
    assert np.abs(loud).max() <= 1.01


def test_series_are_measured() -> None:
    measured = series.measures([Series(np.array([[1.0, 2.0, np.nan, 4.0, 5.0]]), ("a",), 0.0, "1h")])
    wanted = {"steps": 5, "channels": 1, "mean": 3, "lowest": 1, "highest": 5, "missing_share": 0.2, "step_change": 1}
    assert {name: measured[name][0] for name in wanted} == pytest.approx(wanted)
    smooth, noisy = np.sin(np.arange(200) / 20), RANDOM.normal(0, 1, 200)
    pair = series.measures([Series(row[None], ("a",), 0.0, "1h") for row in (smooth, noisy)])["kinship"]
    assert pair[0] > 0.95 > 0.3 > abs(pair[1])
