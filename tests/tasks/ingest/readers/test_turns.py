"""A turn comes with the one before it, labelled with who speaks, and a scene's turns stay together."""

import pytest

from aigc_models.errors import Unreadable
from tasks.ingest.readers import turns

SCRIPT = "ACT ONE\n\nROMEO:\nWho goes?\nSpeak.\n\nBOY:\nI.\n \n\nROMEO:\nThou.\n"


def test_a_turn_comes_with_the_one_before_it(monkeypatch) -> None:
    monkeypatch.setattr(turns, "LEAST", 2)
    assert list(turns.exchanges(SCRIPT)) == [
        (3, "ROMEO:\nWho goes?\nSpeak.", "ROMEO", 0),
        (7, "ROMEO:\nWho goes?\nSpeak.\n\nBOY:\nI.", None, 0),  # who says one thing cannot be asked for
        (11, "BOY:\nI.\n\nROMEO:\nThou.", "ROMEO", 0),
    ]


def test_no_turn_stands_in_two_scenes(monkeypatch) -> None:
    monkeypatch.setattr(turns, "SCENE", 2)
    texts = [(exchange.scene, exchange.text) for exchange in turns.exchanges(SCRIPT)]
    assert texts[2] == (1, "ROMEO:\nThou.")


def test_what_is_no_script_is_said() -> None:
    with pytest.raises(Unreadable, match="holds no turns: a line with a name and a colon alone"):
        list(turns.exchanges("Prose.\n\nNote: this is none.\n"))
