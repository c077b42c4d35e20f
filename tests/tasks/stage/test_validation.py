import pytest

from aigc_models.errors import BadInput
from tasks.stage.validation import validated
from tasks.train.members import MemberSettings


def test_an_unknown_field_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match=r"here: unknown field 'famly'; did you mean 'family'\?"):
        validated(MemberSettings, {"famly": "gan", "family": "gan"}, "here")


def test_a_wrong_value_is_named_with_its_field_and_what_fits():
    with pytest.raises(BadInput, match=r"here: steps: .*greater than 0 \(given: -1\)"):
        validated(MemberSettings, {"family": "gan", "steps": -1}, "here")


def test_fields_inside_lists_are_found_too():
    from flows.config import TrainingConfig

    with pytest.raises(BadInput, match=r"unknown field 'members\.0\.shar'; did you mean 'share'"):
        validated(TrainingConfig, {"members": [{"family": "gan", "shar": 1}], "baseline": {"family": "gan"}}, "x")
