from tasks.ingest.readers.table_file import TableFile
from tasks.ingest.source import SourceSettings


def table(source, file):
    lines = file.read_bytes().decode().splitlines()
    return ({"text": line} for line in lines), ["text"]


def test_rows_of_a_file_are_items_whatever_its_format(tmp_path):
    path = tmp_path / "Notes.LST"
    path.write_text("first\nsecond\n")
    files, source = TableFile((".lst",), table), SourceSettings(name="a", location=str(path))
    assert files.accepts(str(path))
    assert not files.accepts(str(tmp_path))
    assert not files.accepts(str(tmp_path / "other.lst"))
    assert files.modality(source) == "text"
    assert [(item.payload, item.source) for item in files.read(source, "text")] == [
        (b"first", "Notes.LST#1"),
        (b"second", "Notes.LST#2"),
    ]
    before = files.fingerprint(source)
    path.write_text("first\nthird\n")
    assert files.fingerprint(source) != before
