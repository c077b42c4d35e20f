import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from aigc_models.errors import BadInput
from tasks.stage.settings import make_writable, write_whole


@pytest.fixture
def nobody():
    """The rights of an account without any, where the tests run as root."""
    before = os.geteuid()
    if before == 0:
        os.seteuid(65534)
    yield
    os.seteuid(before)


def test_a_folder_without_rights_is_bad_input(tmp_path, request):
    folder = tmp_path / "stage"
    folder.mkdir(mode=0o500)
    request.getfixturevalue("nobody")
    with pytest.raises(BadInput, match=r"cannot write to .*stage: Permission denied; change its rights"):
        make_writable(folder)


def test_a_text_is_put_whole_by_several_at_once(tmp_path):
    place, texts = tmp_path / "new" / "file.json", [character * 100_000 for character in "abcdefgh"]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda text: [write_whole(place, text) for _ in range(20)], texts))
    assert place.read_text() in texts
    assert list(place.parent.iterdir()) == [place]


def test_a_folder_that_can_be_written_is_left_empty(tmp_path):
    make_writable(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []
