import json

from tasks.stage.execution import Execution, Planned, Timing
from tasks.stage.references import Reference, encode
from tasks.stage.settings import Workspace


def test_work_is_the_time_in_which_at_least_one_stage_worked(tmp_path):
    execution = Execution(Workspace(tmp_path))
    execution.timings = [
        Timing("a", began=0.0, ended=4.0),
        Timing("b", began=2.0, ended=6.0),
        Timing("c", began=10.0, ended=11.0),
    ]
    execution.timings[0] = Timing("a", began=0.5, ended=4.0)
    assert execution.work_seconds() == 6.5


def test_a_record_is_trusted_only_while_its_output_is_intact(tmp_path):
    workspace = Workspace(tmp_path).create()
    execution = Execution(workspace)
    (tmp_path / "out").write_text("x")
    reference = Reference.to(workspace, tmp_path / "out")
    execution.results.mkdir(parents=True)
    record = execution.results / "key"
    record.write_text(json.dumps({"result": json.dumps(encode(reference))}))
    assert execution.recorded("key") == reference
    (tmp_path / "out").write_text("y")
    assert execution.recorded("key") is None
    assert not record.exists(), "so that Prefect does not trust it either"


def test_a_record_that_was_cut_short_counts_as_none(tmp_path):
    execution = Execution(Workspace(tmp_path).create())
    execution.results.mkdir(parents=True)
    (execution.results / "key").write_text('{"result": "{')
    assert execution.recorded("key") is None


def test_any_field_of_a_planned_output_is_planned():
    assert Planned("fit").anything.more == Planned("fit")
