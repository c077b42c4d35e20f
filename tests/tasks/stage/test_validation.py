import pytest

from aigc_models.errors import BadInput
from tasks.stage.validation import validated
from tasks.train.members import MemberSettings

GAN = {"family": "gan"}


def test_an_unknown_field_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match=r"here: unknown field 'famly'; did you mean 'family'\?"):
        validated(MemberSettings, {"famly": "gan", "family": "gan"}, "here")


def test_a_wrong_value_is_named_with_its_field_and_what_fits():
    with pytest.raises(BadInput, match=r"here: steps: .*greater than 0 \(given: -1\)"):
        validated(MemberSettings, {"family": "gan", "steps": -1}, "here")


def refused(values):
    from flows.config import PipelineConfig

    with pytest.raises(BadInput) as caught:
        validated(PipelineConfig, values, "x")
    return str(caught.value).splitlines()


def test_a_name_that_is_nowhere_near_is_looked_for_in_the_whole():
    run = {"data": {"source": {"name": "a", "location": "b"}}, "training": {"members": [GAN], "baseline": GAN}}
    (line,) = refused({**run, "finetune": {"stepz": 3}})
    assert "unknown field 'finetune.stepz'; did you mean 'training.members.NAME.steps'? known: data," in line
    (line,) = refused({**run, "sed": 3})
    assert "unknown field 'sed'; did you mean 'training.seed'?" in line


@pytest.mark.parametrize(
    ("baseline", "expected"),
    [
        (3, "training.baseline: needs a mapping of fields"),
        ([], "training.baseline: is too short"),
        ([{"famly": "gan"}], "unknown field 'training.baseline.0.famly'; did you mean 'family'"),
        ({**GAN, "share": "x"}, "training.baseline.share: needs a number"),
    ],
)
def test_of_a_union_only_the_cause_is_named(baseline, expected):
    run = {"data": {"source": {"name": "a", "location": "b"}}, "training": {"members": [GAN], "baseline": baseline}}
    (line,) = refused(run)
    assert expected in line


def test_many_mistakes_take_five_lines_and_none_shows_a_whole_value():
    members = [{**GAN, **{letter * 9: "z" * 500 for letter in "abcdefg"}, "steps": "z" * 500}]
    lines = refused({"training": {"members": members, "baseline": GAN}})
    assert (len(lines), lines[-1]) == (5, "and 5 more")
    assert max(map(len, lines)) < 300


def test_fields_inside_lists_are_found_too():
    from flows.config import TrainingConfig

    with pytest.raises(BadInput, match=r"unknown field 'members\.0\.shar'; did you mean 'share'"):
        validated(TrainingConfig, {"members": [{"family": "gan", "shar": 1}], "baseline": {"family": "gan"}}, "x")
