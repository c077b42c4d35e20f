import pytest

from aigc_models.errors import BadInput
from aigc_models.find import find, names


def test_a_plug_in_is_found_by_its_file_name():
    assert frozenset({"text", "events"}) == find("aigc_models.families", "ngram").MODALITIES


def test_private_files_are_no_plug_ins():
    assert "_judge" not in names("aigc_models.metrics")
    assert "coverage" in names("aigc_models.metrics")


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BadInput, match="unknown family 'gna'; did you mean 'gan'"):
        find("aigc_models.families", "gna")
