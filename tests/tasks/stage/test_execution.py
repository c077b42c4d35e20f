import json

import pytest

from aigc_models.errors import BadInput
from tasks.stage.execution import Execution, Planned, Timing
from tasks.stage.references import Reference, encode
from tasks.stage.settings import Workspace


def record_of(result, serializer="json"):
    """What Prefect writes of a result."""
    return json.dumps({"metadata": {"serializer": {"type": serializer}}, "result": json.dumps(encode(result))})


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
    record.write_text(record_of(reference))
    assert execution.recorded("key") == reference
    (tmp_path / "out").write_text("y")
    assert execution.recorded("key") is None
    assert not record.exists(), "so that Prefect does not trust it either"


MOVED = encode(Reference(outputs=(), sha256="d")) | {"__class__": "tasks.references.Reference"}
FOREIGN = {
    "cut short": '{"result": "{',
    "a class that moved": record_of(MOVED),
    "a class that went": record_of(MOVED | {"__class__": "tasks.stage.references.WentRef"}),
    "fields that went": record_of({"__class__": "tasks.stage.references.Reference", "data": {"place": "x"}}),
    "nothing": record_of(None),
    "another value": record_of(5),
    "a list": "[1, 2]",
    "no text": b"\x80\x81".decode("latin1"),
    "a pickle": record_of(Reference(outputs=(), sha256="d"), serializer="pickle"),
}


@pytest.mark.parametrize("content", FOREIGN.values(), ids=FOREIGN)
def test_a_record_that_this_program_did_not_write_so_is_removed_and_said(tmp_path, monkeypatch, content):
    execution, messages = Execution(Workspace(tmp_path).create()), []
    monkeypatch.setattr(execution.observer, "message", messages.append)
    execution.results.mkdir(parents=True)
    (execution.results / "key").write_text(content, encoding="latin1")
    assert execution.recorded("key") is None
    assert not (execution.results / "key").exists(), "Prefect would believe it"
    assert "key: its record cannot be read" in messages[0]
    assert messages[0].endswith("it runs again")


def test_what_lies_in_the_way_of_a_record_is_bad_input(tmp_path):
    execution = Execution(Workspace(tmp_path).create())
    (execution.results / "key").mkdir(parents=True)
    with pytest.raises(BadInput, match=r"cannot write to .*key: Is a directory; change its rights, move it away"):
        execution.recorded("key")


def test_any_field_of_a_planned_output_is_planned():
    assert Planned("fit").anything.more == Planned("fit")
