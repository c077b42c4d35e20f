"""What a data set is expected to be, item by item, before it becomes a version (pandera's checks).

expect:
  - {column: characters, check: in_range, arguments: {min_value: 20, max_value: 2000}}
  - {column: label, check: isin, arguments: {allowed_values: [positive, neutral, negative]}}
  - {column: source, check: unique, severity: warn}
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from aigc_models.errors import BadInput, unknown
from aigc_models.find import find
from tasks.dataset.placed import placed

if TYPE_CHECKING:
    import pandas

STATED = ("id", "label", "group", "time", "source")  # as the clean table holds them
MEASURED: dict[str, dict[str, Callable[[Any], float]]] = {
    "text": {"characters": len, "words": lambda text: len(text.split()), "lines": lambda text: text.count("\n") + 1},
    "image": {
        "height": lambda item: item.shape[0],
        "width": lambda item: item.shape[1],
        "channels": lambda item: item.shape[2],
    },
    "audio": {
        "seconds": lambda item: item.seconds,
        "rate": lambda item: item.rate,
        "channels": lambda item: len(item.values),
    },
    "events": {"events": len, "length": lambda item: item.length},
    "series": {"steps": lambda item: item.steps, "channels": lambda item: len(item.channels)},
}
NAMED = 3  # items that a message names

Check = Literal[
    "not_null", "unique",
    "eq", "ne", "gt", "ge", "lt", "le", "in_range", "isin", "notin",
    "str_matches", "str_contains", "str_startswith", "str_endswith", "str_length",
]  # fmt: skip


class Expectation(BaseModel):
    """One thing that every item is expected to be. Where a value is missing only `not_null` looks."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    column: str = Field(
        description="id, label, group, split, time, source; of texts characters, words, lines; of pictures height, width, "
        "channels; of sounds seconds, rate, channels; of series steps, channels; of events events, length (quarter notes or "
        "seconds)"
    )
    check: Check = Field(description="not_null, unique, or a check of pandera by its name")
    arguments: dict[str, Any] = Field({}, description="of the check, such as min_value and max_value of in_range")
    severity: Literal["fail", "warn"] = Field("fail", description="fail: no version is made; warn: the data card says so")

    @model_validator(mode="after")
    def _fits(self) -> Expectation:
        try:
            _column(self)
        except TypeError as error:
            raise ValueError(f"arguments of the check {self.check}: {error}") from error
        return self

    def __str__(self) -> str:
        arguments = ", ".join(f"{name} {value}" for name, value in self.arguments.items())
        return f"{self.column} {self.check}{f' ({arguments})' if arguments else ''}"


def _column(expectation: Expectation) -> Any:
    """Pandera's column; raises TypeError for arguments that the check does not have."""
    import pandera.pandas as pandera

    if expectation.check in ("not_null", "unique"):
        if expectation.arguments:
            raise TypeError("it has none")
        return pandera.Column(nullable=expectation.check != "not_null", unique=expectation.check == "unique")
    return pandera.Column(checks=getattr(pandera.Check, expectation.check)(**expectation.arguments), nullable=True)


def held(
    dataset: str, modality: str, folder: Path, splits: Path, expectations: Sequence[Expectation]
) -> dict[str, dict[str, Any]]:
    """Each expectation with how many items fail it and some of them.

    `folder` is `data/NAME/clean`, `splits` the table of places; both are read only where something is expected.

    Raises `BadInput` that names items where one of severity `fail` is not met, or a column that does not exist.
    """
    if not expectations:
        return {}
    table = items(modality, folder, splits, {expectation.column for expectation in expectations})
    outcomes = {str(expectation): _outcome(expectation, table) for expectation in expectations}
    failed = {name: outcome for name, outcome in outcomes.items() if outcome["failed"] and outcome["severity"] == "fail"}
    broken = [_message(name, outcome, len(table)) for name, outcome in failed.items()]
    if broken:
        raise BadInput(f"{dataset} is not what is expected of it, and no version was made: {'; '.join(broken)}")
    return outcomes


def items(modality: str, folder: Path, splits: Path, wanted: set[str]) -> pandas.DataFrame:
    """The items of a version as a table: id, source, and the `wanted` columns."""
    import pandas

    measured = MEASURED.get(modality, {})
    columns = [*STATED, "split", *measured]
    for column in sorted(wanted):
        if column not in columns:
            raise unknown(f"column of {modality} items in an expectation:", column, columns)
    stated = sorted({"id", "source", *wanted} & set(STATED))
    content = ["content"] if wanted & set(measured) else []
    parts = placed(folder, splits, [*stated, *content])  # contents go with each part
    tables = [pandas.DataFrame(_columns(part, modality, stated, wanted)) for part in parts]
    return pandas.concat(tables, ignore_index=True)


def _columns(part: dict[str, list[Any]], modality: str, stated: list[str], wanted: set[str]) -> dict[str, list[Any]]:
    columns = {name: part[name] for name in (*stated, *sorted(wanted & {"split"}))}
    if "content" in part:
        unpack = find("aigc_models.modalities", modality).unpack
        measures = {name: MEASURED[modality][name] for name in sorted(wanted & set(MEASURED[modality]))}
        rows = (
            [measure(content) for measure in measures.values()] for content in map(unpack, part["content"])
        )  # one at a time
        columns |= dict(zip(measures, map(list, zip(*rows, strict=True)), strict=True))
    return columns


def _outcome(expectation: Expectation, table: pandas.DataFrame) -> dict[str, Any]:
    """JSON values; the same items give the same."""
    import pandera.pandas as pandera

    places: list[int] = []
    try:
        pandera.DataFrameSchema({expectation.column: _column(expectation)}).validate(table, lazy=True)
    except pandera.errors.SchemaErrors as error:
        cases = error.failure_cases
        if cases["index"].isna().any():  # the check itself could not be made
            raise BadInput(f"expectation {expectation}: {cases['failure_case'].iloc[0]}") from error
        places = sorted({int(place) for place in cases["index"]})
    columns = (table[name].iloc[places[:NAMED]].tolist() for name in ("id", "source", expectation.column))
    examples = [{"id": key, "source": source, "value": _plain(value)} for key, source, value in zip(*columns, strict=True)]
    return {"severity": expectation.severity, "failed": len(places), "examples": examples}


def _plain(value: Any) -> str | int | float | None:
    missing = value is None or value != value
    return None if missing else value


def _message(expected: str, outcome: Mapping[str, Any], total: int) -> str:
    named = ", ".join(f"{example['source']} ({example['value']!r}, id {example['id'][:8]})" for example in outcome["examples"])
    more = ", ..." if outcome["failed"] > len(outcome["examples"]) else ""
    return f"{outcome['failed']} of {total} items fail {expected!r}: {named}{more}"
