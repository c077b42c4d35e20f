"""Expectations: what fails a version names items, what warns stands in the card."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from aigc_models.errors import BadInput
from tasks.dataset.tables import write
from tasks.split.expectations import Expectation, held

LENGTH = {"column": "characters", "check": "in_range", "arguments": {"min_value": 3, "max_value": 8}}


def expectation(**values: Any) -> Expectation:
    return Expectation.model_validate(values)


def splits(data: Any, ids: list[str], names: list[str] | None = None) -> Path:
    """The table of places, all train where nothing else is said."""
    columns = {"id": ids, "split": names or ["train"] * len(ids)}
    return write(data.clean.parent / "splits.parquet", dict.fromkeys(columns, "string"), columns)


@pytest.fixture
def outcome(handmade: Callable[..., Any]) -> Callable[..., Any]:
    """How many items fail an expectation, and the values named; one item of five is a duplicate and not looked at."""
    data = handmade()
    texts = ["one two", "three", "six\nseven", "a", "x" * 99]
    fields = [{"label": "odd"}, {"label": "odd", "source": "b"}, {"source": "b"}, {"label": "even"}, {}]
    ids = [*data.add(texts[:2], fields[:2]), *data.add(texts[2:], fields[2:])]
    placed = splits(data, ids[:4], ["train", "train", "test", "validation"])

    def failures(**values: Any) -> tuple[int, list[Any]]:
        (result,) = held("notes", "text", data.clean, placed, [expectation(severity="warn", **values)]).values()
        assert json.loads(json.dumps(result)) == result
        return result["failed"], [example["value"] for example in result["examples"]]

    return failures


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (LENGTH, (2, [9, 1])),
        ({"column": "words", "check": "le", "arguments": {"max_value": 2}}, (0, [])),
        ({"column": "lines", "check": "eq", "arguments": {"value": 1}}, (1, [2])),
        ({"column": "label", "check": "isin", "arguments": {"allowed_values": ["odd"]}}, (1, ["even"])),
        ({"column": "label", "check": "not_null"}, (1, [None])),
        ({"column": "source", "check": "unique"}, (2, ["b", "b"])),
        ({"column": "split", "check": "ne", "arguments": {"value": "test"}}, (1, ["test"])),
        ({"column": "source", "check": "str_matches", "arguments": {"pattern": "made/"}}, (2, ["b", "b"])),
    ],
)
def test_items_that_fail_are_counted_and_named(outcome: Callable[..., Any], values: dict[str, Any], expected: Any) -> None:
    assert outcome(**values) == expected


def test_what_fails_makes_no_version_and_names_the_items(handmade: Callable[..., Any]) -> None:
    data = handmade()
    ids = data.add(["fine text", "x", "y", "z", "w"], [{"source": f"a.csv#{at}"} for at in range(5)])
    with pytest.raises(BadInput) as error:
        held("notes", "text", data.clean, splits(data, ids), [expectation(**LENGTH | {"severity": "fail"})])
    message = str(error.value)
    assert "5 of 5 items fail 'characters in_range (min_value 3, max_value 8)': a.csv#0 (9, id " in message
    assert message.endswith(", ...")


def test_pictures_have_sizes(handmade: Callable[..., Any]) -> None:
    data = handmade("image", "shapes")
    ids = data.add([np.zeros(size, np.uint8) for size in ((8, 9, 1), (8, 12, 3))])
    wide = expectation(column="width", check="le", arguments={"max_value": 10}, severity="warn")
    (failure,) = held("shapes", "image", data.clean, splits(data, ids), [wide]).values()
    assert [example["value"] for example in failure["examples"]] == [12]


def test_unknown_columns_and_arguments_are_refused(handmade: Callable[..., Any]) -> None:
    data = handmade()
    ids = data.add(["text"])
    with pytest.raises(BadInput, match="did you mean 'characters'"):
        held("notes", "text", data.clean, splits(data, ids), [expectation(column="character", check="unique")])
    no_text = expectation(column="words", check="str_matches", arguments={"pattern": "x"})
    with pytest.raises(BadInput, match=r"expectation words str_matches \(pattern x\): .*string values"):
        held("notes", "text", data.clean, splits(data, ids), [no_text])
    for check, arguments in (("in_range", {"low": 1}), ("unique", {"x": 1}), ("is_big", {})):
        with pytest.raises(ValueError, match="check"):
            expectation(column="label", check=check, arguments=arguments)
