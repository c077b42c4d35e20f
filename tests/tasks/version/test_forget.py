from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from tasks.clean.clean import CleanSettings, clean
from tasks.dataset.forgotten import Forgotten, allow
from tasks.dataset.ledger import Version, as_line
from tasks.dataset.tables import read, shards
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest, state
from tasks.ingest.source import RawItem, SourceSettings
from tasks.split.split import SplitSettings, split
from tasks.stage.execution import Execution, executing
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.version.cache import find_version, present
from tasks.version.forget import ForgetSettings, forget, matching, purge
from tasks.version.remote import push
from tasks.version.verify import verify
from tasks.version.version import Dvc, cache_folder, version


class Letters:
    """Forty letters in a csv file, two of each customer, in a workspace."""

    def __init__(self, root: Path, texts: list[str]) -> None:
        self.workspace = Workspace(root / "workspace")
        self.workspace.root.mkdir()
        self.file = root / "letters.csv"
        lines = [f"{text},customer {at // 2}" for at, text in enumerate(texts)]
        self.file.write_text("\n".join(["text,customer", *lines]) + "\n")
        self.source = SourceSettings(name="letters", location=str(self.file), content="text", group="customer")

    def context(self, name: str) -> StageContext:
        folder = self.workspace.stages / name
        folder.mkdir(parents=True, exist_ok=True)
        return StageContext(folder=folder, workspace=self.workspace)

    def ingest(self):
        return ingest.plain(self.source, self.context("ingest"))

    def forget(self, **wanted):
        return forget.plain(ForgetSettings(name="letters", **wanted), self.context("forget"))

    def version(self, raw) -> str:
        cleaned = clean.plain(raw, CleanSettings(), self.context("clean"))
        duplicates = deduplicate.plain(cleaned, DeduplicateSettings(), self.context("deduplicate"))
        return version.plain(
            split.plain(cleaned, duplicates, SplitSettings(), self.context("split")), self.context("version")
        ).version

    def held(self, column: str = "group") -> list[str]:
        return read(shards(self.workspace.data / "letters" / "raw"), [column])[column]


@pytest.fixture
def letters(tmp_path, sentences):
    return Letters(tmp_path, sentences(80))


def test_a_group_goes_and_never_comes_back(letters):
    letters.ingest()
    before = shards(letters.workspace.data / "letters" / "raw")
    assert letters.forget(groups=["customer 3"]).rows == 78
    assert not before[0].exists()
    assert "customer 3" not in letters.held()
    assert letters.ingest().rows == 78
    with letters.file.open("a") as file:
        file.write("one more of the same customer,customer 3\none of another one,customer 4\n")
    assert letters.ingest().rows == 79
    assert len(shards(letters.workspace.data / "letters" / "raw")) == 2


def test_an_id_and_a_source(letters):
    letters.ingest()
    first = letters.held("id")[0]
    assert letters.forget(ids=[first], sources=["letters.csv#2"]).rows == 78
    assert letters.ingest().rows == 78
    assert letters.forget(ids=[first]).rows == 78  # a call that was cut is made again


def test_what_was_forgotten_and_arrives_is_said_and_has_a_way_back(letters, capsys, monkeypatch):
    monkeypatch.setenv("AIGC_WORKSPACE", str(letters.workspace.root))
    letters.ingest()
    with pytest.raises(BadInput, match="left out nothing"):
        allow(letters.workspace, "letters")
    letters.forget(groups=["customer 3"])
    assert letters.ingest().rows == 78
    assert (
        "letters: 2 items arrived that were forgotten, and were left out; `aigc data allow letters`" in capsys.readouterr().err
    )
    before = state(letters.source)
    assert allow(letters.workspace, "letters") == 3  # two items and their group
    assert state(letters.source) != before  # so that the stage is not answered from the cache
    assert letters.ingest().rows == 80
    assert letters.held().count("customer 3") == 2
    letters.forget(groups=["customer 3"])
    assert letters.ingest().rows == 78


def test_what_fits_nothing_or_all_changes_nothing(letters):
    letters.ingest()
    with pytest.raises(BadInput, match="no item of letters has group 'nobody'"):
        letters.forget(groups=["nobody"])
    with pytest.raises(BadInput, match="these are all 80 items"):
        letters.forget(ids=letters.held("id"))
    with pytest.raises(BadInput, match="name what to forget"):
        letters.forget()
    with pytest.raises(BadInput, match="no data set others"):
        forget.plain(ForgetSettings(name="others", ids=("a",)), letters.context("forget"))
    assert len(letters.held()) == 80
    assert Forgotten.of(letters.workspace.data / "letters") == Forgotten()


