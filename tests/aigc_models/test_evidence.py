import json
import math

from aigc_models.evidence import Difference, Measurement


def test_no_interval_is_null_in_json_and_excludes_nothing_when_it_is_read_again():
    none = Difference(value=-1.0, low=-math.inf, high=math.inf)
    measurement = Measurement(value=1, low=-math.inf, high=math.inf, unit="", better="lower", versus={"b": none})
    text = json.dumps(measurement.model_dump(mode="json"), allow_nan=False)
    assert json.loads(text)["versus"]["b"] == {"value": -1, "low": None, "high": None}
    assert Measurement.model_validate_json(text) == measurement
