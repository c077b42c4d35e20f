import json
import math
from types import SimpleNamespace

from aigc_models.evidence import Difference, Measurement, original


def test_no_interval_is_null_in_json_and_excludes_nothing_when_it_is_read_again():
    none = Difference(value=-1.0, low=-math.inf, high=math.inf)
    measurement = Measurement(value=1, low=-math.inf, high=math.inf, unit="", better="lower", versus={"b": none})
    text = json.dumps(measurement.model_dump(mode="json"), allow_nan=False)
    assert json.loads(text)["versus"]["b"] == {"value": -1, "low": None, "high": None}
    assert Measurement.model_validate_json(text) == measurement


def test_who_has_everything_from_another_candidate():
    member, other = object(), object()
    alone, mixed = (SimpleNamespace(weights=weights) for weights in ({"a": 1.0, "b": 0.0}, {"a": 0.5, "b": 0.5}))
    models = {"ensemble": alone, "champion": alone, "baseline": member, "a": member, "b": other}
    assert {name: original(name, models) for name in models} == {
        "ensemble": "baseline",
        "champion": "ensemble",
        "baseline": "baseline",
        "a": "baseline",
        "b": "b",
    }
    assert original("ensemble", models | {"ensemble": mixed}) == "ensemble"
    assert original("champion", models | {"ensemble": mixed}) == "champion", "its members only have the names"
