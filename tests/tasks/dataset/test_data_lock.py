from __future__ import annotations

import threading
import time
from pathlib import Path

from tasks.dataset.data_lock import growing, writing
from tasks.stage.settings import Workspace


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    workspace, order = Workspace(tmp_path), []

    def write(name: str) -> None:
        with writing(workspace):
            order.append(name)
            time.sleep(0.05)
            order.append(name)

    threads = [threading.Thread(target=write, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(order) == 6
    assert order[::2] == order[1::2]


def test_another_data_set_grows_beside_and_may_write_meanwhile(tmp_path: Path) -> None:
    workspace, order = Workspace(tmp_path), []

    def grow(name: str) -> None:
        with growing(workspace, name), writing(workspace):
            order.append(name)

    with growing(workspace, "digits"):
        threads = {name: threading.Thread(target=grow, args=(name,)) for name in ("digits", "notes")}
        for thread in threads.values():
            thread.start()
        threads["notes"].join(5)
        assert order == ["notes"]
    threads["digits"].join(5)
    assert order == ["notes", "digits"]
