"""What the terminal shows of a data card."""

from __future__ import annotations

from typing import Any

import pytest

from flows.command_line.data import show_card

CARD: dict[str, Any] = {
    "name": "notes",
    "modality": "audio",
    "version": "abc",
    "source": "embedded:notes: [bold] strings",
    "licence": "CC0",
    "counts": {
        "raw": 3,
        "rejected": {"too_short": 1},
        "changed": {"encoding_repair": 1},
        "noticed": {"e-mail": 2},
        "exact_duplicates": 0,
        "label_conflicts": 0,
        "bridges": 0,
        "kept": 2,
        "near_duplicates": 0,
        "near_duplicate_groups": 0,
    },
    "expectations": {"label not_null": {"severity": "warn", "failed": 2, "examples": []}},
    "splits": {"train": {"rows": 2, "labels": {":smile:": 2}}},
    "format": {"rate": 8000},
    "diversity": {"seconds": [0.5, 0.75, 1.0], "rates": {"8000": 2}, "cut_to_10_s": 0},
}


def test_words_of_the_user_are_shown_as_they_stand(capsys: pytest.CaptureFixture[str]) -> None:
    show_card(CARD)
    shown = capsys.readouterr().out
    for words in (
        "from embedded:notes: [bold] strings; licence: CC0",
        ":smile: 2",
        "rejected: too short",
        "changed: encoding repair",
        "noticed: e-mail",
        "expected: label not_null",
        "2 items do not",
        "quarantine.parquet",
    ):
        assert words in shown
    assert "seconds 0.5 to 1 (median 0.75)" in " ".join(shown.split())


def test_names_of_columns_and_rules_are_no_markup(capsys: pytest.CaptureFixture[str]) -> None:
    show_card(CARD | {"format": {"names": ["[/b]", "[red]"]}, "diversity": {"rates": {"[/x]": 2}}})
    shown = " ".join(capsys.readouterr().out.split())
    assert "names [/b] [red]" in shown
    assert "rates [/x] (x2)" in shown


def test_what_was_thrown_away_adds_up(capsys: pytest.CaptureFixture[str]) -> None:
    counts = CARD["counts"] | {"raw": 10, "exact_duplicates": 5, "label_conflicts": 2, "kept": 4}
    show_card(CARD | {"counts": counts})
    words = " ".join(capsys.readouterr().out.split())
    assert "came in 10 rejected: too short -1 exact duplicates -3 label conflicts -2 kept 4" in words


def test_many_labels_do_not_fill_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    labels = {f"label{at}": at for at in range(276)}
    show_card(CARD | {"splits": {"train": {"rows": 99, "labels": labels}}, "diversity": {"rates": labels}})
    shown = " ".join(capsys.readouterr().out.split())
    assert "(label275 275, label274 274, " in shown
    assert "276 labels in all" in shown
    assert "label100" not in shown
