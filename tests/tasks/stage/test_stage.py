from pathlib import Path

import pytest

from tasks.stage.execution import Execution, Planned, executing
from tasks.stage.references import RawRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import key_of, stage
from tasks.train.members import MemberSettings


@pytest.fixture
def toys(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import toy_stages

    return toy_stages


def test_the_key_changes_with_the_settings_and_not_with_the_place(toys):
    one, other = (RawRef(outputs=(path,), sha256="d", dataset="x", modality="text", rows=1) for path in ("a", "b"))
    first = toys.work.key({"made": one, "toy": toys.Toy()})
    assert toys.work.key({"made": other, "toy": toys.Toy()}) == first
    assert toys.work.key({"made": one, "toy": toys.Toy(name="else")}) != first
    assert toys.work.key({"made": one.model_copy(update={"sha256": "e"}), "toy": toys.Toy()}) != first


def test_the_key_counts_the_fingerprint_of_a_source(toys):
    state = ["before"]
    watching = stage(toys.make.plain, fingerprint=lambda toy: state[0])
    first = watching.key({"toy": toys.Toy()})
    state[0] = "after"
    assert watching.key({"toy": toys.Toy()}) != first


def test_settings_count_with_every_field():
    assert key_of(MemberSettings(family="gan", share=2.0)) != key_of(MemberSettings(family="gan"))


def test_threads_are_in_the_name_of_what_depends_on_them_as_many_as_there_are(toys, tmp_path):
    made = RawRef(outputs=("a",), sha256="d", dataset="x", modality="text", rows=1)

    def keys(threads: int, cores: int) -> tuple[str, str]:
        with executing(Execution(Workspace(tmp_path), cores=cores)):
            toy = toys.Toy(threads=threads)
            return toys.make.key({"toy": toy}), toys.work.key({"made": made, "toy": toy})

    two, one, many = keys(2, 2), keys(1, 2), keys(8, 2)
    assert two[0] == one[0] == many[0], "it works in the command's own process, with one thread"
    assert two[1] != one[1]
    assert two[1] == many[1], "no more than there are cores"
    assert keys(0, 2)[1] != keys(0, 1)[1], "none named: all cores"


def test_a_label_says_stage_and_member(toys):
    assert toys.make.label({"toy": toys.Toy(name="gan")}) == "make gan"


def test_a_plan_runs_nothing_and_passes_on_that_an_input_is_missing(toys, tmp_path):
    with executing(Execution(Workspace(tmp_path), planning=True)) as execution:
        made = toys.make(toys.Toy())
        joined = toys.join([made])
    assert isinstance(joined, Planned)
    assert [(timing.name, timing.cached) for timing in execution.timings] == [("make toy", False), ("join", False)]
    assert "made first" in execution.timings[1].reason
    assert not list(tmp_path.iterdir()), "a plan writes nothing"
