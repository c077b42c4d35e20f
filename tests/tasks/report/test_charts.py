import math
from xml.etree import ElementTree

import pytest

from aigc_models.evidence import Measurement
from tasks.report.charts import MOST_POINTS, Scale, intervals, learning_curve, losses


def of(value: float, half: float = 0.1) -> Measurement:
    return Measurement(value=value, low=value - half, high=value + half, unit="share", better="higher")


def test_a_scale_keeps_what_is_outside_at_its_edge() -> None:
    scale = Scale(0, 10, 100, 200)
    assert [scale(value) for value in (0, 5, 10, 99, -99)] == [100, 150, 200, 200, 100]


@pytest.mark.parametrize(("low", "high"), [(0, 1), (0.92, 0.991), (-3, 12345), (1e-7, 2e-7), (4, 4)])
def test_ticks_are_few_and_inside(low: float, high: float) -> None:
    ticks = Scale(low, high, 0, 1).ticks()
    assert len(ticks) <= 5
    assert all(low - 1e-9 <= tick <= high + 1e-9 for tick in ticks)
    assert ticks or low == high


def test_validation_comes_first_and_rates_are_no_losses() -> None:
    curve = [{"step": 0, "seconds": 0, "critic": 1.0, "learning_rate": 0.1}, {"step": 9, "validation_loss": 2.0}]
    assert losses(curve) == ["validation_loss", "critic"]


def test_a_learning_curve_draws_every_loss_and_says_where_it_ends() -> None:
    curve = [{"step": step, "loss": 1 / (step + 1), "validation_loss": 2 / (step + 1)} for step in range(10)]
    drawing = ElementTree.fromstring(learning_curve("<gan>", curve))
    assert len(drawing.findall("polyline")) == 2
    assert drawing.get("aria-label") == "Learning curve of <gan>: validation loss ends at 0.200, loss ends at 0.100"


def test_long_curves_are_thinned_and_keep_their_last_point() -> None:
    curve = [{"step": step, "loss": 1.0 + (step == 4999)} for step in range(5000)]
    points = ElementTree.fromstring(learning_curve("gan", curve)).find("polyline").get("points").split()  # type: ignore[union-attr]
    assert len(points) <= MOST_POINTS
    assert points[-1].split(",")[0] == "352.0"


@pytest.mark.parametrize("curve", [[], [{"step": 0, "loss": math.nan}], [{"step": 0, "seconds": 1.0}]])
def test_without_a_finite_loss_there_is_no_drawing(curve: list[dict[str, float]]) -> None:
    assert learning_curve("gan", curve) == ""


def test_intervals_order_dots_by_value_and_mark_the_baseline() -> None:
    drawing = ElementTree.fromstring(intervals("accuracy", {"ensemble": of(0.9), "gan": of(0.5), "baseline": of(0.7)}))
    x = {group.find("text").text: float(group.find("circle").get("cx")) for group in drawing.findall("g")}  # type: ignore[union-attr, arg-type]
    assert x["gan"] < x["baseline"] < x["ensemble"]
    reference = drawing.find("line[@class='reference']")
    assert reference is not None
    assert float(reference.get("x1", 0)) == x["baseline"]


def test_intervals_need_something_to_compare() -> None:
    assert intervals("accuracy", {"ensemble": of(0.9), "gan": of(math.nan)}) == ""


def test_an_unbounded_interval_is_drawn_as_a_dot() -> None:
    unbounded = Measurement(value=0.9, low=-math.inf, high=math.nan, unit="share", better="higher")
    assert "nan" not in intervals("accuracy", {"ensemble": unbounded, "gan": of(0.5)})
