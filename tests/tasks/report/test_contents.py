import json
import math

import pytest
from pydantic import ValidationError

from tasks.report.contents import DatasetReport, Metric, Report, RunResult, SeveralResults

FIXED = {
    "run", "preset", "started", "seconds", "overhead_seconds", "dataset", "stages", "members", "ensemble", "metrics",
    "gates", "promotion", "samples", "versions",
}  # fmt: skip


def test_one_dataset_is_the_fixed_object_itself(report: Report, digits: DatasetReport) -> None:
    alone = report.model_copy(update={"datasets": (digits,)})
    written = json.loads(alone.results().model_dump_json())
    assert set(written) == FIXED
    assert set(written["dataset"]) == {"name", "modality", "version", "rows", "quarantined", "duplicates", "splits"}
    assert set(written["stages"][0]) == {"name", "seconds", "cached"}
    assert set(written["members"][0]) == {"name", "family", "params", "metrics"}
    assert set(written["ensemble"]) == {"method", "weights", "metrics"}
    assert set(written["metrics"]["frechet_distance"]) == {
        "value", "low", "high", "baseline", "best_member", "split", "unit", "better",
    }  # fmt: skip
    assert set(written["gates"][0]) == {"name", "passed", "value", "limit"}
    assert set(written["promotion"]) == {"decision", "model", "version", "alias"}


def test_several_datasets_stand_in_runs(report: Report) -> None:
    written = json.loads(report.results().model_dump_json())
    assert set(written) == {"run", "preset", "started", "seconds", "overhead_seconds", "runs", "versions"}
    assert [set(run) for run in written["runs"]] == [FIXED, FIXED]


def test_what_is_written_can_be_read_again(report: Report) -> None:
    assert SeveralResults.model_validate_json(report.results().model_dump_json()) == report.results()


def test_an_unknown_field_is_refused(digits: DatasetReport) -> None:
    with pytest.raises(ValidationError, match="reason"):
        RunResult.model_validate({**digits.result.model_dump(), "reason": "not in the fixed form"})


def test_what_could_not_be_measured_is_null(digits: DatasetReport) -> None:
    found = digits.result.metrics["frechet_distance"].model_dump() | {"value": math.nan, "low": -math.inf}
    written = json.loads(Metric.model_validate(found).model_dump_json())
    assert (written["value"], written["low"], written["baseline"]) == (None, None, 1.57)
