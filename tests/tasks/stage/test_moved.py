from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from aigc_models.errors import Damaged
from tasks.registry.bundles import resolve
from tasks.registry.promote import promote_version, rollback
from tasks.registry.registry import list_models
from tasks.stage import moved
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.stage.tracking import client, prepare
from tasks.use.generate_batch import BatchSettings, generate_batch

ROOT = Path(__file__).parents[3]
ASKED = """
import sys
from pathlib import Path
from tasks.registry.bundles import resolve
from tasks.stage.settings import Workspace
print(resolve(Workspace(Path(sys.argv[1])), "tales/1"))
"""


@pytest.fixture(scope="module")
def first(registrar, capable: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace with two versions of a model of texts."""
    workspace = Workspace(tmp_path_factory.mktemp("first"))
    elsewhere = type(registrar)(prepare(workspace), {})
    for number, name in enumerate(("mind", "letters"), start=1):
        bundle = Path(shutil.copytree(capable[name], workspace.outputs / f"tales-{number}"))
        elsewhere.register("tales", number, bundle)
        promote_version(workspace, "tales", number)
    return workspace


@pytest.fixture
def made(first: Workspace, tmp_path: Path) -> Workspace:
    """The same in a folder with a space in its name, as if it had been made there."""
    workspace = Workspace(Path(shutil.copytree(first.root, tmp_path / "a place")))
    moved.settle(workspace)
    return workspace


@pytest.fixture(params=["deleted", "altered"])
def copied(made: Workspace, request: pytest.FixtureRequest, tmp_path: Path) -> Workspace:
    """A copy, of which the original is gone or has other files under the same names."""
    shutil.copytree(made.root, tmp_path / "elsewhere")
    if request.param == "deleted":
        shutil.rmtree(made.root)
    else:
        for card in made.state.rglob("bundle.json"):
            card.write_text("{}")
    return Workspace(tmp_path / "elsewhere")


def paths(workspace: Workspace) -> list[str]:
    with closing(sqlite3.connect(workspace.database)) as store:
        named = [path for table, column in moved.PLACES for (path,) in store.execute(f"select {column} from {table}")]
    return [path for path in named if path and moved.ARTIFACTS in path]


def test_a_copy_uses_its_own_files_and_writes_into_them(copied: Workspace) -> None:
    assert [model.aliases["champion"] for model in list_models(copied)] == [2]
    assert resolve(copied, "tales").is_relative_to(copied.root)
    assert all(path.startswith(moved.artifacts_uri(copied)) for path in paths(copied))
    settings = BatchSettings(model="tales/1", out=str(copied.root / "out"))
    made = generate_batch.plain(settings, context=StageContext(copied.state, copied))
    assert (made.count, (copied.root / made.manifest).is_file()) == (16, True)
    assert rollback(copied, "tales").to_version == 1
    assert promote_version(copied, "tales", 2).to_version == 2


def test_what_a_run_in_a_copy_logs_lands_there(copied: Workspace, made: Workspace, registrar, capable: dict[str, Path]) -> None:
    before = sorted(made.root.rglob("*"))
    elsewhere = type(registrar)(prepare(copied), {})
    with elsewhere.tracker.run("after the move") as run:
        run.log_text("here", "note.txt")
    elsewhere.register("said", 1, Path(shutil.copytree(capable["tones"], copied.outputs / "tones")))
    assert (copied.state / "mlartifacts" / run.id / "artifacts" / "note.txt").read_text() == "here"
    assert resolve(copied, "said/1").is_relative_to(copied.root)
    assert sorted(made.root.rglob("*")) == before


def test_mlflow_loads_a_model_of_a_copy(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    import mlflow.pyfunc
    import pandas as pd

    store = client(copied)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", copied.tracking_uri)
    source = store.get_model_version_download_uri("tales", "1")
    assert len(mlflow.pyfunc.load_model(source).predict(pd.DataFrame({"seed": [1]}))) == 1


def test_a_workspace_that_did_not_move_is_left_alone(made: Workspace) -> None:
    before = made.database.read_bytes()
    assert moved.settle(made) == []
    assert made.database.read_bytes() == before


def test_what_somebody_put_elsewhere_stays_there(made: Workspace, tmp_path: Path) -> None:
    elsewhere = (tmp_path / "shared" / "artifacts").as_uri()
    run = client(made).create_run(client(made).create_experiment("elsewhere", elsewhere))
    there = Workspace(Path(shutil.move(made.root, tmp_path / "there")))
    assert client(there).get_run(run.info.run_id).info.artifact_uri.startswith(elsewhere)


def test_a_failure_in_the_middle_leaves_all_as_it_was(made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Workspace(Path(shutil.move(made.root, tmp_path / "there")))
    before = sorted(paths(there))
    monkeypatch.setattr(moved, "PLACES", (*moved.PLACES, ("runs", "no_such_column")))
    with pytest.raises(Damaged, match="aigc doctor"):
        moved.settle(there)
    monkeypatch.undo()
    assert sorted(paths(there)) == before
    assert resolve(there, "tales").is_relative_to(there.root)


def test_two_processes_may_be_the_first_in_a_copy(made: Workspace, tmp_path: Path) -> None:
    there = Workspace(Path(shutil.move(made.root, tmp_path / "there")))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("MLFLOW_")}

    def asked(turn: int) -> str:
        command = [sys.executable, "-c", ASKED, str(there.root)]
        return subprocess.run(
            command, env=environment | {"PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=True
        ).stdout.strip()

    with ThreadPoolExecutor(2) as pool:
        answers = set(pool.map(asked, range(2)))
    assert answers == {str(resolve(there, "tales/1"))}


def test_a_server_is_left_alone(made: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = Workspace(Path(shutil.move(made.root, tmp_path / "there")))
    before = there.database.read_bytes()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/other.db")
    client(there)
    assert there.database.read_bytes() == before


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path).create()
    workspace.database.write_text(json.dumps({"no": "database"}) * 100)
    with pytest.raises(Damaged, match=r"mlflow\.db cannot be used: file is not a database"):
        client(workspace)


def test_what_still_names_the_place_before_is_said_with_what_to_do(made: Workspace, tmp_path: Path) -> None:
    assert moved.left_behind(made) == []
    there = Workspace(Path(shutil.move(made.root, tmp_path / "there")))
    (unset,) = moved.left_behind(there)
    assert "`aigc models list` sets it" in unset
    list_models(there)
    assert (moved.left_behind(there), str(made.root) in moved.homes(there)) == ([], True)
    (there.root / ".dvc").mkdir()
    (there.root / ".dvc" / "config.local").write_text(f"[core]\n    remote = near\n    url = {made.root}/store\n")
    (there.state / "prefect").mkdir()
    with closing(sqlite3.connect(there.state / "prefect" / "prefect.db")) as store, store:
        store.execute("create table deployment (name, path, pull_steps)")
        store.execute("insert into deployment values ('nightly', null, ?)", (f'[{{"directory": "{made.root}"}}]',))
        store.execute("insert into deployment values ('weekly', null, ?)", (f'[{{"directory": "{made.root}-other"}}]',))
    remote, deployment = moved.left_behind(there)
    assert "dvc remote modify" in remote
    assert "the deployment nightly" in deployment
