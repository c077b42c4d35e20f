from __future__ import annotations

import pytest

from tasks.ingest.readers.notices import say, say_once


def test_lines_go_to_stderr_and_are_said_again_only_where_they_are_news(capsys: pytest.CaptureFixture[str]) -> None:
    for line in ("one", "two", "one"):
        say_once(line)
    say("one")
    captured = capsys.readouterr()
    assert (captured.out, captured.err.split()) == ("", ["one", "two", "one"])
