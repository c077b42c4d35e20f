import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from itertools import pairwise

import pytest

from aigc_models.errors import BadInput
from aigc_models.generator import Generator
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.use.arrivals.answers import Responder
from tasks.use.arrivals.journal import count
from tasks.use.follow import Followed, FollowSettings, follow, follow_into
from tasks.use.generate import identity_of

COMMAND = """
import sys, time
from pathlib import Path
from aigc_models.generator import Generator
from tasks.use import follow
from tasks.use.arrivals import answers
from tasks.use.generate import identity_of
source, inbox, out = map(Path, sys.argv[1:])
def slow(function):
    def wrapped(*arguments, **options):
        time.sleep(0.01)
        return function(*arguments, **options)
    return wrapped
answers.write, follow.synced = slow(answers.write), slow(follow.synced)
responder = answers.Responder(Generator.load(source), identity_of(source))
settings = follow.FollowSettings(model="squares", folder=inbox, out=out, every=0.05)
follow.follow_into(responder, settings, lambda *arguments, **figures: print(arguments, flush=True))
"""


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


@pytest.fixture
def run(answering, tmp_path, inbox):
    """Follow the inbox as long as `once` says, or as the options do."""

    def followed(out="out", model="squares", progress=lambda *arguments, **figures: None, stop=lambda: False, **options):
        settings = FollowSettings(model=model, folder=inbox, out=tmp_path / out, **{"every": 0.02, "once": True, **options})
        responder = Responder(Generator.load(answering[model]), identity_of(answering[model]), settings.seed)
        return follow_into(responder, settings, progress, stop)

    return followed


def journal(out):
    return [json.loads(line) for line in (out / "journal.jsonl").read_text().splitlines()]


def answers_in(out):
    files = (path for path in (out / "answers").rglob("*") if path.is_file())
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def test_what_is_there_is_answered_once(run, inbox, tmp_path):
    for name, text in {"a.txt": "dark\nlight\n", "b.jsonl": '{"count": 3}\n', "c.json": "nonsense"}.items():
        (inbox / name).write_text(text)
    followed = run()
    assert (followed.answered, followed.failed, followed.items) == (3, 1, 5)
    assert followed.latency_median >= 0
    lines = journal(tmp_path / "out")
    assert [(line["input"], line["answer"], line["ok"]) for line in lines] == [
        ("a.txt", "answers/a.txt", True),
        ("b.jsonl", "answers/b.jsonl", True),
        ("c.json", "answers/c.json", False),
    ]
    before = answers_in(tmp_path / "out")
    assert run().answered == 0
    assert answers_in(tmp_path / "out") == before
    assert journal(tmp_path / "out") == lines


def test_a_changed_file_is_answered_anew_and_a_touched_one_is_not(run, inbox, tmp_path):
    path = inbox / "a.txt"
    path.write_text("dark")
    run()
    os.utime(path, (1, 1))
    assert run().answered == 0
    path.write_text("light")
    assert run().answered == 1
    path.write_text("dark")  # the first content again: it has its answer
    assert run().answered == 0
    labels = {
        place: json.loads((tmp_path / "out" / "answers" / place / "answer.json").read_bytes()) for place in ("a.txt", "a.txt~2")
    }
    assert [manifest["rows"][0]["items"][0]["label"] for manifest in labels.values()] == ["dark", "light"]


def lose_the_last_line(out):
    path = out / "journal.jsonl"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))


def cut_the_last_line(out):
    path = out / "journal.jsonl"
    path.write_bytes(path.read_bytes()[:-9])


def lose_an_answer_before_its_rename(out):
    cut_the_last_line(out)
    (out / "answers" / "b.jsonl").rename(out / ".unfinished" / "b.jsonl")
    (out / ".unfinished" / "b.jsonl" / "answer.json").unlink()


@pytest.mark.parametrize("damage", [lose_the_last_line, cut_the_last_line, lose_an_answer_before_its_rename])
def test_after_a_kill_each_file_has_one_line_and_the_same_answer(run, inbox, tmp_path, damage):
    (inbox / "a.txt").write_text("dark")
    (inbox / "b.jsonl").write_text('{"count": 6}')
    run()
    before = answers_in(tmp_path / "out")
    (tmp_path / "out" / ".unfinished").mkdir(exist_ok=True)
    damage(tmp_path / "out")
    assert run().answered == 1
    assert answers_in(tmp_path / "out") == before
    assert [line["input"] for line in journal(tmp_path / "out")] == ["a.txt", "b.jsonl"]
    assert not (tmp_path / "out" / ".unfinished").exists() or not list((tmp_path / "out" / ".unfinished").iterdir())


def test_files_that_arrive_later_are_answered_and_idleness_ends_it(run, inbox):
    came = iter(["a.txt", "b.txt"])

    def progress(done, total, **figures):
        if name := next(came, None):
            (inbox / name).write_text("light")

    (inbox / "0.txt").write_text("dark")
    assert run(once=False, idle_exit=0.1, progress=progress).answered == 3


