import pytest

from aigc_models.errors import BadInput
from tasks.train.members import MemberSettings, families_for, model_config, training_plan


def test_a_member_is_called_after_its_family_unless_it_has_a_name():
    assert MemberSettings(family="gan").name == "gan"
    assert MemberSettings(family="gan", name="second").name == "second"


def test_settings_stand_on_top_of_the_size():
    small = model_config(MemberSettings(family="rnn", size="debug"))
    field = next(name for name, value in small if isinstance(value, int))
    changed = model_config(MemberSettings(family="rnn", size="debug", settings={field: getattr(small, field) + 1}))
    assert getattr(changed, field) == getattr(small, field) + 1


def test_an_unknown_setting_names_the_member():
    with pytest.raises(BadInput, match="settings of member 'gan': unknown field 'nope'"):
        model_config(MemberSettings(family="gan", settings={"nope": 1}))


def test_steps_win_over_seconds_and_the_plan_takes_the_members_fields():
    plan = training_plan(MemberSettings(family="rnn", steps=3, seconds=9, limit=7, plan={"batch_size": 5}))
    assert (plan.steps, plan.limit, plan.batch_size) == (3, 7, 5)


def test_a_member_without_a_length_is_refused_in_words():
    with pytest.raises(BadInput, match=r"member 'rnn' has no length: give it `steps`, `seconds` or a `share`"):
        training_plan(MemberSettings(family="rnn", share=0))


def test_families_are_offered_by_modality():
    assert "ngram" in families_for("text")
    assert "ngram" not in families_for("image")
