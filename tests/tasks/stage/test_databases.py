import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from aigc_models.errors import AigcError, BadInput
from tasks.stage.databases import PATIENCE, is_held, patience, wait_for

HOLDER = """
import sqlite3, sys, time
held = sqlite3.connect(sys.argv[1], isolation_level=None)
held.execute("BEGIN EXCLUSIVE")
print("held", flush=True)
time.sleep(float(sys.argv[2]))
"""


def holding(database, seconds):
    """A process that holds the database for so long."""
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(database), str(seconds)], stdout=subprocess.PIPE, text=True)
    assert holder.stdout.readline() == "held\n"
    return holder


@pytest.fixture
def database(tmp_path):
    with closing(sqlite3.connect(tmp_path / "a.db")) as made, made:
        made.execute("create table words (word)")
    return tmp_path / "a.db"


def test_a_database_that_is_free_or_not_there_is_not_waited_for(database, capsys):
    wait_for(database)
    wait_for(database.with_name("none.db"))
    assert not database.with_name("none.db").exists()
    assert capsys.readouterr().err == ""


def test_who_holds_it_for_a_while_is_waited_for_and_told(database, capsys):
    holder = holding(database, 2.5)
    wait_for(database)
    assert holder.poll() is not None or not is_held(database, 0.1)
    assert capsys.readouterr().err == f"waiting for {database}, which another process holds (60 s at most)\n"
    holder.wait()


def test_who_holds_it_for_long_is_an_error_that_says_what_to_do(database, monkeypatch):
    monkeypatch.setenv("AIGC_DATABASE_WAIT", "0.2")
    holder = holding(database, 60)
    try:
        with pytest.raises(AigcError, match=r"a\.db is held by another.*`fuser .*a\.db` says which.*AIGC_DATABASE_WAIT"):
            wait_for(database)
    finally:
        holder.kill()
        holder.wait()


def test_what_is_no_database_is_for_others_to_tell(tmp_path):
    (tmp_path / "a.db").write_text("no database, but long enough to have a header of one")
    assert not is_held(tmp_path / "a.db", 0.1)


def test_the_limit_is_the_users(monkeypatch):
    assert patience() == PATIENCE
    monkeypatch.setenv("AIGC_DATABASE_WAIT", "soon")
    with pytest.raises(BadInput, match="AIGC_DATABASE_WAIT='soon'"):
        patience()