def test_told_to_stop_it_leaves_no_half_answer(run, inbox, tmp_path):
    (inbox / "a.jsonl").write_text('{"count": 40}')
    (inbox / "b.txt").write_text("dark")
    stops = iter([False] * 5)
    followed = run(stop=lambda: next(stops, True))
    assert (followed.answered, count(tmp_path / "out")) == (0, 0)
    assert not (tmp_path / "out" / "answers").exists()
    assert run().answered == 2


def test_it_never_looks_more_often_than_asked(run, inbox, monkeypatch):
    looks = []

    def scandir(folder, real=os.scandir):
        if folder == inbox:
            looks.append(time.monotonic())
        return real(folder)

    monkeypatch.setattr("tasks.use.arrivals.inbox.os.scandir", scandir)
    run(once=False, idle_exit=0.35, every=0.1)
    assert 3 <= len(looks) <= 5
    assert min(late - early for early, late in pairwise(looks)) >= 0.099


def test_a_file_that_cannot_be_read_is_answered_with_the_reason(run, inbox, tmp_path, monkeypatch):
    from pathlib import Path

    (inbox / "a.txt").write_text("dark")

    def refused(path, real=Path.read_bytes):
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(Path, "read_bytes", refused)
    assert (run().failed, run().answered) == (1, 0)
    manifest = json.loads((tmp_path / "out" / "answers" / "a.txt" / "answer.json").read_text())
    assert manifest["rows"][0]["error"]["message"] == "cannot be read: Permission denied"


def test_a_place_that_is_not_its_own_is_refused(run, inbox, tmp_path):
    with pytest.raises(BadInput, match="is the folder that is followed"):
        run(out="inbox")
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "one.txt").write_text("mine")
    with pytest.raises(BadInput, match="is not empty"):
        run(out="thesis")
    run()
    with pytest.raises(BadInput, match="another command"):
        run(model="tales")


def test_two_at_once_never_answer_into_one_place(run, inbox, tmp_path, monkeypatch):
    import fcntl

    monkeypatch.setattr("tasks.use.arrivals.journal.PATIENCE", 0.1)
    run()
    with (tmp_path / "out" / "journal.jsonl").open("rb") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(BadInput, match="another command answers"):
            run()


def test_stage(answering, inbox, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "tasks.registry.registry.located", lambda workspace, model: (answering["tales"], identity_of(answering["tales"]))
    )
    (inbox / "a.txt").write_text("The old")
    context = StageContext(tmp_path / "stage", Workspace(tmp_path))
    settings = FollowSettings(model="tales", folder="inbox", out="out", once=True, every=0.02)
    followed = follow.plain(settings, context=context)
    assert isinstance(followed, Followed)
    assert (context.figures["follow.answered"], followed.out) == (1, str(tmp_path / "out"))


@pytest.mark.slow
def test_killed_again_and_again_it_answers_each_file_once(answering, run, inbox, tmp_path):
    """Files keep arriving while the command is killed at moments that nobody chose."""
    command = [sys.executable, "-c", COMMAND, str(answering["squares"]), str(inbox), str(tmp_path / "out")]
    wishes = [f'{{"count": {1 + number % 5}}}\n"light"\n' for number in range(30)]
    put = 0
    for pause in (0.03, 0.23, 0.11):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for number in range(put, put + 10):
            (inbox / f"{number:02d}.jsonl.tmp").write_text(wishes[number])
            (inbox / f"{number:02d}.jsonl.tmp").rename(inbox / f"{number:02d}.jsonl")
        put += 10
        process.stdout.readline()
        time.sleep(pause)
        process.send_signal(signal.SIGKILL)
        process.wait()
    cut = count(tmp_path / "out")
    assert cut < 30
    assert run().answered == 30 - cut
    assert Counter(line["input"] for line in journal(tmp_path / "out")) == {f"{number:02d}.jsonl": 1 for number in range(30)}
    assert run("whole").answered == 30
    assert answers_in(tmp_path / "out") == answers_in(tmp_path / "whole")


def test_a_link_that_leads_out_of_the_folder_is_named_and_not_read(run, inbox, tmp_path):
    (tmp_path / "secret.txt").write_text("dark\n")
    (inbox / "a.txt").symlink_to(tmp_path / "secret.txt")
    (inbox / "b.txt").write_text("light\n")
    (inbox / "c.txt").symlink_to("b.txt")
    followed = run()
    assert (followed.answered, followed.failed, followed.items) == (3, 1, 2)
    refused = json.loads((tmp_path / "out" / "answers" / "a.txt" / "answer.json").read_text())
    assert "is a link that leads out of the folder" in refused["rows"][0]["error"]["message"]
    assert refused["sha256"] == hashlib.sha256(b"").hexdigest()
    assert run().answered == 0


@pytest.mark.parametrize("name", ["journal.jsonl", "answers", "following.json"])
def test_nothing_is_written_through_a_link(name, run, inbox, tmp_path):
    (inbox / "a.txt").write_text("dark\n")
    run()
    (tmp_path / "else").mkdir()
    planted = tmp_path / "out" / name
    shutil.rmtree(planted) if planted.is_dir() else planted.unlink()
    planted.symlink_to(tmp_path / "else" / "there")
    with pytest.raises(BadInput, match=f"{name} is a link"):
        run()
    assert not list((tmp_path / "else").iterdir())
