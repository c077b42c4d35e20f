"""Functions are cut as they would stand by themselves, and what is no Python says where."""

import pytest

from aigc_models.errors import Unreadable
from tasks.ingest.readers.functions import functions

SOURCE = '''import os

@decorated
def first(a):
    """Say a."""
    def inner():
        return a
    return inner

class Outer:
    class Inner:
        if os.name == "posix":
            async def second(self):
                text = """
  less indented
"""
                return text

    def third(self): return 3
'''


def test_each_function_is_cut_with_its_line_and_without_indentation() -> None:
    cut = dict(functions(SOURCE))
    assert list(cut) == [4, 13, 19]
    assert cut[4].startswith("def first(a):\n    ")
    assert "def inner():" in cut[4]
    assert cut[13] == 'async def second(self):\n    text = """\nless indented\n"""\n    return text'
    assert cut[19] == "def third(self): return 3"


@pytest.mark.parametrize(
    ("text", "message"),
    [("def f(:\n", "no Python of this version in line 1: "), ("print 'x'\n", "in line 1"), ("(" * 100_000, "no Python")],
)
def test_what_is_no_python_says_where(text, message) -> None:
    with pytest.raises(Unreadable, match=message):
        list(functions(text))
