import pytest

from aigc_models.errors import BadInput
from aigc_models.modalities import events
from tasks.ingest.source import SourceSettings
from tasks.ingest.sources import csv


def source(tmp_path, **options):
    (tmp_path / "ratings.csv").write_text("user,film,when\n1,10,100\n1,11,200\n2,12,100\n")
    return SourceSettings(
        name="films",
        location=str(tmp_path / "ratings.csv"),
        modality="events",
        group="user",
        content="film",
        time="when",
        options={key: str(value) for key, value in options.items()},
    )


def read(asked):
    return [events.unpack(item.payload).values.tolist() for item in csv.read(asked, "events")]


def test_items_are_called_by_id_and_title_and_those_without_one_by_their_id(tmp_path):
    (tmp_path / "films.csv").write_text('id,genre,title\n10,x,"Heat, the"\n12,y,Alien\n')
    assert read(source(tmp_path, titles="films.csv")) == [["10 Heat, the", "11"], ["12 Alien"]]
    assert read(source(tmp_path)) == [["10", "11"], ["12"]]


def test_a_title_that_changes_is_a_change_of_the_source(tmp_path):
    (tmp_path / "films.csv").write_text("id,title\n10,Heat\n")
    before = csv.fingerprint(source(tmp_path, titles="films.csv"))
    (tmp_path / "films.csv").write_text("id,title\n10,Cold\n")
    assert csv.fingerprint(source(tmp_path, titles="films.csv")) != before


def test_a_file_that_holds_no_titles_is_said(tmp_path):
    with pytest.raises(BadInput, match=r"there is no file absent\.csv, nor .*absent\.csv"):
        read(source(tmp_path, titles="absent.csv"))
    (tmp_path / "films.csv").write_text("id\n10\n")
    with pytest.raises(BadInput, match="has one column"):
        read(source(tmp_path, titles="films.csv"))
