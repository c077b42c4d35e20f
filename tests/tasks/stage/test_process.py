import os
import sys
import threading
import time
from pathlib import Path

import pytest

from aigc_models.errors import AigcError, BadInput
from tasks.stage.execution import Execution
from tasks.stage.process import Died, run_in_process, threads_of
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

HERE = str(Path(__file__).parent)


@pytest.fixture
def toys(monkeypatch, tmp_path):
    """The toy stages, importable here and in the children."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", HERE + os.pathsep + os.environ.get("PYTHONPATH", ""))
    import toy_stages

    workspace = Workspace(tmp_path).create()
    context = StageContext(tmp_path, workspace)
    made = toy_stages.make.plain(toy_stages.Toy(), context=context)
    yield toy_stages, made, context, Execution(workspace, cores=2)
    sys.modules.pop("toy_stages", None)


def test_the_result_the_figures_and_the_progress_come_back(toys):
    module, made, context, execution = toys
    seen = []
    context.on_progress = lambda step, total, **figures: seen.append((step, total, figures))
    result, began, ended = run_in_process(module.work.plain, {"made": made, "toy": module.Toy(name="!")}, context, execution)
    assert result.path(context.workspace).read_text() == "toy!"
    assert result.intact(context.workspace)
    assert seen[-1] == (2, 2, {"loss": 0.25})
    assert context.figures["threads"] == 1
    assert context.figures["pid"] != os.getpid()
    assert 0 <= ended - began < 60


def test_bad_input_in_the_child_is_bad_input_here(toys):
    module, made, context, execution = toys
    with pytest.raises(BadInput, match="the toy is broken; mend it"):
        run_in_process(module.work.plain, {"made": made, "toy": module.Toy(ending="bad input")}, context, execution)


def test_a_fault_in_the_child_leaves_its_traceback_in_the_folder(toys):
    module, made, context, execution = toys
    with pytest.raises(AigcError, match=r"KeyError.*error\.log"):
        run_in_process(module.work.plain, {"made": made, "toy": module.Toy(ending="fault")}, context, execution)
    assert "KeyError" in (context.folder / "error.log").read_text()


def test_a_killed_child_is_said_to_be_killed(toys):
    module, made, context, execution = toys
    with pytest.raises(Died, match="signal 9"):
        run_in_process(module.work.plain, {"made": made, "toy": module.Toy(ending="killed")}, context, execution)


def test_a_child_that_is_told_to_stop_saves_first(toys):
    module, made, context, execution = toys
    context.on_progress = lambda *args, **figures: execution.stopping.set()
    with pytest.raises(AigcError):
        run_in_process(module.work.plain, {"made": made, "toy": module.Toy(seconds=30)}, context, execution)
    assert (context.folder / "saved.tmp").exists()


def test_no_more_children_than_cores_at_once(toys):
    _, _, _, execution = toys
    running, most = [0], [0]

    def hold() -> None:
        with execution.holding_cores(1):
            running[0] += 1
            most[0] = max(most[0], running[0])
            time.sleep(0.05)
            running[0] -= 1

    threads = [threading.Thread(target=hold) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most[0] == 2


@pytest.mark.parametrize(("asked", "given"), [(0, 4), (1, 1), (9, 4)])
def test_threads_are_what_the_settings_ask_for_or_all(toys, asked, given):
    assert threads_of({"toy": toys[0].Toy(threads=asked)}, 4) == given


def test_a_folder_that_the_child_cannot_write_is_bad_input(toys):
    module, made, context, execution = toys
    context.folder = context.folder / "away"
    context.folder.write_text("")
    with pytest.raises(BadInput, match=r"cannot write to .*away: (Not a directory|File exists); change its rights"):
        run_in_process(module.work.plain, {"made": made, "toy": module.Toy()}, context, execution)
