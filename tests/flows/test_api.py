import os
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from flows.api import make_database
from tasks.stage.settings import Workspace


def tables(home):
    """What Prefect's own migrations leave, and its revision; the words of each table, since its constraints have no order."""
    upgrade = [sys.executable, "-m", "prefect", "server", "database", "upgrade", "--yes"]
    subprocess.run(upgrade, env={**os.environ, "PREFECT_HOME": str(home)}, check=True, capture_output=True)
    with closing(sqlite3.connect(home / "prefect.db")) as database:
        schema = database.execute("SELECT name, sql FROM sqlite_master")
        words = {name: sorted((sql or "").replace(",", " ").split()) for name, sql in schema}
        return words, database.execute("SELECT version_num FROM alembic_version").fetchall()


@pytest.mark.slow
def test_a_new_database_is_as_prefect_makes_it(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path / "here").create()
    home = workspace.state / "prefect"
    home.mkdir()
    monkeypatch.setenv("PREFECT_HOME", str(home))
    (home / "prefect.part").write_text("left by a process that was killed")
    make_database(workspace)
    assert tables(home) == tables(tmp_path)
    made = (home / "prefect.db").stat()
    make_database(workspace)
    assert (home / "prefect.db").stat() == made


def test_a_home_of_the_users_own_is_left_alone(tmp_path, monkeypatch):
    workspace = Workspace(tmp_path).create()
    monkeypatch.setenv("PREFECT_HOME", str(tmp_path / "home"))
    make_database(workspace)
    assert not list(tmp_path.rglob("prefect.db"))
