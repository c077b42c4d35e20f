from __future__ import annotations

import os
import signal
import time
from contextlib import closing

import pyarrow
import pytest

from aigc_models.errors import AigcError, BadInput
from tasks.stage.workers import Crashed, Workers, in_order

DOUBLING = """
import os, signal
from aigc_models.errors import BadInput

def doubling(factor):
    def double(table):
        values = table["n"].to_pylist()
        print("what libraries print does no harm")
        if -1 in values: raise BadInput("a number is below nought")
        if -2 in values: raise KeyError("a mistake")
        if -3 in values: os.kill(os.getpid(), signal.SIGSEGV)
        return [table.set_column(0, "n", [[factor * value for value in values]]), table.slice(0, 0)]
    return double
"""


@pytest.fixture(scope="module")
def workers(tmp_path_factory):
    folder = tmp_path_factory.mktemp("code")
    (folder / "doubling_code.py").write_text(DOUBLING)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", f"{folder}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        with Workers("doubling_code:doubling", [2], 2) as made:
            yield made


def numbers(*values: int) -> pyarrow.Table:
    return pyarrow.table({"n": list(values)})


def test_results_come_in_order(workers) -> None:
    with closing(in_order(workers, (numbers(at, at + 1) for at in range(40)), 2)) as made:
        rows = [(one["n"].to_pylist(), other.num_rows) for one, other in made]
    assert rows == [([2 * at, 2 * at + 2], 0) for at in range(40)]


def test_what_a_function_raises_comes_back(workers) -> None:
    with pytest.raises(BadInput, match="a number is below nought"):
        workers(numbers(-1))
    with pytest.raises(AigcError, match="KeyError: 'a mistake'"):
        workers(numbers(-2))


def test_a_worker_that_died_is_told_and_replaced(workers) -> None:
    with pytest.raises(Crashed, match="signal 11") as crash:
        workers(numbers(-3))
    assert crash.value.signal == signal.SIGSEGV
    assert [workers(numbers(at))[0]["n"].to_pylist() for at in range(4)] == [[0], [2], [4], [6]]


def test_a_worker_ends_when_its_stdin_does(workers) -> None:
    child = workers.idle.get()
    child.stdin.close()
    assert child.wait(10) == 0
    workers._start()


def test_no_more_is_taken_than_keeps_them_busy() -> None:
    taken = []
    with closing(in_order(lambda one: one, (taken.append(at) or at for at in range(1000)), 2)) as made:
        assert next(made) == 0
        time.sleep(0.01)
        assert len(taken) < 40
