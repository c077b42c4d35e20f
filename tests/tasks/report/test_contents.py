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
    document = json.loads(alone.results().model_dump_json())
    assert set(document) == FIXED
    assert set(document["dataset"]) == {"name", "modality", "version", "rows", "quarantined", "duplicates", "splits"}
    assert set(document["stages"][0]) == {"name", "seconds", "cached"}
    assert set(document["members"][0]) == {"name", "family", "params", "metrics"}
    assert set(document["ensemble"]) == {"method", "weights", "metrics"}
    assert set(document["metrics"]["frechet_distance"]) == {
        "value", "low", "high", "baseline", "best_member", "split", "unit", "better",
    }  # fmt: skip
    assert {"name", "passed", "value", "limit"} < set(document["gates"][0])
    assert set(document["promotion"]) == {"decision", "model", "version", "alias"}


def test_several_datasets_stand_in_runs(report: Report) -> None:
    document = json.loads(report.results().model_dump_json())
    assert set(document) == {"run", "preset", "started", "seconds", "overhead_seconds", "runs", "versions"}
    assert [set(run) for run in document["runs"]] == [FIXED, FIXED]


def test_what_is_written_can_be_read_again(report: Report) -> None:
    assert SeveralResults.model_validate_json(report.results().model_dump_json()) == report.results()


def test_an_unknown_field_is_refused(digits: DatasetReport) -> None:
    with pytest.raises(ValidationError, match="reason"):
        RunResult.model_validate({**digits.result.model_dump(), "reason": "not in the fixed form"})


def test_what_could_not_be_measured_is_null(digits: DatasetReport) -> None:
    fields = digits.result.metrics["frechet_distance"].model_dump() | {"value": math.nan, "low": -math.inf}
    document = json.loads(Metric.model_validate(fields).model_dump_json())
    assert (document["value"], document["low"], document["baseline"]) == (None, None, 1.57)
