"""How sampling options are written on the command line."""

import pytest

from aigc_models.errors import BadInput
from flows.command_line.services import _sampling


def test_sampling_options_are_numbers_json_and_expressions():
    given = ["temperature=.8", "beams=4", "regex=[0-9]{3}=1", 'json_schema={"type": "object"}', 'logit_bias={"9": -100}']
    read = {"temperature": 0.8, "beams": 4, "regex": "[0-9]{3}=1", "json_schema": {"type": "object"}, "logit_bias": {"9": -100}}
    assert _sampling(given) == read
    assert _sampling([]) == {}


@pytest.mark.parametrize("option", ["temperature=hot", "temperature", 'json_schema={"type"', "json_schema=[1]"])
def test_what_is_neither_is_refused(option):
    with pytest.raises(BadInput, match="write it as name=value"):
        _sampling([option])
