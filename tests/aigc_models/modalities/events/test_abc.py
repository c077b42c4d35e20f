"""ABC notation: what its signs mean, and what is refused with its line."""

from __future__ import annotations

import pytest

from aigc_models.errors import Unreadable
from aigc_models.modalities.events.abc import read, tunes

HEAD = "X:1\nT:A tune\nM:4/4\nL:1/4\nK:C\n"


def sung(music: str, head: str = HEAD) -> list[tuple[int, float, float]]:
    """Pitch, start and length in quarter notes of each note."""
    events = read(f"{head}{music}\n".encode(), "a.abc")
    return list(zip(events.values.tolist(), events.times.tolist(), events.durations.tolist(), strict=True))


def pitches(music: str, head: str = HEAD) -> list[int]:
    return [pitch for pitch, _, _ in sung(music, head)]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C D E F | G A B c", [60, 62, 64, 65, 67, 69, 71, 72]),
        ("C, C,, c' c''", [48, 36, 84, 96]),
        ("^C _E =F ^^G __A", [61, 63, 65, 69, 67]),
        ("^F F | F", [66, 66, 65]),  # an accidental holds to the bar line
        ('"Am"C !trill!D {fg}E ~F', [60, 62, 64, 65]),  # chord symbols, decorations, graces
        ("C % D\nE", [60, 64]),
    ],
)
def test_pitches(music, expected):
    assert pitches(music) == expected


def test_keys_and_modes():
    assert pitches("F C B", HEAD.replace("K:C", "K:G")) == [66, 60, 71]
    assert pitches("B E", HEAD.replace("K:C", "K:Gm")) == [70, 63]
    assert pitches("F", HEAD.replace("K:C", "K:D dorian")) == [65]
    assert pitches("F [K:G] F") == [65, 66]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C2 D/ E/2 F3/2 G//", [(60, 0, 2), (62, 2, 0.5), (64, 2.5, 0.5), (65, 3, 1.5), (67, 4.5, 0.25)]),
        ("C z D z2 E", [(60, 0, 1), (62, 2, 1), (64, 5, 1)]),
        ("C>D E<F", [(60, 0, 1.5), (62, 1.5, 0.5), (64, 2, 0.5), (65, 2.5, 1.5)]),
        ("C-C D-|D", [(60, 0, 2), (62, 2, 2)]),
        ("Z D", [(62, 4, 1)]),
    ],
)
def test_lengths(music, expected):
    assert sung(music) == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C D|-D E", [(60, 0, 1), (62, 1, 2), (64, 3, 1)]),  # behind the bar line
        ("C D\n-D E", [(60, 0, 1), (62, 1, 2), (64, 3, 1)]),  # in a new line
        ("C D-|-D E", [(60, 0, 1), (62, 1, 2), (64, 3, 1)]),  # twice
        ("C D|-E D", [(60, 0, 1), (62, 1, 1), (64, 2, 1), (62, 3, 1)]),  # to another note, which ties nothing
        ("-C D", [(60, 0, 1), (62, 1, 1)]),  # from none
        ("z -C C", [(60, 1, 1), (60, 2, 1)]),
        ("C>D|-D E", [(60, 0, 1.5), (62, 1.5, 1.5), (64, 3, 1)]),
        ("^D|-D D", [(63, 0, 2), (62, 2, 1)]),  # with its accidental, which does not hold for the next
        ("^D-|E D", [(63, 0, 1), (64, 1, 1), (62, 2, 1)]),  # a tie leads to the next note and no farther
        ("[CE]|-[CE] G", [(60, 0, 2), (64, 0, 2), (67, 2, 1)]),
        ("C D!E F", [(60, 0, 1), (62, 1, 1), (64, 2, 1), (65, 3, 1)]),  # ! ended a line of paper
    ],
)
def test_ties_that_stand_before_their_note(music, expected):
    assert sorted(sung(music)) == sorted(expected)


def test_chords_and_tuplets():
    assert sorted(sung("[CEG]2 C")) == [(60, 0, 2), (60, 2, 1), (64, 0, 2), (67, 0, 2)]
    starts = [(pitch, round(start, 6)) for pitch, start, _ in sung("(3CDE F")]
    assert starts == [(60, 0), (62, 0.666667), (64, 1.333333), (65, 2)]


