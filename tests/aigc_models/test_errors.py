from aigc_models.errors import AigcError, BadInput, unknown


def test_the_nearest_name_is_offered_and_all_are_listed():
    assert str(unknown("family", "gna", ["vae", "gan"])) == "unknown family 'gna'; did you mean 'gan'? known: gan, vae"


def test_without_any_known_name_it_says_so():
    assert str(unknown("label", "x", [])) == "unknown label 'x'; known: none"


def test_bad_input_is_an_error_of_ours():
    assert issubclass(BadInput, AigcError)