def test_names_are_kept_as_digests(letters):
    letters.ingest()
    letters.forget(groups=["customer 3"])
    table = letters.workspace.data / "letters" / "forgotten.parquet"
    assert b"customer" not in table.read_bytes()
    forgotten = Forgotten.of(table.parent)
    assert forgotten.covers(RawItem(b"new", "new", "elsewhere#1", group="customer 3"))
    assert not forgotten.covers(RawItem(b"new", "new", "elsewhere#1", group="customer 30"))
    assert matching(shards(table.parent / "raw")[0], ForgetSettings(name="letters", groups=("customer 3",))) == set()


@pytest.mark.slow
def test_cache_and_remote_are_purged_and_versions_named(letters):
    workspace = letters.workspace
    first = letters.version(letters.ingest())
    text = letters.file.read_text().splitlines()[7].split(",")[0]
    push(workspace, "letters", first)
    second = letters.version(letters.forget(groups=["customer 3"]))
    with executing(Execution(workspace)):
        report = purge(workspace, "letters")
        again = purge(workspace, "letters")
    assert (report.versions, report.remotes, report.unreached) == ((first,), (str(workspace.state / "remote"),), ())
    assert report.objects >= 3
    assert (again.versions, again.objects) == ((first,), 0)
    with pytest.raises(BadInput, match="forgotten since"):
        present(workspace, find_version(workspace, "letters", first))
    assert [each.version for each in verify(workspace, "letters")] == [second]
    left = (path for folder in (workspace.root / ".dvc" / "cache", workspace.state / "remote") for path in folder.rglob("*"))
    tables = [path for path in left if path.is_file() and path.read_bytes()[:4] == b"PAR1"]
    held = [content for path in tables for content in _contents(path)]
    assert held
    assert text.encode() not in held


@pytest.mark.slow
def test_a_version_that_only_the_remote_knows_is_purged_there(letters, tmp_path):
    workspace, remote = letters.workspace, tmp_path / "remote"
    first = letters.version(letters.ingest())
    push(workspace, "letters", first, str(remote))
    text = letters.file.read_text().splitlines()[7].split(",")[0]
    shutil.rmtree(cache_folder(workspace))  # as a clone that never had it
    ledger_file = workspace.state / "versions.jsonl"
    unpushed = Version(dataset="letters", version="f00d", rows=1, splits={}, tree="aa11.dir")
    ledger_file.write_text(as_line(unpushed))
    letters.forget(groups=["customer 3"])
    with executing(Execution(workspace)):
        report = purge(workspace, "letters")
    assert (report.versions, report.remotes, report.unreached) == ((first,), (str(remote),), ())
    assert report.unseen == ("f00d",)
    tables = [path for path in remote.rglob("*") if path.is_file() and path.read_bytes()[:4] == b"PAR1"]
    assert text.encode() not in [content for path in tables for content in _contents(path)]


def _contents(path: Path) -> list[bytes]:
    from pyarrow import parquet

    names = {"payload", "content"} & set(parquet.read_schema(path).names)
    return [value for name in names for value in parquet.read_table(path, columns=[name])[name].to_pylist()]


@pytest.mark.parametrize("part", ["letters", "letters/raw"])
def test_nothing_is_forgotten_through_a_link(letters, part, tmp_path):
    letters.ingest()
    place = letters.workspace.data / part
    place.rename(tmp_path / "elsewhere")
    place.symlink_to(tmp_path / "elsewhere")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "elsewhere").rglob("*")}
    with pytest.raises(BadInput, match="nothing is forgotten through one"):
        letters.forget(groups=["customer 3"])
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "elsewhere").rglob("*")} == before


def test_a_remote_is_named_without_its_password(letters, monkeypatch):
    monkeypatch.setattr(Dvc, "remotes", lambda dvc: {"http://me:s3cret@127.0.0.1:9/a": {}})
    letters.version(letters.ingest())
    letters.forget(groups=["customer 3"])
    with executing(Execution(letters.workspace)):
        purged = purge(letters.workspace, "letters")
    assert "http://127.0.0.1:9/a" in str(purged)
    assert "s3cret" not in str(purged)
    assert purged.remotes == ()  # nobody answers there
    assert "nothing can be removed over http" in purged.unreached[0]
