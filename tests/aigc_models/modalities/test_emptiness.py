"""Items that say nothing, of every modality: named, written, read back as what was made, and shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aigc_models.find import find, names
from aigc_models.modalities.audio import Sound
from aigc_models.modalities.events.events import Events, history, notes
from aigc_models.modalities.series import Series

EVIL = '<b>"it\'s"</b>'
GREY = np.full((4, 6, 1), 90, dtype=np.uint8)
WAVE = np.sin(np.arange(800) / 3)[None].astype(np.float32)
CASES: list[tuple[str, Any, str | None]] = [
    ("text", "", "empty"),
    ("text", " \n\t", "blank"),
    ("text", "aa a", "one symbol"),
    ("text", EVIL, None),
    ("image", GREY * 0, "black"),
    ("image", np.full((4, 6, 3), 255, np.uint8), "white"),
    ("image", GREY, "one colour"),
    ("image", np.concatenate([GREY, GREY, GREY * 0], axis=2), "one colour"),
    ("image", np.arange(24, dtype=np.uint8).reshape(4, 6, 1), None),
    ("audio", Sound(WAVE * 0, 8000), "silent"),
    ("audio", Sound(np.full((2, 800), 0.5, np.float32), 8000), "silent"),
    ("audio", Sound(np.concatenate([WAVE * 0, WAVE * 0.1]), 8000), None),
    ("series", Series(np.full((1, 30), -5.0), (EVIL,), 0.0, "1D"), "constant"),
    ("series", Series(np.zeros((2, 30)), (EVIL, "b"), 0.0, "1"), "constant"),
    ("series", Series(np.stack([np.zeros(30), np.arange(30)]), (EVIL, "b"), 0.0, "1"), None),
    ("events", notes([], [], [], []), "empty"),
    ("events", notes([0, 1], [60, 60], [1, 1], [0, 0]), "one symbol"),
    ("events", notes([0, 1], [60, 62], [1, 1], [0, 0]), None),
    ("events", history([], []), "empty"),
    ("events", history([0], [EVIL]), "one symbol"),
    ("events", history([0, 1], [EVIL, "b"]), None),
]


@pytest.mark.parametrize(("name", "content", "word"), CASES)
def test_it_is_named_and_comes_back_from_its_file(name: str, content: Any, word: str | None, tmp_path: Path) -> None:
    modality = find("aigc_models.modalities", name)
    assert modality.emptiness(content) == word
    back = modality.unpack(modality.write(content, tmp_path / "made").read_bytes())
    assert modality.emptiness(back) == word
    if isinstance(content, Events):
        assert back.tune == content.tune
    assert modality.pack(back) == modality.pack(content)


@pytest.mark.parametrize(("name", "content", "word"), CASES)
def test_its_preview_shows_something_and_escapes_it(name: str, content: Any, word: str | None) -> None:
    html = find("aigc_models.modalities", name).preview(content)
    assert "<b>" not in html
    assert not any(empty in html for empty in ("<pre></pre>", "<p></p>", "<table></table>"))
    if word in ("empty", "blank"):
        assert any(phrase in html for phrase in (word, "no notes", "no events"))


@pytest.mark.parametrize(("name", "content", "word"), CASES)
def test_what_measures_items_measures_it(name: str, content: Any, word: str | None) -> None:
    modality = find("aigc_models.modalities", name)
    assert all(np.isfinite(column).all() for column in modality.measures([content]).values())
    assert np.isfinite(modality.embedding([content])).all()
    assert modality.fingerprint(content).exact


@pytest.mark.parametrize("kind", ["notes", "history"])
def test_events_without_a_symbol_are_encoded_and_decoded(kind: str) -> None:
    modality = find("aigc_models.modalities", "events")
    content, form = (notes([], [], [], []) if kind == "notes" else history([], [])), modality.Format(kind=kind, length=16)
    values = modality.encode([content], form)
    (back,) = modality.decode(modality.tensor(values), form)
    assert (len(back), back.tune) == (0, kind == "notes")


def test_every_modality_says_it() -> None:
    assert all(hasattr(find("aigc_models.modalities", name), "emptiness") for name in names("aigc_models.modalities"))
