"""Two registered models, the first of which fails: real flows, stages and stores, trained in no time."""

import json
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from aigc_models.errors import AigcError
from flows.config import PipelineConfig
from flows.nightly import NightlyConfig, retrain_all
from flows.pipeline import contend
from tasks.registry.register import versions
from tasks.stage.execution import Execution, Stopped, executing
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client

SENTENCE = "the ship carries grain and coal to a harbour in the north where men wait with carts for it"


def letters(folder, first, count):
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(first, first + count):
        text = " ".join(random.Random(number).choices(SENTENCE.split(), k=14))
        (folder / f"{number:04}.txt").write_text(f"{text} {random.Random(number).getrandbits(64):x}")


def contender(workspace, name):
    """Train and register a first version of `name`, texts and their frequencies."""
    letters(workspace.root / name, 0, 90)
    config = {
        "data": {"source": {"name": name, "location": str(workspace.root / name), "modality": "text"}},
        "training": {"members": [{"name": "counts", "family": "ngram", "size": "debug"}], "baseline": {"family": "ngram"}},
        "evaluation": {"metrics": ["bits_per_byte"], "samples": 16, "shown": 1},
    }
    return contend(PipelineConfig.model_validate(config))


@pytest.fixture
def two(request, execution, monkeypatch):
    """`first...` and `second...`, registered and both due, since texts came; the first's stages raise: its data are damaged."""
    monkeypatch.chdir(execution.workspace.root)
    monkeypatch.setenv("AIGC_WORKSPACE", str(execution.workspace.root))
    suffix = request.node.name.rpartition("_")[2]
    names = f"first{suffix}", f"second{suffix}"
    for name in names:
        contender(execution.workspace, name)
        letters(execution.workspace.root / name, 1000, 10)
    return names


def spoil(workspace, name):
    """Its stages begin and fail: what ingestion kept of it is no table any more, and new texts are there."""
    for shard in (workspace.data / name / "raw").glob("*.parquet"):
        shard.unlink()  # DVC's cache holds the same file, and the other data set too
        shard.write_bytes(b"no table")


@pytest.mark.slow
def test_a_stage_that_fails_keeps_no_other_model_from_being_trained(two, execution):
    first, second = two
    spoil(execution.workspace, first)
    with pytest.raises(AigcError, match=f"1 of 2 models failed.*{first}: ") as failure:
        retrain_all(NightlyConfig(models=two))
    assert f"{second}:" not in str(failure.value)
    assert [len(versions(client(execution.workspace), name)) for name in two] == [1, 2]


@pytest.mark.slow
def test_the_command_says_which_failed_and_what_became_of_the_others(two, execution, workspace):
    from flows.command_line.app import app

    first, second = two
    shutil.rmtree(workspace.root / first)
    kept = {path.stem: path for path in (workspace.state / "recipes").glob("*.json") if path.stem not in two}
    for path in kept.values():
        path.unlink()
    done = CliRunner().invoke(app, ["retrain", "--all", "--json"])
    assert done.exit_code == 1, done.output
    answer = json.loads(done.stdout)
    assert [outcome["name"] for outcome in answer["retrained"]] == [second]
    assert list(answer["failed"]) == [first]
    assert first in done.stderr


@pytest.fixture
def recipes(tmp_path):
    """A workspace with the recipes of two models that have no source."""
    folder = Workspace(tmp_path).create().state / "recipes"
    folder.mkdir()
    for name in ("broken", "gone"):
        source = {"name": name, "location": str(Path(tmp_path) / name)}
        (folder / f"{name}.json").write_text(json.dumps({"data": {"source": source}}))
    with executing(Execution(Workspace(tmp_path))):
        yield


def test_each_that_fails_is_named(recipes):
    with pytest.raises(AigcError, match=r"2 of 2 models failed.*broken: .*gone: "):
        retrain_all.fn(NightlyConfig())


def test_models_may_be_chosen(recipes):
    with pytest.raises(AigcError, match=r"1 of 1 models failed.*gone: "):
        retrain_all.fn({"models": ["gone"]})


def test_a_stop_is_no_failure_of_one_model(recipes):
    Execution.current().stopping.set()
    with pytest.raises(Stopped):
        retrain_all.fn(NightlyConfig())


def test_to_say_that_nothing_is_due_loads_nothing_heavy():
    code = "import sys, flows.nightly; print([name for name in ('torch', 'mlflow', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
