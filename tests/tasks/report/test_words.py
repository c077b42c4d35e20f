import math

import pytest

from tasks.report import words


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.53269, "1.533"),
        (0.98, "0.980"),
        (0, "0.000"),
        (12345, "12,345"),
        (-0.5, "−0.500"),
        (0.00001, "1.0e-05"),
        (None, "–"),
        (math.nan, "–"),
    ],
)
def test_numbers_have_four_digits_at_most(value: float | None, text: str) -> None:
    assert words.number(value) == text


def test_where_there_is_no_interval_nothing_is_written() -> None:
    assert words.interval(0.5, 2) == "0.500 to 2.000"
    assert words.interval(-math.inf, math.inf) == words.interval(None, None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.04, "0.04 s"), (9.96, "10.0 s"), (59.99, "60.0 s"), (75, "1 min 15 s"), (3725, "1 h 2 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert words.duration(seconds) == text


def test_a_difference_shows_its_sign() -> None:
    assert (words.change(0.25), words.change(-0.25)) == ("+0.250", "−0.250")


def test_a_unit_that_the_title_says_already_is_left_out() -> None:
    assert words.unit("bits_per_byte", "bits per byte") == ""
    assert words.unit("latency_p95_ms", "ms") == "ms"


def test_a_players_loss_is_named_after_the_player() -> None:
    assert [words.loss(name) for name in ("loss.critic", "validation_loss")] == ["critic loss", "validation loss"]


def test_a_metric_without_words_is_still_named() -> None:
    assert (words.title("edit_distance"), words.meaning("edit_distance")) == ("Edit distance", "")
