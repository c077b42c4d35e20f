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
        ("^C-|[CC]", [(61, 0, 2), (60, 1, 1)]),  # to one note of the chord
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


@pytest.mark.parametrize(
    ("clef", "moved"),
    [
        ("treble8", -12),
        ("treble-8", -12),
        ("clef=treble-8va", -12),
        ("-8va", -12),
        ("treble+8", 12),
        ("+8", 12),
        ("clef=bass middle=d", 0),
        ("octave=-1", -12),
        ("transpose=2", 2),
        ("clef=treble-8 octave=1", 0),
        ("tuned down", 0),
        ("shape=round", 0),
    ],
)
def test_clefs_and_properties_say_where_a_tune_sounds(clef, moved):
    assert pitches("C F", HEAD.replace("K:C", f"K:G {clef}")) == [60 + moved, 66 + moved]
    assert pitches("C F", HEAD.replace("K:C", f'V:1 {clef} name="A part"\nK:G')) == [60 + moved, 66 + moved]


def test_accidentals_may_follow_a_mode_without_a_blank():
    assert pitches("F c C", HEAD.replace("K:C", "K:Dmix=c")) == [66, 72, 60]
    assert pitches("F B", HEAD.replace("K:C", "K:G clef=treble ^b")) == [66, 72]


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("CD & E2 | F", [(60, 0, 1), (62, 1, 1), (64, 0, 2), (65, 2, 1)]),
        (
            "CDE & G | F",
            [(60, 0, 1), (62, 1, 1), (64, 2, 1), (67, 0, 1), (65, 3, 1)],
        ),  # a shorter one
        ("C4 & E4 & G4 | c", [(60, 0, 4), (64, 0, 4), (67, 0, 4), (72, 4, 1)]),
        ("C2 | D & ^F | F", [(60, 0, 2), (62, 2, 1), (66, 2, 1), (65, 3, 1)]),
    ],
)
def test_overlays_sound_with_their_bar(music, expected):
    assert sorted(sung(music)) == sorted(expected)


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("kC vuD TE UF jG", [60, 62, 64, 65, 67]),  # symbols of one's own
        ("C !D.C. al fine! D !segno! E", [60, 62, 64]),
        ("C!D E!F G", [60, 62, 64, 65, 67]),  # ends of lines of paper
        ("C +trill+D + E", [60, 62, 64]),
        ('|: C :|1 D :|2 E || F [|] [| G |] ["Coda" A B |]', [60, 62, 64, 65, 67, 69, 71]),
        ("C:[|]|]\nD :: E :|: F :]", [60, 62, 64, 65]),
        ("C D |\n2 E F", [60, 62, 64, 65]),  # the number of an ending
        ("C}D y E y2 F $ G", [60, 62, 64, 65, 67]),
        ("C D =\nE |=20\nF =3DG", [60, 62, 64, 65, 67]),  # as mail cut lines
        ("[C2z2] [.Du.E] [A]", [60, 62, 64, 69]),
        ("C [D\nE] A", [60, 62, 64, 69]),  # a chord over two lines
        ("%%MIDI program 1\nC\nw: la la\nD [I:tempo] E [r:note] F", [60, 62, 64, 65]),
        ("U: T = !trill!\nTC D\\\nE", [60, 62, 64]),
    ],
)
def test_typography_is_no_reason_to_refuse_a_tune(music, expected):
    assert sorted(pitches(music)) == expected


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C D\n/ E", [(60, 0, 1), (62, 1, 0.5), (64, 1.5, 1)]),
        ("C D\n2 E", [(60, 0, 1), (62, 1, 2), (64, 3, 1)]),
        ("C [DF]2\nE", [(60, 0, 1), (62, 1, 2), (64, 3, 1), (65, 1, 2)]),
    ],
)
def test_a_length_at_the_beginning_of_a_line_is_that_of_the_last_note(music, expected):
    assert sorted(sung(music)) == expected


@pytest.mark.parametrize(
    ("meter", "music", "seconds"),
    [
        ("4/4", "(2CD (3CDE (4CDEF (6CDEFGA C", [3, 2, 3, 2]),
        ("6/8", "(2CD (3CDE (4CDEF (5CDEFG C", [3, 2, 3, 3]),
        ("4/4", "(5CDEFG (7CDEFGAB (9CDEFGABcd C", [2, 2, 2]),
        ("4/4", "(3:2:2CD (3:4CDE (5::3CDE C", [4 / 3, 4, 6 / 5]),
    ],
)
def test_tuplets_of_all_sorts(meter, music, seconds):
    *_, (_, end, _) = sung(music, HEAD.replace("4/4", meter))
    assert end == pytest.approx(sum(seconds))


@pytest.mark.parametrize(
    ("music", "expected"),
    [
        ("C>>D", [(60, 0, 1.75), (62, 1.75, 0.25)]),
        ("C<<<D", [(60, 0, 0.125), (62, 0.125, 1.875)]),
        ("(C>.D) {e}[CE]>[DF]", [(60, 0, 1.5), (60, 2, 1.5), (62, 1.5, 0.5), (62, 3.5, 0.5), (64, 2, 1.5), (65, 3.5, 0.5)]),
        ("(3{d}C>DE", [(60, 0, 1), (62, 1, 1 / 3), (64, 4 / 3, 2 / 3)]),
        ("X2 x C", [(60, 9, 1)]),
    ],
)
def test_broken_rhythm_and_rests(music, expected):
    assert sorted(sung(music)) == [pytest.approx(note) for note in expected]


def test_what_is_said_in_words_is_left_out():
    head = 'X:1\nT:A tune\n 0 0 3 2 1\nN bars 13 are doubled\nM:FREI3/4\nL:1/4\nQ:"Freely"\nK:C\n'
    content = read(f"{head}C D\n".encode(), "a.abc")
    assert (content.values.tolist(), content.meter, content.tempo) == ([60, 62], (3, 4), None)
    assert read(head.replace("FREI3/4", "free").encode() + b"C\n", "a.abc").meter is None


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
        (HEAD + "C D\nE ; F\n", r"line 7 of a\.abc: .*;"),
        (HEAD + "C D ,E\n", r"line 6 of a\.abc: ',E"),
        (HEAD + "C [D\n", "begins a chord that nothing closes"),
        (HEAD.replace("4/4", "4"), "line 3 of a.abc: M:4 is not understood; write it as M:4/4"),
        (HEAD.replace("K:C", "K:Bn"), "line 5 of a.abc: the mode 'n'"),
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
