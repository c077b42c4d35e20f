"""Dialogues in YAML."""

from __future__ import annotations

from pathlib import Path

import pytest

from aigc_models.errors import BadInput, no_content
from tasks.ingest import source
from tasks.ingest.source import RawItem, SourceSettings
from tasks.ingest.sources import dialogues

TALK = "categories:\n- AI\nconversations:\n- - What is AI?\n  - 'A: science'\n- - Are you there?\n  - yes\n  - 1.50\n- alone\n"


def items(path: Path, **fields: object) -> list[RawItem]:
    settings = SourceSettings.model_validate({"name": "a", "location": str(path), **fields})
    assert source.modality(settings) == "text"
    return list(source.read(settings, "text"))


def put(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_one_item_a_conversation_with_its_turns_as_lines(tmp_path: Path) -> None:
    put(tmp_path / "english/ai.yml", TALK)
    put(tmp_path / "french/ai.yaml", "conversations:\n- [Ça va ?, Oui]\n")
    put(tmp_path / "README.md", "notes")
    raw_items = items(tmp_path, label="folder")
    assert [(item.payload.decode(), item.source, item.label) for item in raw_items] == [
        ("What is AI?\nA: science", "english/ai.yml#1", "english"),
        ("Are you there?\nyes\n1.50", "english/ai.yml#2", "english"),
        ("alone", "english/ai.yml#3", "english"),
        ("Ça va ?\nOui", "french/ai.yaml#1", "french"),
    ]
    assert raw_items[1].name == "ai.yml conversation 2"


def test_a_single_file(tmp_path: Path) -> None:
    assert len(items(put(tmp_path / "ai.yml", TALK))) == 3


def test_other_yaml_stays_what_it_was(tmp_path: Path) -> None:
    put(tmp_path / "a/x.yml", "name: value\n")
    put(tmp_path / "b/ai.yml", TALK)
    put(tmp_path / "b/notes.txt", "a text")
    assert [item.payload for item in items(tmp_path / "a")] == [b"name: value\n"]
    assert {item.source for item in items(tmp_path / "b")} == {"ai.yml", "notes.txt"}


BOMB = "a: &a [x, x]\nb: &b [*a, *a]\nconversations: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "uses an alias (*) in line 2"),
        ("conversations:\n- a\n- " + "[" * 500, "more than 20 deep inside each other in line 3"),
        ("conversations: " + "[" * 100_000, "nesting depth"),
        ("conversations:\n- [a\n- b\n", "line 2, column 3"),
        ("conversations: {a: b}\n", "has no list 'conversations'"),
        ("conversations:\n- - {a: b}\n", "a turn is no text"),
    ],
)
def test_what_cannot_be_read_is_told_and_the_rest_kept(tmp_path: Path, text: str, reason: str) -> None:
    put(tmp_path / "0.yml", TALK)
    put(tmp_path / "1.yml", text)
    *kept, bad = items(tmp_path)
    assert len(kept) == 3
    assert bad.payload == b""
    assert reason in str(no_content(bad.name))
    assert str(tmp_path) not in bad.name


def test_a_file_too_large_for_memory_is_not_read(tmp_path: Path) -> None:
    put(tmp_path / "0.yml", TALK)
    put(tmp_path / "1.yml", "conversations: [" + "a," * (dialogues.LARGEST // 2) + "]")
    *kept, bad = items(tmp_path)
    assert len(kept) == 3
    assert "has more than 5 MB" in str(no_content(bad.name))


def test_no_tag_is_followed(tmp_path: Path) -> None:
    (item,) = items(put(tmp_path / "a.yml", "conversations:\n- [!!python/object/apply:os.getcwd [x]]\n"))
    assert "a turn is no text" in str(no_content(item.name))


def test_other_encodings_and_modalities(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_bytes(b"conversations:\n- [caf\xe9]\n")
    (item,) = items(tmp_path)
    assert "is no UTF-8 in line 2, byte 21" in str(no_content(item.name))
    settings = SourceSettings(name="a", location=str(tmp_path), modality="image")
    with pytest.raises(BadInput, match="say --modality text"):
        list(source.read(settings, "image"))


def test_the_fingerprint_follows_the_content(tmp_path: Path) -> None:
    settings = SourceSettings(name="a", location=str(tmp_path))
    put(tmp_path / "ai.yml", TALK)
    before = source.content_digest(settings)
    put(tmp_path / "ai.yml", f"{TALK}- more\n")
    assert source.content_digest(settings) != before
