import pytest

from aigc_models.errors import BadInput
from aigc_models.find import names
from tasks.stage.names import check_name


@pytest.mark.parametrize("name", ["digits", "a", "7", "A.b-c_d", "v1.2", "a" * 100, "console", "tiny-shakespeare", "com10"])
def test_names_of_one_kind_are_taken(name):
    assert check_name("a model", name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "-rf", "_a", ".a", "a.", "a..b", "a/b", "../x", "a b", "a\n", "данные", "é", "٣", "a" * 101, "a\ud800", "a\0"),
        *("a:b", "a@b", "con", "NUL", "nul.txt", "Com1", "lpt9.x"),
    ],
)
def test_all_others_are_refused_with_what_is_allowed(name):
    with pytest.raises(BadInput, match=r"cannot name a model: (begin with a letter from A to Z or a digit|Windows keeps it)"):
        check_name("a model", name)


def test_what_is_there_stays():
    assert check_name("a model", "данные", there=lambda: True) == "данные"


def test_our_own_names_fit():
    for package in ("aigc_models.families", "tasks.ingest.embedded", "aigc_models.modalities"):
        assert all(check_name("one of ours", name) for name in names(package))
