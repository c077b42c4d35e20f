"""Several movers of one alias: threads and processes with a lock folder each, as machines that share one database have."""

import os
import subprocess
import sys
import threading

import pytest

from aigc_models.errors import BadInput
from tasks.judge.gates import Gate
from tasks.registry import move as moves
from tasks.registry.approve import waiting
from tasks.registry.history import history
from tasks.registry.move import DONE, Overtaken, move
from tasks.registry.promote import PromotionSettings, promote, promote_version, rollback
from tasks.registry.register import aliases_of
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.stage.tracking import client


@pytest.fixture
def elsewhere(registrar, tmp_path, monkeypatch):
    """Another machine: a workspace, so locks, of its own; the same database."""
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{registrar.workspace.database}")
    return Workspace(tmp_path).create()


def named(registrar, name, count):
    for number in range(1, count + 1):
        registrar.register(name, number, loss=0.5)


def agree(registrar, name):
    """The ledger is a chain without a gap, and its end is where the alias is."""
    moved = [entry for entry in history(registrar.workspace, name) if entry.action in {"promoted", "rolled_back"}]
    assert [entry.from_version for entry in moved[1:]] == [entry.to_version for entry in moved[:-1]]
    aliases = aliases_of(client(registrar.workspace), name)
    assert aliases["champion"] == moved[-1].to_version
    assert aliases.get("previous") == moved[-1].from_version
    return moved


def test_a_rollback_that_comes_between_wins_and_the_promotion_says_so(registrar, elsewhere, monkeypatch):
    named(registrar, "between", 3)
    for number in (1, 2):
        promote_version(registrar.workspace, "between", number)
    before = moves.new_entry

    def slow(*arguments):
        monkeypatch.setattr(moves, "new_entry", before)
        monkeypatch.setenv("AIGC_USER", "ada")
        rollback(elsewhere, "between", "complaints")
        return before(*arguments)

    monkeypatch.setattr(moves, "new_entry", slow)
    with pytest.raises(Overtaken, match=r"version 2 was champion.*ada made version 1 champion.*rolled_back: complaints"):
        promote_version(registrar.workspace, "between", 3)
    assert [entry.to_version for entry in agree(registrar, "between")] == [1, 2, 1]


def test_a_decision_does_not_hold_against_another_champion_than_the_measured_one(registrar, elsewhere):
    named(registrar, "judged", 2)
    promote_version(elsewhere, "judged", 1)
    promote_version(elsewhere, "judged", 2)
    challenger = registrar.register("judged", 3, champion=(1, 0.5), loss=0.4)
    settings = PromotionSettings(gates=(Gate(metric="loss", reference="champion"),))
    context = StageContext(registrar.workspace.outputs, registrar.workspace)
    decision = promote.plain(challenger, registrar.evaluations["judged"], settings, context=context)
    assert decision.decision == "awaiting_approval"
    assert "version 1 was champion of judged" in decision.reason
    assert waiting(registrar.workspace, "judged") == 3
    assert [entry.to_version for entry in agree(registrar, "judged")] == [1, 2]


def test_a_move_whose_process_was_killed_is_finished_by_the_next(registrar, monkeypatch):
    named(registrar, "cut", 3)
    promote_version(registrar.workspace, "cut", 1)
    settle, calls = moves.settle, []

    def cut_short(*arguments):
        """Its second call, after the move was won, does nothing."""
        calls.append(arguments)
        return None if len(calls) == 2 else settle(*arguments)

    with monkeypatch.context() as killed:
        killed.setattr(moves, "settle", cut_short)
        move(client(registrar.workspace), "cut", "promoted", 1, 2, "cut short")
    assert aliases_of(client(registrar.workspace), "cut")["champion"] == 1
    with pytest.raises(Overtaken):
        promote_version(registrar.workspace, "cut", 3, "judged", 1)
    assert [entry.to_version for entry in agree(registrar, "cut")] == [1, 2]


def test_an_alias_that_was_set_by_hand_is_the_champion(registrar):
    named(registrar, "byhand", 3)
    promote_version(registrar.workspace, "byhand", 1)
    client(registrar.workspace).set_registered_model_alias("byhand", "champion", "2")
    with pytest.raises(Overtaken, match="version 2 is, by hand in MLflow"):
        promote_version(registrar.workspace, "byhand", 3, "judged", 1)
    entry = promote_version(registrar.workspace, "byhand", 3)
    assert (entry.from_version, entry.to_version) == (2, 3)


def test_the_moves_outlast_the_deletion_of_the_run_that_holds_them(registrar):
    named(registrar, "deleted", 2)
    store = client(registrar.workspace)
    promote_version(registrar.workspace, "deleted", 1)
    for number in (1, 2):
        store.delete_run(store.get_model_version("deleted", str(number)).run_id)
        if number == 1:
            promote_version(registrar.workspace, "deleted", 2)
            agree(registrar, "deleted")
    with pytest.raises(BadInput, match="runs of all its versions were deleted"):
        rollback(registrar.workspace, "deleted")


def test_threads_that_move_at_once_leave_a_whole_chain(registrar, elsewhere):
    named(registrar, "threads", 4)
    promote_version(registrar.workspace, "threads", 1)
    promote_version(registrar.workspace, "threads", 2)
    won, lost, wrong = [], [], []

    def mover(workspace, action):
        for _ in range(6):
            try:
                won.append(action(workspace))
            except Overtaken as error:
                lost.append(str(error))
            except Exception as error:
                wrong.append(error)

    actions = [
        lambda workspace: rollback(workspace, "threads"),
        lambda workspace: promote_version(workspace, "threads", 3),
        lambda workspace: promote_version(workspace, "threads", 4),
    ]
    places = [registrar.workspace, elsewhere, registrar.workspace]
    movers = [threading.Thread(target=mover, args=pair) for pair in zip(places, actions, strict=True)]
    [thread.start() for thread in movers]
    [thread.join() for thread in movers]
    assert not wrong
    assert len(won) + len(lost) == 18
    assert len(agree(registrar, "threads")) == 2 + sum("already" not in entry.reason for entry in won)


RACE = """
import sys
from pathlib import Path
from tasks.registry.move import Overtaken
from tasks.registry.promote import promote_version, rollback
from tasks.stage.settings import Workspace
workspace, lost = Workspace(Path(sys.argv[1])).create(), 0
print("ready", flush=True)
sys.stdin.readline()
for _ in range(15):
    try:
        rollback(workspace, "race") if sys.argv[2] == "back" else promote_version(workspace, "race", sys.argv[2])
    except Overtaken:
        lost += 1
print(lost)
"""


@pytest.mark.slow
def test_processes_that_move_at_once_leave_a_whole_chain(registrar, tmp_path):
    named(registrar, "race", 3)
    for number in (1, 2):
        promote_version(registrar.workspace, "race", number)
    env = {**os.environ, "MLFLOW_TRACKING_URI": f"sqlite:///{registrar.workspace.database}", "PYTHONPATH": os.getcwd()}
    command = [sys.executable, "-c", RACE]
    both = []
    for what in ("back", "3"):
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "env": env}
        both.append(subprocess.Popen([*command, str(tmp_path / what), what], **pipes))
    assert [process.stdout.readline() for process in both] == ["ready\n"] * 2
    for process in both:
        process.stdin.write("go\n")
        process.stdin.flush()
    lost = [int(process.communicate(timeout=300)[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    agree(registrar, "race")
    assert min(lost) < 15
    assert DONE in client(registrar.workspace).get_registered_model("race").tags
