import io

import numpy as np
import pytest
from PIL import Image

from aigc_models.errors import BadInput
from aigc_models.modalities import image, text
from tasks.use.given import read


def picture(path):
    Image.fromarray(np.full((4, 4), 9, np.uint8)).save(path)


def test_a_folder_gives_what_can_be_read_and_says_what_cannot(tmp_path):
    (tmp_path / "in").mkdir()
    picture(tmp_path / "in" / "b.png")
    (tmp_path / "a.png").write_bytes(b"no picture")
    (tmp_path / "notes.txt").write_text("words")
    (tmp_path / ".hidden.png").write_bytes(b"x")
    usable, refused = read(image, str(tmp_path))
    assert [item.name for item in usable] == ["in/b.png"]
    assert {one.name: one.reason.split(":")[0] for one in refused} == {
        "a.png": "not a picture",
        "notes.txt": "is no .png, .bmp, .gif, .jpeg, ... file",
    }


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.png", b"no picture", r"a\.png: not a picture.*give \.png"),
        ("a.png", b"", r"a\.png: zero bytes"),
        (None, b"", "no such file or folder"),
    ],
)
def test_nothing_to_use_is_bad_input(tmp_path, name, content, message):
    if name:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message):
        read(image, str(tmp_path / (name or "missing")))


def test_a_link_that_leads_out_of_the_folder_is_refused_by_name(tmp_path):
    (tmp_path / "in").mkdir()
    picture(tmp_path / "in" / "a.png")
    picture(tmp_path / "secret.png")
    (tmp_path / "in" / "b.png").symlink_to(tmp_path / "secret.png")
    (tmp_path / "in" / "c.png").symlink_to("a.png")
    usable, refused = read(image, str(tmp_path / "in"))
    assert [item.name for item in usable] == ["a.png", "c.png"]
    assert [(one.name, one.reason.split(";")[0]) for one in refused] == [("b.png", "is a link that leads out of the folder")]
    assert read(image, str(tmp_path / "in" / "b.png"))[0]


def test_an_empty_folder(tmp_path):
    with pytest.raises(BadInput, match=r"no \.png.*file in"):
        read(image, str(tmp_path))


def test_lines_and_standard_input(tmp_path):
    usable, refused = read(text, "-", by_line=True, stdin=io.BytesIO(b"one\n\ntwo\n\xff\xf0\n"))
    assert [(item.name, item.content) for item in usable] == [("stdin.txt:1", "one"), ("stdin.txt:3", "two")]
    assert [one.name for one in refused] == ["stdin.txt:4"]
    with pytest.raises(BadInput, match="--lines"):
        read(image, "-", by_line=True, stdin=io.BytesIO(b"x"))
