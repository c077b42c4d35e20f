import csv
import json

import numpy as np
import pytest

from aigc_models.bundle import Card
from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.families import seasonal_naive
from aigc_models.generator import Generator
from aigc_models.inference import Latest
from aigc_models.modalities import series
from aigc_models.modalities.series import Series
from tasks.use.arrivals.answers import Responder
from tasks.use.arrivals.points import joined
from tasks.use.provenance import Identity

WEEK = 7 * 86_400.0
START = 11 * 365 * 86_400.0


def weeks(first, count, channels=("x",)):
    """`count` weeks from number `first` on, whose values are their numbers."""
    values = np.arange(first, first + count, dtype=float) + np.zeros((len(channels), 1))
    return Series(values, channels, START + first * WEEK, "7D")


def numbers(content):
    return content.values[0].tolist()


def test_newer_points_go_on_from_the_known_ones():
    whole = joined(series, weeks(0, 10), weeks(10, 2))
    assert (whole.step, numbers(whole)) == ("7D", list(range(12)))
    one = joined(series, weeks(0, 10), Series(np.array([[99.0]]), ("other",), START + 10 * WEEK, "1D"))
    assert (one.step, numbers(one)) == ("7D", [*range(10), 99])


def test_points_of_known_times_are_replaced_and_twice_is_once():
    late = Series(np.array([[50.0, 60.0]]), ("x",), START + 5 * WEEK, "7D")
    whole = joined(series, weeks(0, 10), late)
    assert numbers(whole) == [0, 1, 2, 3, 4, 50, 60, 7, 8, 9]
    assert numbers(joined(series, whole, late)) == numbers(whole)


def test_a_small_gap_is_filled():
    assert numbers(joined(series, weeks(0, 10), weeks(11, 2))) == list(range(13))


def test_what_does_not_fit_is_said():
    with pytest.raises(BadInput, match="of x, z; those before are of x, y"):
        joined(series, weeks(0, 10, ("x", "y")), weeks(10, 2, ("x", "z")))
    with pytest.raises(BadInput, match="dates"):
        joined(series, weeks(0, 10), Series(np.array([[1.0, 2.0]]), ("x",), 10.0, "1"))


@pytest.fixture
def ask(tmp_path):
    """A plain forecaster that looks back 8 weeks and knows those up to number 39; what it answers to a csv of points."""
    form = series.Format(
        context=8, horizon=2, stride=1, season=2, channels=1, names=("x",), step="7D", centre=(0.0,), scale=(1.0,)
    )
    family, earlier = seasonal_naive, weeks(0, 40)
    card = Card(name="tide", family="seasonal_naive", modality="series", config={}, format=form.model_dump(), labels=(),
                dataset="tide", version="d4ta", micro_batch=2)  # fmt: skip
    model = family.build(family.SIZES["debug"], card.shape)
    windows = np.lib.stride_tricks.sliding_window_view(earlier.values[0], 10)[:, None].astype(np.float32)
    corpus = Corpus("series", windows, np.zeros(len(windows), dtype=np.int64))
    model.fit(corpus, corpus, lambda *arguments, **figures: None)
    generator = Generator(card, model, series, form, latest=Latest((earlier.part(32, 40),), (0,)))
    responder = Responder(generator, Identity(model="tide"), points=tmp_path / "points.csv")

    def answer(name, content):
        folder = tmp_path / name
        folder.mkdir()
        manifest = responder.answer(content if isinstance(content, bytes) else series.pack(content), name, folder)
        if not manifest["ok"]:
            return manifest["rows"][0]["error"]["message"]
        rows = list(csv.reader((folder / "forecast.csv").read_text().splitlines()))[1:]
        assert json.loads((folder / "answer.json").read_bytes()) == manifest
        return [row[0] for row in rows], float(rows[0][4])

    return answer


def test_points_that_arrive_one_at_a_time_are_answered_from_where_they_end(ask):
    stamps = weeks(41, 4).stamps()
    times, median = ask("a.csv", weeks(40, 1))
    assert times == stamps[:2]
    assert median == pytest.approx(41, abs=2)
    assert ask("b.csv", weeks(41, 2))[0] == stamps[2:]


def test_a_long_past_stands_for_itself(ask):
    assert ask("long.csv", weeks(100, 8))[0] == weeks(108, 2).stamps()
    assert ask("next.csv", weeks(40, 1))[0] == weeks(41, 2).stamps()


def test_points_far_from_the_known_ones_are_refused_with_the_reason(ask):
    assert "too long to fill" in ask("far.csv", weeks(400, 2))
    assert "header" in ask("bad.csv", b"1,2\n3,4\n")
    assert ask("next.csv", weeks(40, 1))[0] == weeks(41, 2).stamps()
