import gc
import os
import subprocess
import sys
import textwrap
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from tasks.stage import forks
from tasks.stage.execution import Execution
from tasks.stage.process import Died, run_in_process
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

HERE = str(Path(__file__).parent)


def handles() -> bool:
    """Whether this system has handles of processes; where it has none a stage has a fresh interpreter."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError):
        return False
    return True


elsewhere = pytest.mark.skipif(not handles(), reason="this system has no handles of processes")
pytestmark = [elsewhere, pytest.mark.slow]


@pytest.fixture
def probes(monkeypatch):
    """The stages that tell, importable here and in the children."""
    monkeypatch.syspath_prepend(HERE)
    monkeypatch.setenv("PYTHONPATH", HERE + os.pathsep + os.environ.get("PYTHONPATH", ""))
    import probe_stages

    yield probe_stages
    sys.modules.pop("probe_stages", None)


@pytest.fixture
def run(tmp_path):
    """A stage's result, in a folder of its own, on so many cores."""

    def run(stage, *args, cores=1, on_progress=None):
        folder = tmp_path / f"{stage.name}-{threading.get_ident()}"
        folder.mkdir(exist_ok=True)
        context = StageContext(folder, Workspace(tmp_path).create())
        context.on_progress = on_progress or context.on_progress
        return run_in_process(stage.plain, stage.arguments(args, {}), context, Execution(context.workspace, cores=cores))[0]

    return run


@pytest.fixture
def no_server(monkeypatch):
    """Stages fall back on fresh interpreters."""

    def refuse():
        raise OSError("no server here")

    return lambda: monkeypatch.setattr(forks, "server", refuse)


def test_a_stage_is_a_fork_of_the_one_server_in_a_session_of_its_own(probes, run):
    parent, child, session = run(probes.tell, "[os.getppid(), os.getpid(), os.getsid(0)]")
    assert parent == forks.server().process.pid
    assert child == session
    assert run(probes.tell, "os.getppid()") == parent


def least_open(server: psutil.Process) -> int:
    """The fewest files that it has open within half a second: it buries a child a moment after its parent knows of the end."""
    counts = []
    for _ in range(25):
        counts.append(server.num_fds())
        time.sleep(0.02)
    return min(counts)


def test_the_server_has_one_thread_no_open_line_and_no_code_of_the_project(probes, run):
    loaded = "sorted(name for name in sys.modules if name.split('.')[0] in ('tasks', 'aigc_models', 'flows'))"
    command = f"import runpy; runpy.run_path({forks.__file__!r}, run_name='server'); import sys; print({loaded})"
    assert subprocess.run([sys.executable, "-P", "-c", command], capture_output=True, text=True, check=True).stdout == "[]\n"
    run(probes.tell, "0")
    server = psutil.Process(forks.server().process.pid)
    before = least_open(server)
    assert "torch" in run(probes.tell, "[name for name in ('torch',) if name in sys.modules]")
    assert not run(probes.tell, "sys.modules['torch'].cuda.is_initialized() or sys.modules['torch'].cuda._is_in_bad_fork()")
    assert len(os.listdir(f"/proc/{server.pid}/task")) == 1
    assert least_open(server) == before


def test_a_child_sees_what_its_parent_is_now(probes, run, monkeypatch, tmp_path, capfd):
    run(probes.tell, "0")
    monkeypatch.setenv("SAID", "now \udcff")
    monkeypatch.delenv("PYTHONPATH")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "more")
    assert run(probes.tell, "os.environ.get('SAID')") == "now \udcff"
    assert run(probes.tell, "dict(os.environ)") == forks.environment(1)
    assert run(probes.tell, "os.getcwd()") == str(tmp_path)
    assert run(probes.tell, "sys.path")[0] == str(tmp_path / "more")
    run(probes.tell, "print('heard', file=sys.stderr)")
    run(probes.tell, "os.system('echo $OMP_NUM_THREADS threads >&2')")
    assert {"heard", "1 threads"} <= set(capfd.readouterr().err.splitlines())


