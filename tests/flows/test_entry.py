import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from prefect.client.orchestration import get_client
from pydantic import BaseModel, ConfigDict, Field

from aigc_models.errors import BadInput
from flows import entry as entries
from flows.entry import Logbook, close_never_started, entry, skip_missed, typed
from flows.flow import flow
from tasks.stage.execution import Execution, Planned, executing, under_way
from tasks.stage.settings import Workspace


class Wish(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str = "x"
    count: int = Field(1, ge=1)


def grant(wish: Wish, times: int = 2) -> str:
    return f"{type(wish).__name__} {wish.count * times}"


@pytest.fixture
def silent(tmp_path):
    with executing(Execution(Workspace(tmp_path))) as execution:
        yield execution


def test_what_the_page_sends_arrives_as_our_types():
    assert typed(grant, ({"count": "3"},), {}).arguments == {"wish": Wish(count=3)}
    assert typed(grant, (), {"wish": Wish(), "times": "4"}).arguments == {"wish": Wish(), "times": 4}


@pytest.mark.parametrize(
    ("wish", "expected"),
    [({"cuont": 3}, "grant: wish: unknown field 'cuont'; did you mean 'count'"), ({"count": 0}, "grant: wish: count")],
)
def test_what_does_not_fit_is_named(wish, expected):
    with pytest.raises(BadInput, match=expected):
        typed(grant, (wish,), {})


def test_what_is_only_planned_is_left_alone():
    assert isinstance(typed(grant, (Planned("clean"),), {}).arguments["wish"], Planned)


def test_inside_a_command_it_adds_nothing_but_the_check(silent, monkeypatch):
    monkeypatch.setattr(entries, "_begun", lambda stack: pytest.fail("there is an execution already"))
    assert entry(grant)({"count": 2}) == "Wish 4"


def test_without_a_command_the_flow_has_an_owner_a_log_and_a_guardian(workspace, monkeypatch):
    monkeypatch.setattr("tasks.stage.execution._current", [])
    monkeypatch.setenv("AIGC_WORKSPACE", str(workspace.root))

    @flow
    @entry
    def alone(wish: Wish) -> str:
        execution = Execution.current()
        assert under_way()
        assert isinstance(execution.observer, Logbook)
        assert execution.workspace == workspace
        return execution.owner

    with get_client(sync_client=True) as client:
        before = {run.id for run in client.read_flow_runs(limit=200)}  # the owner is this process, which may have run flows
        owner = alone({"count": 2})
        (run,) = [run for run in client.read_flow_runs(limit=200) if run.id not in before]
    assert f"aigc.owner:{owner}" in run.tags
    assert run.state.name == "Completed"
    assert entries._guardians[-1].poll() is None


class Server:
    """Runs of one deployment that wait, and what is said of them."""

    def __init__(self, *runs):
        self.runs, self.states = runs, {}

    def read_flow_runs(self, flow_run_filter, limit, offset):
        return self.runs[offset : offset + limit]

    def set_flow_run_state(self, run_id, state, force):
        self.states[run_id] = state.name


def run(auto_scheduled=True, **parameters):
    return SimpleNamespace(id=uuid4(), name="run", deployment_id=uuid4(), auto_scheduled=auto_scheduled, parameters=parameters)


def test_a_scheduled_run_stands_for_those_that_were_missed(silent):
    missed, asked_for, other = run(name="a"), run(auto_scheduled=False, name="a"), run(name="b")
    server = Server(missed, asked_for, other)
    skip_missed(server, run(name="a"), silent)
    assert server.states == {missed.id: "Skipped"}


def test_a_run_that_somebody_asked_for_skips_nothing(silent):
    server = Server(run(name="a"))
    skip_missed(server, run(auto_scheduled=False, name="a"), silent)
    assert server.states == {}


def taken(minutes, *tags):
    state = SimpleNamespace(timestamp=datetime.now(UTC) - timedelta(minutes=minutes))
    return SimpleNamespace(id=uuid4(), tags=tags, state=state)


def test_a_run_that_its_worker_took_and_never_began_is_closed():
    lost, young, begun, mine = taken(20), taken(1), taken(20, "aigc.owner:w-1-a"), run()
    server = Server(lost, young, begun, mine)
    mine.tags, mine.state = (), lost.state
    assert close_never_started(server, mine) == 1
    assert server.states == {lost.id: "Crashed"}


def test_the_log_of_a_run_is_not_flooded(caplog):
    book = Logbook(logging.getLogger("book"), every=3600)
    with caplog.at_level(logging.INFO):
        book.stage_started("finetune gan")
        for step in range(100):
            book.progress("finetune gan", step, 100, {"loss": 0.5})
        book.stage_finished("finetune gan", 1.25, cached=False)
        book.stage_finished("encode", 0.0, cached=True)
        book.stage_failed("evaluate", "no items")
    assert caplog.messages == [
        "finetune gan begins",
        "finetune gan: done in 1.2 s",
        "encode: cached",
        "evaluate failed: no items",
    ]
