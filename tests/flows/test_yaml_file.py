import pytest

from aigc_models.errors import BadInput
from flows.yaml_file import line_of, mapping

TEXT = """# of ours
training:
  members:
    - family: gan
    - {family: vae,
       share: x}
"""


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("training",), ":2"),
        (("training", "members", 1, "share"), ":6"),
        (("training", "members", 1), ":5"),
        (("training", "members", 0, "share"), ":4"),  # not in the file: the nearest above it
        (("training", "members", 7), ":3"),
        (("data", "source"), ""),
        ((), ""),
    ],
)
def test_a_place_has_a_line(tmp_path, place, line):
    file = tmp_path / "x.yaml"
    file.write_text(TEXT)
    assert line_of(str(file), place) == f"{file}{line}"
    assert line_of("sample", place) == "sample"


def test_a_file_that_is_no_text_is_refused(tmp_path):
    file = tmp_path / "x.yaml"
    file.write_bytes(b"name: \xff\n")
    with pytest.raises(BadInput, match=r"^x: not UTF-8 at byte 6$"):
        mapping(file, "x")
