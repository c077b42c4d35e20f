"""Turns are told from what stands between them, with the lines in which they begin."""

from aigc_models.reading.script import Turn, turns

SCRIPT = "ACT ONE\n\nROMEO:\nWho goes?\nSpeak.\n\nBOY:\nI.\n \n\nNote: not a turn.\n\nROMEO:\nThou.\n\nBOY:\n"


def test_turns_have_speaker_words_and_line() -> None:
    expected = [Turn("ROMEO", "Who goes?\nSpeak.", 3), Turn("BOY", "I.", 7), Turn("ROMEO", "Thou.", 13)]
    assert list(turns(SCRIPT)) == expected
    assert list(turns(expected[0].text)) == [Turn("ROMEO", "Who goes?\nSpeak.", 1)]