def test_a_module_that_was_edited_between_two_stages_is_read_anew(run, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    text = "from tasks.stage.stage import stage\n@stage(process=True)\ndef edited(context) -> int:\n    return {}\n"
    file = tmp_path / "edited_stages.py"
    file.write_text(text.format(1))
    import edited_stages

    assert run(edited_stages.edited) == 1
    file.write_text(text.format(22))
    assert run(edited_stages.edited) == 22
    sys.modules.pop("edited_stages")


@pytest.fixture
def all_cores(monkeypatch):
    """Those of the machine: NumPy's own threads are no more than the cores that a process may use when it is loaded."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    os.sched_setaffinity(0, range(os.cpu_count()))
    monkeypatch.setattr(forks, "_servers", {})
    yield
    os.sched_setaffinity(0, allowed)


@pytest.mark.parametrize("cores", [1, 2])
def test_the_same_bits_as_in_a_fresh_interpreter(cores, probes, run, no_server, all_cores):
    forked = run(probes.compute, cores=cores)
    no_server()
    assert run(probes.compute, cores=cores) == forked


def test_no_two_children_draw_the_same_by_chance(probes, run):
    draws = "[random.random(), sys.modules['numpy'].random.rand(), sys.modules['torch'].rand(()).item()]"
    assert len({*run(probes.tell, draws), *run(probes.tell, draws)}) == 6


def test_other_settings_of_native_libraries_take_another_server(probes, run, monkeypatch):
    first = run(probes.tell, "os.getppid()")
    monkeypatch.setenv("OMP_MAX_ACTIVE_LEVELS", "1")
    other = run(probes.tell, "os.getppid()")
    assert other != first
    psutil.Process(other).kill()
    monkeypatch.delenv("OMP_MAX_ACTIVE_LEVELS")
    assert run(probes.tell, "os.getppid()") == first


def test_after_the_server_was_killed_the_next_stage_has_another(probes, run):
    server = run(probes.tell, "os.getppid()")
    psutil.Process(server).kill()
    assert run(probes.tell, "os.getppid()") not in (server, os.getpid())


def test_a_child_whose_server_was_killed_is_missed_and_not_left(probes, run):
    seen = []

    def kill(step, total, **figures):
        seen.append(psutil.Process(int(figures["child"])))
        psutil.Process(int(figures["server"])).kill()
        seen[0].terminate()

    with pytest.raises(Died, match="status 255"):
        run(probes.linger, on_progress=kill)
    assert not psutil.wait_procs(seen, timeout=10)[1]


def test_where_no_server_starts_the_interpreter_is_a_fresh_one(probes, run, monkeypatch):
    monkeypatch.setattr(forks, "_servers", {})
    monkeypatch.setattr(forks, "__file__", "/nowhere/forks.py")
    assert run(probes.tell, "os.getppid()") == os.getpid()


def test_many_at_once(probes, run):
    run(probes.tell, "0")
    gc.collect()  # what earlier tests left open would else be closed in between
    before = len(os.listdir("/proc/self/fd"))
    with ThreadPoolExecutor(6) as threads:
        children = list(threads.map(lambda _: run(probes.tell, "os.getpid()"), range(24)))
    assert len(set(children)) == 24
    assert len(os.listdir("/proc/self/fd")) <= before


def test_a_killed_parent_leaves_nothing_and_its_script_is_read_once(tmp_path):
    script = tmp_path / "script.py"  # without a guard around what it does
    script.write_text(
        textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {HERE!r})
        print("read", flush=True)
        from pathlib import Path
        import probe_stages
        from tasks.stage.execution import Execution
        from tasks.stage.process import run_in_process
        from tasks.stage.settings import Workspace
        from tasks.stage.stage import StageContext

        context = StageContext(Path.cwd(), Workspace(Path.cwd()).create())
        context.on_progress = lambda step, total, **figures: print(*map(int, figures.values()), flush=True)
        run_in_process(probe_stages.linger.plain, {{}}, context, Execution(context.workspace, cores=1))
        """)
    )
    with subprocess.Popen([sys.executable, script], cwd=tmp_path, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout.readline() == "read\n"
        processes = [psutil.Process(int(number)) for number in parent.stdout.readline().split()]
        assert len(processes) == 2
        parent.kill()
        assert parent.stdout.read() == ""
    _, alive = psutil.wait_procs(processes, timeout=10)
    assert not alive
