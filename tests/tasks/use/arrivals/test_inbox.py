import os

import pytest

from aigc_models.errors import BadInput
from tasks.use.arrivals.inbox import Inbox, open_for_writing


class Clock:
    """Starts long after the files of a test were made."""

    def __init__(self):
        import time

        self.now = time.time() + 1000

    def __call__(self):
        return self.now


def names(inbox):
    return [arrival.name for arrival in inbox.ready()]


def put(folder, name, text="x", age=None, clock=None):
    path = folder / name
    path.write_text(text)
    if age is not None:
        os.utime(path, (clock.now - age, clock.now - age))
    return path


def test_each_file_is_ready_once_the_oldest_first(tmp_path):
    inbox = Inbox(tmp_path, 2.0, Clock())
    for name in ("b.txt", "a.txt"):
        put(tmp_path, name)
    assert names(inbox) == ["b.txt", "a.txt"]
    assert names(inbox) == []


def test_a_file_that_still_changes_waits_until_it_rests(tmp_path):
    clock = Clock()
    inbox = Inbox(tmp_path, 2.0, clock)
    put(tmp_path, "a.txt", "x", 0.5, clock)
    assert (names(inbox), inbox.waiting) == ([], 1)
    clock.now += 2
    put(tmp_path, "a.txt", "xy", 0.1, clock)
    assert (names(inbox), inbox.waiting) == ([], 1)
    clock.now += 2
    assert (names(inbox), inbox.waiting) == (["a.txt"], 0)


def test_a_file_from_a_clock_that_runs_ahead_is_ready_when_it_stays_as_it_is(tmp_path):
    clock = Clock()
    inbox = Inbox(tmp_path, 2.0, clock)
    put(tmp_path, "a.txt", "x", -3600, clock)
    assert names(inbox) == []
    assert names(inbox) == ["a.txt"]


def test_a_file_that_is_open_for_writing_waits(tmp_path):
    inbox = Inbox(tmp_path, 2.0, Clock())
    with put(tmp_path, "a.txt").open("a"):
        if not open_for_writing(tmp_path / "a.txt"):
            pytest.fail("this system does not tell who writes")
        assert (names(inbox), inbox.waiting) == ([], 1)
    assert names(inbox) == ["a.txt"]


def test_unfinished_and_hidden_files_folders_and_pipes_are_left_alone(tmp_path):
    inbox = Inbox(tmp_path, 2.0, Clock())
    for name in ("a.txt.tmp", "b.part", ".hidden.txt", "d.txt~", "E.TMP"):
        put(tmp_path, name)
    (tmp_path / "folder.txt").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    (tmp_path / "link.txt").symlink_to(tmp_path / "nowhere")
    assert (names(inbox), inbox.waiting) == ([], 0)
    (tmp_path / "a.txt.tmp").rename(tmp_path / "a.txt")
    assert names(inbox) == ["a.txt"]


def test_what_was_known_before_is_not_read_again_and_what_changed_is(tmp_path):
    path = put(tmp_path, "a.txt")
    inbox = Inbox(tmp_path, 2.0, Clock())
    inbox.mark_handled("a.txt", (path.stat().st_size, path.stat().st_mtime_ns))
    assert names(inbox) == []
    path.write_text("more")
    assert names(inbox) == ["a.txt"]


def test_a_folder_that_is_gone_is_said(tmp_path):
    with pytest.raises(BadInput, match="no such folder"):
        Inbox(tmp_path / "gone", 2.0).ready()
