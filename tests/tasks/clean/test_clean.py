"""Clean shards: one bad item never stops the rest, and only what changed is made again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pyarrow import parquet

from aigc_models.errors import BadInput
from aigc_models.modalities import image, text
from tasks.clean import clean as cleaning
from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.data_lock import writing
from tasks.dataset.items import ItemsSettings, items
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.stage.references import CleanRef, RawRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

TEXTS = {
    "good.txt": "café  \r\n".encode(),
    "zero.txt": b"",
    "blank.txt": b" \n",
    "latin.txt": b"caf\xe9 au lait",
    "picture.txt": b"\x89PNG\r\n\x1a\n\0\0\0",
    "nul.txt": b"a\0b",
    "mojibake.txt": "cafÃ© Ã¼ber â€œallesâ€\x9d".encode(),
    "lost.txt": "caf\ufffd au lait".encode(),
    "dashes.txt": b"----------",
    "one.txt": b"x",
}


def ingested(root: Path, files: dict[str, bytes]) -> tuple[RawRef, StageContext]:
    folder = root / "content"
    folder.mkdir(parents=True, exist_ok=True)
    for name, payload in files.items():
        (folder / name).write_bytes(payload)
    context = StageContext(root, Workspace(root / "w"))
    return ingest.plain(SourceSettings(name="notes", location=str(folder)), context=context), context


def tables(context: StageContext, suffix: str = "") -> list[dict[str, Any]]:
    folder = context.workspace.data / "notes/clean"
    paths = sorted(path for path in folder.iterdir() if path.name.count(".") == (2 if suffix else 1))
    return [row for path in paths for row in parquet.read_table(path).to_pylist()]


def test_each_bad_text_is_named_with_rule_and_reason(tmp_path: Path) -> None:
    raw, context = ingested(tmp_path, TEXTS)
    result: CleanRef = clean.plain(raw, CleanSettings(), context=context)
    good, repaired = tables(context)
    assert (result.rows, result.rejected, good["content"].decode(), good["source"]) == (2, 8, "café", "good.txt")
    assert (repaired["content"].decode(), repaired["changed"]) == ("café über “alles”", ["encoding_repair"])
    assert (good["changed"], good["noticed"]) == ([], [])
    rejected = {row["source"]: (row["rule"], row["reason"]) for row in tables(context, "rejected")}
    assert {source: rule for source, (rule, _) in rejected.items()} == {
        "zero.txt": "unreadable",
        "blank.txt": "empty",
        "latin.txt": "unreadable",
        "picture.txt": "unreadable",
        "nul.txt": "invalid",
        "lost.txt": "encoding_artefacts",
        "dashes.txt": "constant",
        "one.txt": "too_short",
    }
    assert "0xe9 at byte 3" in rejected["latin.txt"][1]


def test_each_bad_picture_is_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    pictures = {
        "a.png": Image.linear_gradient("L").resize((40, 30)),
        "one.png": Image.new("RGB", (9, 9)),
        "dot.png": Image.new("L", (1, 1)),
    }
    files = {
        "text.png": b"just words",
        "zero.png": b"",
        "cut.png": image.pack(image._array(Image.effect_noise((64, 64), 90)))[:900],
    }
    files |= {name: image.pack(image._array(picture)) for name, picture in pictures.items()}
    raw, context = ingested(tmp_path, files)
    clean.plain(raw, CleanSettings(), context=context)
    (kept,) = tables(context)
    assert image.unpack(kept["content"]).shape == (30, 40, 1)
    assert {row["source"]: row["rule"] for row in tables(context, "rejected")} == {
        "text.png": "unreadable",
        "zero.png": "unreadable",
        "cut.png": "unreadable",
        "one.png": "constant",
        "dot.png": "constant",
    }


def test_all_rejected_stops_and_says_why(tmp_path: Path) -> None:
    raw, context = ingested(tmp_path, {"a.txt": b"", "b.txt": b"\xff\xff"})
    with pytest.raises(BadInput, match=r"all 2 were rejected \(1 x "):
        clean.plain(raw, CleanSettings(), context=context)
    assert not (context.workspace.data / "notes").exists()


def test_all_rejected_keeps_the_raw_shards_of_a_set_that_was_in_use(tmp_path: Path) -> None:
    raw, context = ingested(tmp_path, {"a.txt": b""})
    (context.workspace.data / "notes/card.json").write_text("{}")
    with pytest.raises(BadInput, match="all 1 were rejected"):
        clean.plain(raw, CleanSettings(), context=context)
    assert raw.intact(context.workspace)


def test_only_what_changed_is_cleaned_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, context = ingested(tmp_path, TEXTS)
    made: list[str] = []
    real = cleaning._publish
    monkeypatch.setattr(cleaning, "_publish", lambda shard, *rest: (made.append(shard.name[:5]), real(shard, *rest)))
    first = clean.plain(raw, CleanSettings(), context=context)
    assert clean.plain(raw, CleanSettings(), context=context) == first
    raw, context = ingested(tmp_path, {"new.txt": b"a new item"})
    clean.plain(raw, CleanSettings(), context=context)
    assert made == ["00000", "00001"]
    next((context.workspace.data / "notes/clean").glob("00001-*.rejected.parquet")).write_bytes(b"damaged")
    clean.plain(raw, CleanSettings(), context=context)
    assert made == ["00000", "00001", "00001"]
    clean.plain(raw, CleanSettings(rules={"too_short": {"characters": 1}}), context=context)
    assert made[3:] == ["00000", "00001"]
    assert "one.txt" in {row["source"] for row in tables(context)}


def test_the_same_items_give_the_same_bytes(tmp_path: Path) -> None:
    results = []
    for name in ("one", "other"):
        raw, context = ingested(tmp_path / name, TEXTS)
        results.append(clean.plain(raw, CleanSettings(), context=context))
    assert results[0] == results[1]


def test_clean_shards_of_forgotten_raw_ones_go(tmp_path: Path) -> None:
    raw, context = ingested(tmp_path, TEXTS)
    clean.plain(raw, CleanSettings(), context=context)
    raw, context = ingested(tmp_path, {"new.txt": b"a new item"})
    next(raw.path(context.workspace).glob("00000-*")).unlink()
    assert clean.plain(raw, CleanSettings(), context=context).rows == 1


def test_rules_can_be_left_out_and_unknown_ones_are_refused(tmp_path: Path) -> None:
    raw, context = ingested(tmp_path, TEXTS)
    clean.plain(raw, CleanSettings(without=("constant", "too_short")), context=context)
    assert {"dashes.txt", "one.txt"} <= {row["source"] for row in tables(context)}
    with pytest.raises(BadInput, match="did you mean 'too_short'"):
        CleanSettings(without=("to_short",))
    with pytest.raises(BadInput, match="cleaning rule too_short: unknown field 'letters'; did you mean 'characters'"):
        CleanSettings(rules={"too_short": {"letters": 1}})


def test_a_rule_that_is_off_by_default_is_on_where_it_is_named() -> None:
    assert "wanted_script" not in CleanSettings().chosen("text")
    named = CleanSettings(rules={"wanted_script": {"scripts": ["Latin"]}})
    assert "wanted_script" in named.chosen("text")
    assert "wanted_script" not in named.model_copy(update={"without": ("wanted_script",)}).chosen("text")


def test_a_file_that_nobody_thought_of_does_not_end_the_cleaning_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw, context = ingested(tmp_path, {"a.txt": b"good words", "odd.txt": b"odd words"})
    whole = text.read

    def read(payload: bytes, name: str) -> str:
        if name == "odd.txt":
            raise IndexError("list index out of range")
        return whole(payload, name)

    monkeypatch.setattr(text, "read", read)
    assert clean.plain(raw, CleanSettings(), context=context).rows == 1
    (row,) = tables(context, "rejected")
    assert row["reason"] == "makes no sense to its reader (IndexError: list index out of range)"


def test_who_holds_the_lock_of_the_data_sees_no_half_of_a_shard(tmp_path: Path) -> None:
    raw, context = ingested(tmp_path, TEXTS)
    folder = context.workspace.data / "notes" / "clean"
    with writing(context.workspace):
        thread = threading.Thread(target=clean.plain, args=(raw, CleanSettings()), kwargs={"context": context})
        thread.start()
        thread.join(1)
        assert thread.is_alive()
        assert not folder.exists()
    thread.join(20)
    assert len(list(folder.iterdir())) == 2


def test_a_picture_that_is_shrunk_or_put_on_white_counts_as_changed(tmp_path: Path) -> None:
    (tmp_path / "content").mkdir()
    for name, size in {"large.png": (600, 20), "small.png": (200, 200)}.items():
        Image.radial_gradient("L").resize(size).save(tmp_path / "content" / name)
    Image.merge("LA", [Image.radial_gradient("L"), Image.linear_gradient("L")]).save(tmp_path / "content" / "clear.png")
    raw, context = ingested(tmp_path, {})
    clean.plain(raw, CleanSettings(without=("aspect",)), context=context)
    assert {row["source"]: row["changed"] for row in tables(context)} == {
        "clear.png": ["transparent_put_on_white"],
        "large.png": ["shrunk_to_256_pixels"],
        "small.png": [],
    }


def test_reasons_are_for_people(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    raw, context = ingested(tmp_path, {"good.txt": b"a good text", "odd.txt": b"an odd one"})

    def read(payload: bytes, name: str) -> str:
        if name == "odd.txt":
            raise KeyError(b"TAGxxxx")
        return payload.decode()

    monkeypatch.setattr(text, "read", read)
    clean.plain(raw, CleanSettings(), context=context)
    assert [row["reason"] for row in tables(context, "rejected")] == ["makes no sense to its reader (KeyError: 'TAGxxxx')"]


def test_what_was_rejected_as_a_whole_can_be_looked_at(tmp_path: Path) -> None:
    raw, context = ingested(tmp_path, {"zero.txt": b"", "x.txt": b"x"})
    with pytest.raises(BadInput, match="`aigc data items notes --split quarantine` lists them until the next add"):
        clean.plain(raw, CleanSettings(), context=context)
    aside = items(context.workspace, "notes", ItemsSettings(split="quarantine"))
    assert set(aside["source"]) == {"zero.txt", "x.txt"}
