from __future__ import annotations

from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from aigc_models.modalities import series
from tasks.ingest.source import RawItem, SourceSettings, modality, plugin, read
from tasks.ingest.sources import delimited, folder

TEXTS = [f"the {at}th of these is a text of words" for at in range(60)]


def items(path: Path, kind: str, **options: str) -> list[RawItem]:
    source = SourceSettings(name="a", location=str(path), options=options)
    assert (plugin(source), modality(source)) == (delimited, kind)
    return list(read(source, kind))


@pytest.mark.parametrize("header", ["", "kind\ttext\n"])
@pytest.mark.parametrize("suffix", delimited.TABLES)
def test_a_table_with_tabs(tmp_path: Path, suffix: str, header: str) -> None:
    path = tmp_path / f"mails{suffix}"
    path.write_text(header + "\n".join(f"{'spam' if at % 4 else 'ham'}\t{text}" for at, text in enumerate(TEXTS)))
    raw_items = items(path, "text")
    assert [item.payload.decode() for item in raw_items] == TEXTS
    assert [item.label for item in raw_items[:2]] == ["ham", "spam"]


@pytest.mark.parametrize("separator", [",", "\t", ";", " ", "   "])
@pytest.mark.parametrize("name", ["rates.txt", "rates.dat"])
def test_lines_of_numbers_are_steps(tmp_path: Path, name: str, separator: str) -> None:
    before = separator if separator.isspace() and separator != "\t" else ""
    (tmp_path / name).write_text("\n".join(f"{before}{at % 7}.5{separator}{at % 3}.25" for at in range(50)))
    (item,) = items(tmp_path / name, "series")
    content = series.read(item.payload, item.name)
    assert (content.steps, len(content.channels)) == (50, 2)
    assert content.values[:, 3].tolist() == [3.5, 0.25]


def test_one_number_a_line_and_a_header_over_numbers(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(f"{at % 7}" for at in range(50)))
    (item,) = items(tmp_path / "a.txt", "series")
    assert series.read(item.payload, item.name).steps == 50
    (tmp_path / "b.txt").write_text("time\tload\n" + "\n".join(f"{at}\t{at % 7}" for at in range(50)))
    (item,) = items(tmp_path / "b.txt", "series")
    assert series.read(item.payload, item.name).channels == ("load",)


@pytest.mark.parametrize("name", ["SMSCollection", "mails.txt", "mails.labelled"])
def test_lines_cut_alike_by_tabs_are_rows_whatever_the_ending(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    path = tmp_path / name
    path.write_text("\n".join(f"{text}\t{at % 2}" for at, text in enumerate(TEXTS)))
    raw_items = items(path, "text")
    assert [(item.payload.decode(), item.label) for item in raw_items] == [(text, str(at % 2)) for at, text in enumerate(TEXTS)]
    assert (
        f"{name}: its lines are cut alike, so each is a row; --option items=files takes it as a text" in capfd.readouterr().err
    )
    pieces = items(path, "text", items="files")
    assert len(pieces) < 10
    assert b"".join(item.payload for item in pieces).count(b"\t") == len(TEXTS)
    assert len(items(path, "text", items="lines")) == len(TEXTS)
    source = SourceSettings(name="a", location=str(path), label="line:\t", modality="text")
    assert [item.label for item in read(source, "text")][:2] == ["0", "1"]


def test_an_odd_tab_makes_no_table(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("\n".join(text.replace(" is ", "\t" if at % 5 else " ") for at, text in enumerate(TEXTS)))
    source = SourceSettings(name="a", location=str(tmp_path / "a.txt"))
    assert (plugin(source), modality(source)) == (folder, "text")


def test_prose_stays_a_text(tmp_path: Path) -> None:
    for name in ("a.txt", "a.dat"):
        (tmp_path / name).write_text("\n".join(text * (1 + at % 3) for at, text in enumerate(TEXTS)))
        source = SourceSettings(name="a", location=str(tmp_path / name))
        assert (plugin(source), modality(source)) == (folder, "text")
    (tmp_path / "n.txt").write_text("1 2\n3 4\n5 6\n")
    (item,) = read(SourceSettings(name="a", location=str(tmp_path / "n.txt")), "text")
    assert item.payload == b"1 2\n3 4\n5 6\n"


def test_a_file_that_is_no_table_among_tables_is_named(tmp_path: Path) -> None:
    for at in range(2):
        (tmp_path / f"{at}.dat").write_text("\n".join(text * (1 + at % 3) for at, text in enumerate(TEXTS)))
    with pytest.raises(BadInput, match=r"0.dat is no table: .*--option delimiter=CHARACTER, or call it .txt"):
        modality(SourceSettings(name="a", location=str(tmp_path)))