def test_the_length_of_a_note_follows_the_meter_where_it_is_not_said():
    assert sung("C", "X:1\nM:4/4\nK:C\n") == [(60, 0, 0.5)]
    assert sung("C", "X:1\nM:2/4\nK:C\n") == [(60, 0, 0.25)]


def test_voices_sound_together():
    events = read(f"{HEAD}V:1\nC D\nV:2\nE, F,\n".encode(), "a.abc")
    assert sorted(zip(events.voices.tolist(), events.times.tolist(), events.values.tolist(), strict=True)) == [
        (0, 0, 60),
        (0, 1, 62),
        (1, 0, 52),
        (1, 1, 53),
    ]


def test_a_book_is_cut_into_its_tunes():
    book = b"M:3/4\nL:1/8\n\nX:1\nK:C\nCDE\n\nsome words\n\nX:7\nT:Second\nK:G\nF2\n"
    entries = tunes(book)
    assert [(key, line) for key, line, _ in entries] == [("1", 4), ("7", 10)]
    assert read(entries[1][2], "a.abc").durations.tolist() == [1.0]  # the file's L:1/8
    assert tunes(HEAD.encode())[0][:2] == ("", 1)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (HEAD + "C D\nE & F\n", r"line 7 of a\.abc: .*&"),
        (HEAD.replace("4/4", "four"), "line 3 of a.abc: M:four is not understood; write it as M:4/4"),
        (HEAD.replace("1/4", "3/7"), "line 4 of a.abc: L:3/7 is not understood"),
        (HEAD.replace("K:C", "K:H"), "line 5 of a.abc"),
        ("X:1\nT:no key\n", "no line K:"),
        (HEAD + "z4\n", "without notes"),
        (HEAD + "m:~n2=(3o/n/m/ n\n", "macros"),
        (HEAD + "C\0D\n", "NUL"),
        (HEAD + "C" * 200_001, "has 200 kB; the limit of a tune is 200 kB"),
    ],
)
def test_what_is_not_understood_is_named_with_its_line(payload, reason):
    with pytest.raises(Unreadable, match=reason):
        read(payload.encode(), "a.abc")


def test_a_book_that_is_one_tune_keeps_the_lines_of_its_messages():
    (_, _, first), (_, _, second) = tunes((HEAD + "CDE\n\nX:2\nK:C\nC ; D\n").encode())
    assert read(first, "a").values.tolist() == [60, 62, 64]
    with pytest.raises(Unreadable, match="line 3 of b"):
        read(second, "b")


@pytest.mark.parametrize(
    ("fields", "tempo", "meter"),
    [
        ("M:3/4\nQ:1/4=120\n", 120, (3, 4)),
        ("M:6/8\nQ:\"Lively\" 3/8=60\n", 90, (6, 8)),
        ("M:C\nQ:1/4 3/8 = 40\n", 100, (4, 4)),
        ("M:C|\nQ:1/2=60 \"fast\"\n", 120, (2, 2)),
        ("M:(2+3)/8\nL:1/8\nQ:200\n", 100, (5, 8)),  # so many notes of the unit's length
        ("Q:C3=40\nL:1/8\n", 60, None),
        ("M:none\nQ:\"Allegro\"\n", None, None),
        ("Q:1/0=90\n", None, None),
        ("Q:1/4=9999\n", None, None),
        ("Q:=\n", None, None),
    ],
)  # fmt: skip
def test_tempo_and_meter(fields, tempo, meter):
    content = read(f"X:1\n{fields}K:C\nCDE\n".encode(), "a.abc")
    assert (content.tempo, content.meter) == (tempo, meter)


def test_the_first_tempo_and_meter_are_the_tune_s():
    content = read(b"X:1\nM:none\nK:C\nQ:1/4=80\nM:2/4\nC2 [M:3/4][Q:1/4=90]D3\n", "a.abc")
    assert (content.tempo, content.meter) == (80, (2, 4))
