import time
from functools import wraps

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import TaskRunFilter, TaskRunFilterName

from aigc_models.errors import BadInput
from flows.flow import flow, tracked
from tasks.stage.stage import Stage


def chain(toys, **settings):
    """A flow over the toy stages: one made, two worked side by side, one joined."""

    @flow
    @tracked
    def chained(config):
        made = toys.make(config)
        parts = [toys.work.submit(made, toys.Toy(name=name, **settings)) for name in "ab"]
        return toys.join([part.result() for part in parts])

    return chained


@pytest.fixture
def toys(execution):
    import toy_stages

    return toy_stages


def test_a_second_run_does_nothing_and_says_cached(toys, execution):
    first = chain(toys)(toys.Toy(name="once"))
    assert first.path(execution.workspace).read_text() == "oncea+onceb"
    assert [timing.cached for timing in execution.timings] == [False] * 4
    execution.timings.clear()
    assert chain(toys)(toys.Toy(name="once")) == first
    assert [timing.cached for timing in execution.timings] == [True] * 4


def test_the_same_stage_twice_at_the_same_time_is_made_once(toys, execution):
    @flow
    def twice(toy):
        return [stage.result() for stage in [toys.make.submit(toy), toys.make.submit(toy)]]

    toy = toys.Toy(name="at once", pause=1.0)
    first, second = twice(toy)
    assert first == second
    assert (execution.workspace.stages / toys.make.key({"toy": toy}) / "calls.tmp").read_text() == "x"


def test_a_damaged_output_is_made_again_and_what_follows_is_not(toys, execution):
    first = chain(toys)(toys.Toy(name="twice"))
    made = toys.make.key({"toy": toys.Toy(name="twice")})
    (execution.workspace.stages / made / "made.txt").write_text("damaged")
    execution.timings.clear()
    assert chain(toys)(toys.Toy(name="twice")) == first
    assert {timing.name: timing.cached for timing in execution.timings} == {
        "make twice": False,
        "work a": True,
        "work b": True,
        "join": True,
    }


def test_mlflow_has_a_parent_and_a_child_for_each_stage_with_figures_and_states(toys, execution):
    chain(toys)(toys.Toy(name="tracked"))
    client, experiment = execution.tracker.client, execution.tracker.experiment_id
    (parent,) = [run for run in client.search_runs([experiment]) if run.info.run_name == "tracked"]
    children = client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent.info.run_id}'")
    assert sorted(run.info.run_name for run in children) == ["join", "make tracked", "work a", "work b"]
    assert {run.info.status for run in [parent, *children]} == {"FINISHED"}
    work = next(run for run in children if run.info.run_name == "work a")
    assert work.data.metrics["loss"] == 0.25
    assert work.data.params["toy.name"] == "a"
    assert [artifact.path for artifact in client.list_artifacts(work.info.run_id)] == ["worked.txt"]
    assert work.data.tags["prefect.flow_run_id"] == parent.data.tags["prefect.flow_run_id"] != ""


def test_an_error_of_a_stage_is_the_flows_and_both_tools_say_failed(toys, execution, monkeypatch):
    failures = []
    monkeypatch.setattr(execution.observer, "stage_failed", lambda name, reason: failures.append((name, reason)))
    with pytest.raises(BadInput, match="mend it"):
        chain(toys, ending="bad input")(toys.Toy(name="broken"))
    client, experiment = execution.tracker.client, execution.tracker.experiment_id
    runs = {run.info.run_name: run.info.status for run in client.search_runs([experiment])}
    assert runs["broken"] == "FAILED"
    assert ("work a", "the toy is broken; mend it") in failures
    with get_client(sync_client=True) as prefect:
        states = {run.state.name for run in prefect.read_flow_runs(limit=200)}
    assert "Failed" in states


def test_a_plan_of_a_finished_flow_is_all_cached(toys, execution, workspace):
    from tasks.stage.execution import Execution, executing

    chain(toys)(toys.Toy(name="planned"))
    with executing(Execution(workspace, planning=True)) as planning:
        chain(toys)(toys.Toy(name="planned"))
    assert [timing.cached for timing in planning.timings] == [True] * 4


def test_what_acts_on_the_world_acts_each_time_and_leaves_no_record(toys, execution):
    bell = execution.workspace.root / "rings.txt"

    @flow
    @tracked
    def ringing(config):
        return [toys.ring(config), toys.ring(config)]

    before = set(execution.results.glob("*"))
    assert ringing(toys.Toy(name="bell")) == [1, 2]
    assert ringing(toys.Toy(name="bell")) == [3, 4]
    assert bell.read_text() == "xxxx"
    assert set(execution.results.glob("*")) == before, "Prefect would keep a pickle"


def test_a_stage_folder_that_cannot_be_used_is_bad_input_and_what_lies_there_stays(toys, execution):
    folder = execution.workspace.stages / toys.make.key({"toy": toys.Toy(name="blocked")})
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.write_text("something of the user's")
    with pytest.raises(BadInput, match=r"cannot write to .*make-.*: File exists; change its rights, move it away"):
        chain(toys)(toys.Toy(name="blocked"))
    assert folder.read_text() == "something of the user's"


def test_a_record_of_an_older_program_is_made_anew(toys, execution):
    first = chain(toys)(toys.Toy(name="older"))
    record = execution.results / toys.make.key({"toy": toys.Toy(name="older")})
    record.write_text(record.read_text().replace("tasks.stage.references.", "tasks.references."))
    execution.timings.clear()
    assert chain(toys)(toys.Toy(name="older")) == first
    assert [timing.cached for timing in execution.timings] == [False, True, True, True]


def test_prefect_keeps_no_secret_of_an_error(toys, execution):
    password, stage = "s3cret" * 2, toys.make

    @wraps(stage.plain)
    def unanswered(toy, context):
        raise ValueError(f"no answer from http://me:{password}@mlflow.example/api?token={password}")

    @flow
    def asking(toy):
        return Stage(unanswered)(toy)

    state = asking(toys.Toy(name="secret"), return_state=True)
    assert state.is_failed()
    assert "no answer from http://mlflow.example/api?token=***" in state.message
    wanted, ended = TaskRunFilter(name=TaskRunFilterName(any_=["make secret"])), []
    with get_client(sync_client=True) as client:
        for _ in range(200):  # the server writes down what became of tasks in batches
            ended = [run.state for run in client.read_task_runs(task_run_filter=wanted) if run.state and run.state.is_failed()]
            if ended:
                break
            time.sleep(0.1)
    assert "no answer from http://mlflow.example/api?token=***" in ended[0].message
    prefect = execution.workspace.state / "prefect"
    assert not [file for file in prefect.rglob("*") if file.is_file() and password.encode() in file.read_bytes()]
