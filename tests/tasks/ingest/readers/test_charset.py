"""Encodings: what letters make certain, and what they do not."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tasks.ingest.readers import charset

TEXTS = {
    "cp1252": "id;art\n1;Die Straße war für Fußgänger gesperrt\n2;Schöne Grüße aus Köln\n",
    "cp1251": "id;текст\n1;Сегодня хорошая погода и солнце светит\n2;Завтра будет дождь и ветер\n",
    "cp1250": "id;tekst\n1;Zażółć gęślą jaźń, proszę państwa\n2;Wczoraj było świetnie, żałuję że nie przyszłaś\n",
    "cp1254": "id;metin\n1;Bugün hava çok güzel değil mi\n2;Şimdi işe gidiyorum, akşam görüşürüz\n",
    "shift_jis": "id,文\n1,今日は天気がいいですね\n2,明日は雨が降るでしょう\n",
    "gb18030": "id,文本\n1,今天天气很好我们去公园\n2,明天会下雨请带伞\n",
}


def encoding_of(path: Path, raw: bytes) -> str:
    path.write_bytes(raw)
    return charset.of_file(path)


@pytest.mark.parametrize("encoding", list(TEXTS))
@pytest.mark.parametrize("before", [0, 100_000])
def test_encodings_of_several_languages(tmp_path: Path, encoding: str, before: int) -> None:
    assert encoding_of(tmp_path / "t", b"plain words\n" * before + TEXTS[encoding].encode(encoding)) == encoding


def test_letters_that_french_and_czech_have_at_the_same_place_are_told_apart_by_the_language(tmp_path: Path) -> None:
    czech = "Příliš žluťoučký kůň úpěl ďábelské ódy. Dnes je krásný den, že?\n".encode("cp1250")
    french = "Déjà été à la forêt, où nous étions très loin l'été dernier, garçon\n".encode("cp1252")
    assert [encoding_of(tmp_path / "t", text * 40) for text in (czech, french)] == ["cp1250", "cp1252"]


MAC_TEXTS = (
    "Le café naïve, où très déjà été élève à la fenêtre français",
    "Die Straße war für Fußgänger gesperrt, schöne Grüße, ähnlich häufig, Mädchen läuft",
    "Mañana el niño comió jamón en la habitación, está aquí también después",
)


@pytest.mark.parametrize("text", MAC_TEXTS)
def test_mac_roman_is_told_from_the_encodings_of_windows(tmp_path: Path, text: str) -> None:
    assert encoding_of(tmp_path / "t", f"{text}\n".encode("mac_roman") * 20) == "mac_roman"
    assert encoding_of(tmp_path / "t", f"{text}\n".encode("cp1252") * 20) == "cp1252"


def test_no_other_encoding_is_taken_for_mac_roman(tmp_path: Path) -> None:
    slovene = "Čez cesto gre še žena, ki išče žlico in šolo; že včeraj je šla češnje nabirat\n"
    texts = {"cp1250": slovene, **TEXTS}
    assert "mac_roman" not in {encoding_of(tmp_path / "t", text.encode(name) * 20) for name, text in texts.items()}


@pytest.mark.parametrize(
    ("encoding", "text"), [("iso2022_kr", "오늘은 날씨가 plain\n"), ("iso2022_jp", "今日は天気が plain\n")]
)
def test_letters_in_bytes_of_ascii(tmp_path: Path, encoding: str, text: str) -> None:
    raw = (text * 30).encode(encoding)
    assert raw.isascii()
    assert raw.decode(encoding_of(tmp_path / "t", raw)) == text * 30
    assert encoding_of(tmp_path / "t", b"\x1b[31mred\x1b[0m, \x1b$B\n") == charset.UTF_8


def test_a_text_in_utf_8(tmp_path: Path) -> None:
    for encoding in ("utf-16", "utf-32", "cp1252"):
        assert (
            charset.as_utf_8(("schöne Grüße, für alle Mädchen\n" * 9).encode(encoding)).decode()
            == "schöne Grüße, für alle Mädchen\n" * 9
        )
    for raw in (b"", b"caf\xe9", b"\0\0\0\x01\0\x02\x03\x04" * 9, "schön".encode()):
        assert charset.as_utf_8(raw) == raw


def test_damage_is_no_encoding(tmp_path: Path) -> None:
    good = "Schöne Grüße aus Köln, mäßig für Fußgänger\n".encode()
    damaged = [
        good * 3 + b"caf\xe9, caf\xe9\n",
        b"caf\xe9\n",
        *(b"id,text\n1," + Random(seed).randbytes(300) for seed in range(5)),
    ]
    assert {encoding_of(tmp_path / "t", raw) for raw in [good, b"", b"plain\n", *damaged]} == {charset.UTF_8}
