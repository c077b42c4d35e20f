"""Folders of pictures and of text, and single files."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.ingest.source import RawItem, SourceSettings, listing, plugin
from tasks.ingest.sources import folder


def fill(root: Path, files: dict[str, bytes]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return root


def items(location: Path, modality: str = "image", **options: Any) -> list[RawItem]:
    return list(folder.read(SourceSettings(name="a", location=str(location), **options), modality))


def test_pictures_in_subfolders_are_labelled_with_the_folder(tmp_path: Path) -> None:
    fill(
        tmp_path,
        {"train/cat/2.png": b"b", "train/cat/1.png": b"a", "test/dog/1.png": b"c", ".git/x.png": b"d", "README.md": b"e"},
    )
    raw_items = items(tmp_path)
    assert [(item.source, item.label) for item in raw_items] == [
        ("test/dog/1.png", "dog"),
        ("train/cat/1.png", "cat"),
        ("train/cat/2.png", "cat"),
    ]
    assert [item.split for item in items(tmp_path, split="folder")] == ["test", "train", "train"]
    assert {item.label for item in items(tmp_path, label="none")} == {None}


def test_folders_of_one_name_in_several_places_are_told_apart(tmp_path: Path) -> None:
    fill(tmp_path, {"train/greek/01/a.png": b"a", "train/latin/01/a.png": b"b", "test/latin/01/b.png": b"c"})
    assert [item.label for item in items(tmp_path)] == ["latin/01", "greek/01", "latin/01"]


def test_folders_of_splits_are_no_labels(tmp_path: Path) -> None:
    fill(tmp_path, {"train/1.png": b"a", "test/1.png": b"b"})
    assert {item.label for item in items(tmp_path)} == {None}


def test_labels_from_names(tmp_path: Path) -> None:
    fill(tmp_path, {"cat_1.png": b"a", "dog_1.png": b"b", "x.png": b"c"})
    assert [item.label for item in items(tmp_path, label="name:^([a-z]+)_")] == ["cat", "dog", None]


def test_one_long_text_is_cut_and_can_be_split(tmp_path: Path) -> None:
    fill(tmp_path, {"book.txt": b"\n\n".join(b"paragraph %d " % number * 20 for number in range(20))})
    raw_items = items(tmp_path / "book.txt", "text")
    assert len(raw_items) > 3
    assert raw_items == items(tmp_path, "text")
    assert (raw_items[0].source, raw_items[0].group) == ("book.txt#1", "book.txt")


def test_pieces_of_one_of_several_files_stay_together(tmp_path: Path) -> None:
    fill(tmp_path, {"a/long.txt": b"word " * 500, "b.txt": b"short", "c.txt": b"\x89PNG\0" + b"x" * 2000})
    raw_items = items(tmp_path, "text")
    assert {(item.source.split("#")[0], item.group) for item in raw_items} == {
        ("a/long.txt", "a/long.txt"),
        ("b.txt", None),
        ("c.txt", None),
    }


@pytest.mark.parametrize(
    ("encoding", "letters"),
    [("big5", "春眠不覺曉處處聞啼鳥"), ("mac_roman", "café naïve été"), ("iso2022_kr", "오늘은 날씨가 좋다")],
)
def test_a_files_encoding_is_decided_before_it_is_cut(tmp_path: Path, encoding: str, letters: str) -> None:
    lines = [f"{letters if at % 7 == 0 else 'plain'} line {at} of plain letters" for at in range(300)]
    (tmp_path / "long.txt").write_bytes("\n".join(lines).encode(encoding))
    raw_items = items(tmp_path / "long.txt", "text")
    assert len(raw_items) > 5
    assert "\n".join(item.payload.decode() for item in raw_items) == "\n".join(lines)
    assert [item.payload.decode() for item in items(tmp_path / "long.txt", "text", label="line:@")] == lines


def test_labelled_lines(tmp_path: Path) -> None:
    fill(tmp_path, {"lines.txt": b"\xef\xbb\xbfup@good\r\ndown@bad\r\n"})
    raw_items = items(tmp_path / "lines.txt", "text", label="line:@")
    assert [(item.payload, item.label, item.source) for item in raw_items] == [
        (b"up", "good", "lines.txt#1"),
        (b"down", "bad", "lines.txt#2"),
    ]


def test_a_few_texts_beside_many_sounds_do_not_make_a_mixture(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, {**{f"{at}.wav": b"sound" for at in range(18)}, "kenney.url": b"[x]\nURL=y", "credits.txt": b"by them"})
    source = SourceSettings(name="a", location=str(tmp_path))
    assert folder.modality(source) == "audio"
    assert len(list(folder.read(source, "audio"))) == 18
    assert "2 files are left out, being no audio: 1 .txt, 1 .url" in capfd.readouterr().err
    fill(tmp_path, {f"{at}.txt": b"a text" for at in range(2)})
    with pytest.raises(BadInput, match="mixed kinds"):
        folder.modality(source)


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "is an empty folder"),
        ({"a.png": b"", "b.txt": b"", "c.txt": b""}, "mixed kinds: 2 text, 1 image; say which to take with --modality"),
        ({"a.png": b"", "b.wav": b""}, "mixed kinds"),
        ({"a.pdf": b"%PDF-1.4", "README.md": b""}, "holds 1 .pdf"),
        ({"a.csv": b""}, "a.csv is empty: it has no column and no row"),
        ({"a.csv": b"x\n1\n", "b.csv": b"y\nz\n"}, "2 shapes: a.csv with x; b.csv with y; name one of the files, or those"),
    ],
)
def test_what_is_not_one_kind_is_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        folder.modality(SourceSettings(name="a", location=str(fill(tmp_path, files))))


def test_modality_by_suffix_or_by_first_bytes(tmp_path: Path) -> None:
    fill(tmp_path / "a", {"1.jpg": b"text", "2": b"\x89PNG"})
    fill(tmp_path / "b", {"1.txt": b"\x89PNG", "2": b"words"})
    assert [folder.modality(SourceSettings(name="a", location=str(tmp_path / name))) for name in "ab"] == ["image", "text"]


def test_sounds_of_several_formats_are_one_modality_labelled_with_the_folder(tmp_path: Path) -> None:
    head = b"RIFF\x24\0\0\0"
    fill(tmp_path, {"dog/a.wav": b"", "dog/b.MP3": b"", "cat/c.flac": b"", "cat/d": head + b"WAVEfmt ", "cat/e": b"OggS"})
    assert folder.modality(SourceSettings(name="a", location=str(tmp_path))) == "audio"
    assert [item.label for item in items(tmp_path, "audio")] == ["cat", "cat", "cat", "dog", "dog"]
    fill(tmp_path, {"cat/f": head + b"WEBPVP8 "})
    with pytest.raises(BadInput, match="mixed kinds: 5 audio, 1 image"):
        folder.modality(SourceSettings(name="a", location=str(tmp_path)))


def test_a_file_that_is_too_large_for_memory_is_named_without_its_bytes(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"RIFF")
    with (tmp_path / "b.wav").open("wb") as file:
        file.truncate(4_000_000_000)
    small, large = items(tmp_path, "audio")
    assert (small.payload, large.payload, large.source) == (b"RIFF", b"", "b.wav")
    assert large.name == "b.wav cannot be read: has 4,000 MB; the limit is 250 MB"


def test_what_is_no_file_is_named_and_never_opened(tmp_path: Path) -> None:
    fill(tmp_path, {"a.txt": b"words", "b.txt/inner.txt": b"more words"})
    os.mkfifo(tmp_path / "pipe.txt")
    for name, target in {"zero.txt": "/dev/zero", "gone.txt": "nowhere", "loop.txt": "loop.txt", "up": ".."}.items():
        (tmp_path / name).symlink_to(target)
    raw_items = items(tmp_path, "text")
    assert [item.source for item in raw_items if item.payload] == ["a.txt", "b.txt/inner.txt"]
    assert [item.name for item in raw_items if not item.payload] == [
        "gone.txt cannot be read: is a link to nothing",
        "loop.txt cannot be read: is a link to nothing",
        "pipe.txt cannot be read: is no file but a pipe, a socket or a device",
        "zero.txt cannot be read: is no file but a pipe, a socket or a device",
        "up cannot be read: is a link that leads out of the folder; --follow-links takes what it leads to",
    ]
    with pytest.raises(BadInput, match=r"pipe.txt is no file but a pipe"):
        plugin(SourceSettings(name="a", location=str(tmp_path / "pipe.txt")))


@pytest.fixture
def elsewhere(tmp_path: Path) -> Path:
    return fill(tmp_path / "elsewhere", {"secret.txt": b"a secret", "deep/more.txt": b"more secrets"})


@pytest.fixture
def linked(tmp_path: Path, elsewhere: Path) -> Path:
    """A folder with a file, a link to it, a link to its folder, and links to a file and a folder outside."""
    root = fill(tmp_path / "content", {"a/own.txt": b"own words"})
    targets = {"passwd.txt": "/etc/passwd", "taken": elsewhere, "a/alias.txt": "own.txt", "again": "a", "a/loop": ".."}
    for name, target in targets.items():
        (root / name).symlink_to(target)
    (elsewhere / "back").symlink_to(elsewhere)
    return root


def test_links_that_lead_out_are_left_out_by_name_and_the_others_taken(linked: Path) -> None:
    raw_items = items(linked, "text")
    assert [(item.source, item.payload) for item in raw_items if item.payload] == [
        ("a/alias.txt", b"own words"),
        ("a/own.txt", b"own words"),
    ]
    assert [item.name for item in raw_items if not item.payload] == [
        "passwd.txt cannot be read: is a link that leads out of the folder; --follow-links takes what it leads to",
        "taken cannot be read: is a link that leads out of the folder; --follow-links takes what it leads to",
    ]
    assert set(listing(SourceSettings(name="a", location=str(linked)))) == {"a/alias.txt", "a/own.txt"}


def test_links_are_followed_where_the_user_says_so(linked: Path) -> None:
    raw_items = items(linked, "text", follow_links=True)
    assert {item.source.partition("#")[0] for item in raw_items} == {
        *("a/alias.txt", "a/own.txt", "passwd.txt", "taken/deep/more.txt", "taken/secret.txt")
    }
    assert all(item.payload for item in raw_items)


def test_a_pattern_leads_out_by_no_link(linked: Path) -> None:
    raw_items = items(linked / "*/*.txt", "text")
    assert [item.source for item in raw_items if item.payload] == [
        "a/alias.txt",
        "a/own.txt",
        "again/alias.txt",
        "again/own.txt",
    ]
    assert [item.source for item in raw_items if not item.payload] == ["taken/secret.txt"]
    followed = items(linked / "*/*.txt", "text", follow_links=True)
    assert [item.source for item in followed if item.payload][-1] == "taken/secret.txt"


def test_a_source_that_is_itself_a_link_is_followed(linked: Path, tmp_path: Path) -> None:
    (tmp_path / "shortcut").symlink_to(linked)
    assert [item.source for item in items(tmp_path / "shortcut", "text") if item.payload] == ["a/alias.txt", "a/own.txt"]
    (tmp_path / "words.txt").symlink_to(linked / "a" / "own.txt")
    assert [item.payload for item in items(tmp_path / "words.txt", "text")] == [b"own words"]


def test_a_folder_of_nothing_but_links_that_lead_out_is_refused(tmp_path: Path, elsewhere: Path) -> None:
    (tmp_path / "only").mkdir()
    (tmp_path / "only" / "a.txt").symlink_to(elsewhere / "secret.txt")
    with pytest.raises(BadInput, match=r"nothing but links that lead out of it, such as a\.txt; --follow-links"):
        items(tmp_path / "only", "text")


def test_a_file_that_vanishes_or_is_closed_while_the_folder_is_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path, {"a.txt": b"words", "b.txt": b"more words", "c.txt": b"last words"})
    whole = Path.open

    def refused(path: Path, *arguments: Any) -> Any:
        if path.name == "c.txt":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return whole(path, *arguments)

    monkeypatch.setattr(Path, "open", refused)
    raw_items = []
    for item in folder.read(SourceSettings(name="a", location=str(tmp_path)), "text"):
        (tmp_path / "b.txt").unlink(missing_ok=True)
        raw_items.append(item)
    assert [item.payload for item in raw_items] == [b"words", b"", b""]
    assert "is gone" in raw_items[1].name
    assert "may not be read" in raw_items[2].name


def test_a_named_modality_leaves_the_others_out(tmp_path: Path) -> None:
    fill(tmp_path, {"a.png": b"", "b.txt": b"words"})
    assert [item.source for item in items(tmp_path, "text")] == ["b.txt"]


@pytest.mark.parametrize("options", [{"label": "column:x"}, {"content": "x"}, {"group": "x"}, {"label": "folder"}])
def test_options_that_do_not_fit_are_refused(tmp_path: Path, options: dict[str, str]) -> None:
    fill(tmp_path, {"a.png": b""})
    with pytest.raises(BadInput, match=r"does not fit|no sub-folders"):
        items(tmp_path, **options)


def test_a_pattern_takes_the_files_that_fit(tmp_path: Path) -> None:
    fill(tmp_path, {"cat/1.png": b"a", "cat/deep/2.png": b"b", "dog/3.jpg": b"c", "dog/4.png": b"d", "notes.txt": b"e"})
    assert [item.source for item in items(tmp_path / "**/*.png")] == ["cat/1.png", "cat/deep/2.png", "dog/4.png"]
    assert [(item.source, item.label) for item in items(tmp_path / "dog/*.png")] == [("4.png", None)]
    assert [item.label for item in items(tmp_path / "?o[fg]/*", label="none")] == [None, None]
    settings = SourceSettings(name="a", location=str(tmp_path / "*/*.png"))
    assert plugin(settings) is folder
    assert set(listing(settings)) == {"cat/1.png", "dog/4.png"}
    assert [item.source for item in folder.read_new(settings, "image", {"cat/1.png"})] == ["dog/4.png"]


def test_a_pattern_that_nothing_fits_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no file in .* fits the pattern \*\.png"):
        items(tmp_path / "*.png")
    with pytest.raises(BadInput, match="there is no folder"):
        items(tmp_path / "none/*.png")


def test_a_place_whose_name_looks_like_a_pattern_is_that_place(tmp_path: Path) -> None:
    fill(tmp_path / "scans [2024]", {"a.png": b"a"})
    assert [item.source for item in items(tmp_path / "scans [2024]")] == ["a.png"]
    assert [item.source for item in items(tmp_path / "scans [2024]/a.png")] == ["a.png"]


def test_what_decodes_as_text_is_text_whatever_its_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, {"reviews.pos": b"good\nbetter\n", "reviews.neg": "caf\u00e9\nbad\n".encode("latin-1"), "more": b"plain"})
    source = SourceSettings(name="a", location=str(tmp_path))
    assert folder.modality(source) == "text"
    assert [item.source for item in items(tmp_path, "text")] == ["more", "reviews.neg", "reviews.pos"]
    said = capsys.readouterr().err
    assert "read as text by what they hold: 1 .neg, 1 .pos; --label 'name:[.]([^.]+)$' makes the ending the label" in said
    lines = items(tmp_path, "text", label="name:[.]([^.]+)$", options={"items": "lines"})
    assert [(item.source, item.label, item.group) for item in lines] == [
        ("more#1", None, None),
        ("reviews.neg#1", "neg", None),
        ("reviews.neg#2", "neg", None),
        ("reviews.pos#1", "pos", None),
        ("reviews.pos#2", "pos", None),
    ]
    assert "ending" not in capsys.readouterr().err
    fill(tmp_path, {"blank.pos": b""})
    assert folder.modality(source) == "text"
    fill(tmp_path, {"data.pos": b"\x00\x01\x02"})
    with pytest.raises(BadInput, match=r"holds mixed kinds: 3 text, 1 \.pos"):
        folder.modality(source)


def test_functions_and_turns_are_items_of_their_file(tmp_path: Path) -> None:
    fill(tmp_path / "code", {"a.py": b"def f():\n    return 1\n\ndef g():\n    return 2\n", "bad.py": b"def f(:\n"})
    functions = items(tmp_path / "code", "text", options={"items": "functions"})
    assert [(item.source, item.group) for item in functions] == [("a.py#1", "a.py"), ("a.py#4", "a.py"), ("bad.py", None)]
    assert functions[2].payload == b""
    assert "bad.py" in functions[2].name
    assert "in line 1" in functions[2].name
    fill(tmp_path / "plays", {"one.txt": b"A:\nYes?\n\nB:\nNo.\n\n" * 60 + b"C:\nHm.\n"})
    turns = items(tmp_path / "plays", "text", options={"items": "turns"})
    assert [item.label for item in turns] == ["A", "B"] * 60 + [None], "C speaks too seldom to be asked for"
    with pytest.raises(BadInput, match="only texts have functions"):
        items(tmp_path / "code", "image", options={"items": "functions"})


@pytest.mark.parametrize(("modality", "message"), [("image", "only texts have lines"), ("text", "option")])
def test_lines_of_what_has_none_are_refused(tmp_path: Path, modality: str, message: str) -> None:
    fill(tmp_path, {"1.png": b"a", "1.txt": b"a"})
    with pytest.raises(BadInput, match=message):
        items(tmp_path, modality, options={"items": "lines" if modality == "image" else "words"})


def test_notes_beside_the_content_are_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beside = ("README.md", "LICENSE", "sha256sums.txt", ".DS_Store", "deep/.DS_Store", "Thumbs.db", "CITATION.cff")
    fill(tmp_path, {**{f"deep/{at}.wav": b"RIFF" for at in range(5)}, **dict.fromkeys(beside, b"x")})
    assert folder.modality(SourceSettings(name="a", location=str(tmp_path))) == "audio"
    assert len(items(tmp_path, "audio")) == 5
    said = capsys.readouterr().err
    assert "not content but notes or hidden files, and left out: .DS_Store (2), " in said
    assert "(`aigc data add a PATH_OF_IT`)" in said
    assert "no audio" not in said


def test_files_of_other_kinds_are_counted_by_ending(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    fill(tmp_path, {"1.txt": b"a", "2.png": b"b", "3.png": b"c", "4.wav": b"d", "5": b"\x00"})
    assert len(items(tmp_path, "text")) == 1
    assert "4 files are left out, being no text: 2 .png, 1 .wav, 1 without an ending" in capsys.readouterr().err
    with pytest.raises(BadInput, match="no file of the modality events, but 2 image"):
        items(tmp_path, "events")
