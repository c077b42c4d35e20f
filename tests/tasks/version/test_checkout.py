from __future__ import annotations

import pytest

from aigc_models.errors import BadInput, Damaged
from tasks.dataset.ledger import ledger
from tasks.stage.references import digest_of
from tasks.version.cache import entries, find_version, object_of
from tasks.version.checkout import checkout
from tasks.version.version import DIGITS, Dvc

pytestmark = pytest.mark.slow  # DVC's command line takes half a second a call


def held(history) -> str:
    folder = history.workspace.data / "letters"
    return digest_of([folder], folder)[:DIGITS]


def test_an_earlier_version_and_back_again(history):
    first, second = history.versions
    assert checkout(history.workspace, "letters", first[:6]).version == first == held(history)
    assert Dvc(history.workspace).up_to_date()
    assert ledger(history.workspace, "letters")[-1].version == first
    checkout(history.workspace, "letters", second)
    assert held(history) == second


def test_an_unknown_one_names_the_nearest(history):
    with pytest.raises(BadInput, match=history.versions[0]):
        checkout(history.workspace, "letters", history.versions[0][:-1] + "x")
    with pytest.raises(BadInput, match="has no version here"):
        checkout(history.workspace, "others", "")


def test_data_stay_where_the_cache_is_not_whole(history):
    first, second = history.versions
    checkout(history.workspace, "letters", second)
    place = object_of(history.workspace, entries(history.workspace, find_version(history.workspace, "letters", first))[0].md5)
    content = place.read_bytes()
    place.unlink()
    with pytest.raises(BadInput, match=r"1 of \d+ files .* `aigc data pull letters"):
        checkout(history.workspace, "letters", first)
    place.write_bytes(content + b"junk")
    with pytest.raises(Damaged, match="damaged in the cache"):
        checkout(history.workspace, "letters", first)
    assert held(history) == second
    place.unlink()
    place.write_bytes(content)
    checkout(history.workspace, "letters", first)
    checkout(history.workspace, "letters", second)
