import subprocess
import sys

from tasks.stage.lease import leased
from tasks.stage.settings import Workspace


def test_who_comes_second_is_told_and_does_not_wait(tmp_path):
    workspace = Workspace(tmp_path)
    with leased(workspace, "digits") as first, leased(workspace, "digits") as second, leased(workspace, "letters") as other:
        assert (first, second, other) == (True, False, True)
    with leased(workspace, "digits") as again:
        assert again


def test_the_lease_ends_with_its_process(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tasks.stage.lease import leased\n"
        "from tasks.stage.settings import Workspace\n"
        f"with leased(Workspace(Path({str(tmp_path)!r})), 'digits'): print('held', flush=True); sys.stdin.read()"
    )
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == "held\n"
    with leased(Workspace(tmp_path), "digits") as free:
        assert not free
    child.kill()
    child.communicate()
    with leased(Workspace(tmp_path), "digits") as free:
        assert free
