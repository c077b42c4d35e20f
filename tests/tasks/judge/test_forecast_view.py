import csv
import io
from xml.etree import ElementTree

import numpy as np
import pytest

from aigc_models.inference import Forecast
from aigc_models.modalities.series import Series
from tasks.judge.forecast_view import beside, picture, table


def series(values, start):
    return Series(np.array(values, dtype=np.float64), ("a", "b & c"), start, "1D")


@pytest.fixture
def forecast():
    past = series([[1, 2, 3], [4, 5, np.nan]], 0.0)
    return Forecast(past, (0.1, 0.5, 0.9), tuple(series([[4 + k, 5 + k], [7, 8]], 3 * 86400.0) for k in (-1, 0, 1)))


def test_table_has_a_row_for_each_time_and_channel(forecast):
    rows = list(csv.DictReader(io.StringIO(table(forecast).decode())))
    assert [(row["time"], row["channel"]) for row in rows[:3]] == [
        ("1970-01-04", "a"),
        ("1970-01-04", "b & c"),
        ("1970-01-05", "a"),
    ]
    assert [float(rows[2][level]) for level in ("0.1", "0.5", "0.9")] == [4, 5, 6]


def test_what_came_stands_beside_its_quantiles(forecast):
    rows = list(csv.DictReader(io.StringIO(beside(forecast, series([[9, 9], [9, 9]], 3 * 86400.0)).decode())))
    assert len(rows) == 5
    assert (rows[0]["a"], rows[0]["a 0.5"]) == ("1", "")
    assert (rows[3]["a"], rows[3]["a 0.1"], rows[3]["b & c 0.9"]) == ("9", "3", "7")


def test_picture_is_well_formed_and_finite(forecast):
    text = picture(forecast)
    root = ElementTree.fromstring(text)
    kinds = [element.tag for element in root.iter()]
    assert (kinds.count("polygon"), kinds.count("polyline")) == (2, 4)
    assert "nan" not in text
    assert "forecast 1970-01-04 to 1970-01-05" in text
    assert len(ElementTree.fromstring(picture(forecast, forecast.quantiles[0], "caption")).findall(".//{*}polyline")) == 6


def test_a_constant_series_under_a_name_made_to_harm_is_drawn_and_tabled():
    name = '<b>"it\'s", so</b>'
    flat = [Series(np.full((1, steps), 5.0), (name,), 0.0, "1") for steps in (4, 2)]
    forecast = Forecast(flat[0], (0.1, 0.5, 0.9), (flat[1],) * 3)
    text = picture(forecast, flat[1])
    assert "".join(ElementTree.fromstring(text).itertext()).startswith(f"forecast 0 to 1{name}: 5 to 5")
    assert "nan" not in text
    assert next(csv.DictReader(io.StringIO(table(forecast).decode())))["channel"] == name
    assert name in next(csv.reader(io.StringIO(beside(forecast, flat[1]).decode())))
