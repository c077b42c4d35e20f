"""Series through ingesting, cleaning, dividing and encoding: what is bad is quarantined with a reason, and the rest goes on."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pyarrow import parquet

from aigc_models.corpus import Corpus
from aigc_models.errors import BadInput
from aigc_models.modalities import series
from tasks.clean.clean import CleanSettings, clean
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings, modality
from tasks.split.split import SplitSettings, split
from tasks.stage.references import CorpusRef, SplitRef, VersionRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.train.encode import EncodeSettings, encoded_version, latest, latest_contents

DAYS = [date(2020, 1, 1) + timedelta(days=at) for at in range(200)]


def level(at: int) -> float:
    return round(10 + at % 7 + (at * 7919 % 13) / 13, 3)


def table(rows: list[tuple[object, object]], header: str = "date,load", separator: str = ",") -> str:
    return "\n".join([header, *(f"{time}{separator}{value}" for time, value in rows)]) + "\n"


def daily(count: int = 200) -> list[tuple[object, object]]:
    return [(day, level(at)) for at, day in enumerate(DAYS[:count])]


def by_day(cell: Callable[[int], object], header: str = "date,load", separator: str = ",", form: str = "%Y-%m-%d") -> str:
    """A table of 200 days with a cell for each."""
    return table([(f"{day:{form}}", cell(at)) for at, day in enumerate(DAYS)], header, separator)


FORMATS = [(f"{day:{'%Y-%m-%d' if at < 50 else '%d/%m/%Y'}}", 1 + at % 3) for at, day in enumerate(DAYS)]
AMBIGUOUS = [(f"{at % 12 + 1:02}/{at * 5 % 12 + 1:02}/2020", at) for at in range(100)]
BAD = {
    "constant": (by_day(lambda at: 5), "is constant: every value of 'load' is 5"),
    "two": (table(daily(2)), "has 2 points; at least 10 are asked for"),
    "missing": (by_day(lambda at: ""), "all 200 values are missing"),
    "twice": (table([*daily(), (DAYS[3], 99)]), "2020-01-04 stands in 2 rows with different values (13.462 and 99 in 'load')"),
    "formats": (table(FORMATS), "mixed date formats: row 1 ('2020-01-01') and row 51 ('20/02/2020')"),
    "ambiguous": (table(AMBIGUOUS), "day first and month first"),
    "signs": (by_day(lambda at: f"{at},5" if at else "0.5", "d;x", ";"), "mixed decimal signs"),
    "bare": (by_day(lambda at: f"{at},5"), "a decimal comma needs quotes or another separator"),
    "sparse": (by_day(lambda at: "" if at % 10 else at), "% of its values are missing"),
    "broken": (by_day(lambda at: "broken" if at == 9 else at), "row 10: 'broken' in the column 'load'"),
}
GOOD = {
    "plain": table(daily()),
    "swiss": by_day(lambda at: f"{level(at) + 1:.3f}".replace(".", ","), "d;x", ";", "%d.%m.%Y"),
    "gap": table([row for at, row in enumerate(daily()) if not 60 <= at < 100]),
    "nan": by_day(lambda at: "nan" if at % 9 == 1 else "inf" if at % 11 == 2 else level(at) + 2),
}


class Chain:
    """A data set that is added again and again."""

    def __init__(self, root: Path, location: Path, keep: bool | None = None) -> None:
        self.context = StageContext(root, Workspace(root / "w"))
        self.source = SourceSettings(name="loads", location=str(location), keep=keep)

    def folder(self, name: str) -> StageContext:
        folder = self.context.workspace.stages / name
        folder.mkdir(parents=True, exist_ok=True)
        return StageContext(folder, self.context.workspace)

    def clean(self, **rules: dict[str, Any]) -> Any:
        assert modality(self.source) == "series"
        return clean.plain(ingest.plain(self.source, context=self.context), CleanSettings(rules=rules), context=self.context)

    def split(self, **settings: Any) -> SplitRef:
        cleaned = self.clean()
        found = deduplicate.plain(cleaned, DeduplicateSettings(), self.folder("deduplicate"))
        return split.plain(cleaned, found, SplitSettings(**settings), self.folder("split"))

    def encode(self, format: dict[str, int] | None = None, **settings: Any) -> CorpusRef:
        version = VersionRef(**self.split(**settings).model_dump(), version="abc")
        folder = self.context.workspace.data / "loads"
        return encoded_version(folder, version, EncodeSettings(format=format), self.folder("encode"))

    @property
    def card(self) -> dict[str, Any]:
        return json.loads((self.context.workspace.data / "loads/card.json").read_text())

    def rows(self, pattern: str) -> list[dict[str, Any]]:
        paths = sorted((self.context.workspace.data / "loads").glob(pattern))
        return [row for path in paths for row in parquet.read_table(path).to_pylist()]


def test_each_bad_series_is_quarantined_with_its_reason_and_the_rest_goes_on(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name, text in (GOOD | {name: text for name, (text, _) in BAD.items()}).items():
        (tmp_path / f"in/{name}.csv").write_text(text)
    chain = Chain(tmp_path, tmp_path / "in")
    chain.split()
    reasons = {row["source"].removesuffix(".csv"): row["reason"] for row in chain.rows("quarantine.parquet")}
    assert reasons.keys() == BAD.keys()
    for name, (_, reason) in BAD.items():
        assert reason in reasons[name], name
    found = chain.card["handling"]
    assert found["steps cut off"]["count"] == 100
    assert found["decimal commas"]["count"] == 200
    assert found["values filled"]["series"] == 1
    assert 0 < found["missing_share"] < 0.1


def test_a_channel_that_never_changes_is_left_out_with_a_note(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table([(day, f"{level(at)},1,") for at, day in enumerate(DAYS)], "date,load,flag,nothing"))
    chain = Chain(tmp_path, tmp_path / "t.csv")
    chain.split()
    assert chain.card["format"]["names"] == ["load"]
    assert chain.card["handling"]["channels left out"]["count"] == 2


def test_how_long_a_gap_may_be_is_a_setting(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(GOOD["gap"])
    chain = Chain(tmp_path, tmp_path / "t.csv")
    chain.clean(gaps={"steps": 40})
    (row,) = chain.rows("clean/*[0-9a-f].parquet")
    assert series.unpack(row["content"]).steps == 200


def test_every_series_is_divided_by_time_and_the_card_says_how(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table(daily()))
    chain = Chain(tmp_path, tmp_path / "t.csv")
    ref = chain.split(test=0.2)
    assert (ref.rows, ref.splits) == (1, {"train": 140, "validation": 20, "test": 40})
    card = chain.card
    assert card["unit"] == "steps"
    assert card["splits"]["test"]["rows"] == 40
    assert card["counts"]["kept"] == 1
    assert card["divided"] == {"validation_from": "2020-05-20", "test_from": "2020-06-09", "to": "2020-07-18"}
    train = np.array([level(at) for at in range(140)])
    np.testing.assert_allclose([card["format"]["centre"][0], card["format"]["scale"][0]], [train.mean(), train.std()])
    assert [row["split"] for row in chain.rows("splits.parquet")] == ["train", "validation", "test"]


def test_windows_of_each_split_and_the_latest_past(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table(daily()))
    chain = Chain(tmp_path, tmp_path / "t.csv")
    ref = chain.encode({"context": 14, "horizon": 7}, test=0.2)
    context, format = chain.folder("encode"), series.Format.model_validate(ref.format)
    corpora = {Path(output).name: Corpus.load(context.workspace.path(output), "series") for output in ref.outputs}
    assert {name: len(corpus) for name, corpus in corpora.items()} == {"train": 120, "validation": 14, "test": 34, "latest": 1}
    batch = corpora["test"].batch(np.arange(34))
    assert batch.values.shape == (34, 1, 21)
    assert batch.conditions.tolist() == [0] * 34
    first = series.decode(batch.values, format)[0].values[0]
    np.testing.assert_allclose(first, [level(at) for at in range(146, 167)], rtol=1e-5)
    spans = np.load(context.workspace.path(next(output for output in ref.outputs if output.endswith("test"))) / "spans.npy")
    assert spans.shape == (34, 2)
    assert [date(1970, 1, 1) + timedelta(seconds=at) for at in spans[0]] == [DAYS[160], DAYS[166]]
    assert (np.diff(spans, axis=0) == 86400).all()
    (newest,) = latest_contents(ref, context)
    assert newest.stamps()[-1] == str(DAYS[-1])
    assert newest.steps == 14
    np.testing.assert_array_equal(latest(ref, context), series.latest([newest], format))
    with pytest.raises(BadInput, match="the validation part of the longest series has 20 steps; 21"):
        chain.encode({"horizon": 21}, test=0.2)


def test_an_embargo_takes_steps_from_before_each_border(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(table(daily()))
    chain = Chain(tmp_path, tmp_path / "t.csv")
    ref = chain.encode({"context": 14, "horizon": 7}, test=0.2, embargo="5 days")
    assert ref.splits == {"train": 135, "validation": 15, "test": 40}
    assert chain.card["divided"]["validation_from"] == "2020-05-20"
    assert chain.card["split"]["embargo"] == "5 days"
    train = np.array([level(at) for at in range(135)])
    np.testing.assert_allclose(
        [chain.card["format"]["centre"][0], chain.card["format"]["scale"][0]], [train.mean(), train.std()]
    )
    folders = [chain.context.workspace.path(output) for output in ref.outputs]
    sizes = {folder.name: len(Corpus.load(folder, "series")) for folder in folders}
    assert sizes == {"train": 115, "validation": 9, "test": 34, "latest": 1}  # five windows fewer before each border
    with pytest.raises(BadInput, match="times of the data set are dates"):
        chain.split(embargo=5)
    with pytest.raises(BadInput, match="divided inside its items, by time, and has no folds"):
        chain.split(folds=3)


def test_a_file_that_grew_takes_the_place_of_its_earlier_state(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(table(daily(150)))
    chain = Chain(tmp_path, path)
    assert chain.split().splits["train"] == 120
    path.write_text(table(daily()))
    after = chain.split()
    assert (sum(after.splits.values()), after.rows, chain.rows("quarantine.parquet")) == (200, 1, [])
    assert (chain.card["counts"]["raw"], chain.card["divided"]["to"]) == (1, str(DAYS[-1]))


def test_a_file_that_grew_supersedes_its_earlier_state_where_that_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(table(daily(150)))
    chain = Chain(tmp_path, path, keep=True)
    before = chain.split()
    path.write_text(table(daily()))
    after = chain.split()
    assert (sum(before.splits.values()), sum(after.splits.values()), after.rows) == (150, 200, 1)
    assert (after.duplicates, chain.card["counts"]["superseded"]) == (0, 1)
    (row,) = chain.rows("quarantine.parquet")
    assert (row["rule"], row["reason"]) == ("superseded", "a later state of t.csv has these points and more")
    assert chain.card["divided"]["to"] == str(DAYS[-1])
    again = chain.split()
    assert again == after


def test_series_that_do_not_go_with_the_rest_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in "abc":
        shifted = [(day, level(at + ord(name))) for at, day in enumerate(DAYS)]
        (tmp_path / f"in/{name}.csv").write_text(table(shifted))
    hours = [datetime(2020, 1, 1) + timedelta(hours=at) for at in range(100)]
    (tmp_path / "in/z.csv").write_text(table([(time, level(at)) for at, time in enumerate(hours)]))
    chain = Chain(tmp_path, tmp_path / "in")
    ref = chain.split()
    (row,) = chain.rows("quarantine.parquet")
    assert ref.rows == 3
    assert (row["source"], row["stage"], row["rule"]) == ("z.csv", "split", "misfit")
    assert (chain.card["counts"]["misfits"], chain.card["counts"]["bridges"]) == (1, 0)
    assert row["reason"] == "has the step 1h and one channel; most of the data set have 1D and one channel"


def test_memory_stays_bounded(tmp_path: Path) -> None:
    """Ten times the bytes of a long table suffice to read it, and a step of a second over a century is refused at once."""
    text = table([(at, at % 97 / 7) for at in range(20_000)], "t,x").encode()
    tracemalloc.start()
    found = series.read(text, "x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found.steps == 20_000
    assert peak < 20 * len(text)
