"""The sample run as a user starts it, with models of a second: every link real, on real data."""

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

pytestmark = pytest.mark.slow

MEMBERS = {
    "digits": ("flow_matching", "gan", "vae"),
    "docstrings": ("rnn", "transformer"),
    "notes": ("flow_matching", "vae"),
    "co2": ("forecaster", "series_vae"),
}
QUICK = [f"{name}.training.members.{member}.steps=20" for name, members in MEMBERS.items() for member in members]
QUICK += [f"{name}.promotion.gates=[]" for name in ("digits", "docstrings", "notes")]  # co2 keeps its gates
QUICK += ["training.size=debug", "evaluation.samples=16", "evaluation.shown=2"]
QUICK += [f"{name}.training.ensemble.settings={{steps: 20, most: 64, rounds: 1}}" for name in ("digits", "notes")]
QUICK += ["docstrings.training.ensemble.settings={most_numbers: 200000}", "docstrings.evaluation.metrics=[bits_per_byte]"]
QUICK += ["notes.evaluation.metrics=[pitch_accuracy, nearest_training_distance_ratio]"]
PROJECT = Path(__file__).parents[2]
SAMPLE = Path(__file__).parent / "sample.dvc"  # the data.dvc of the sample alone, whatever data a team has added here
FIELDS = {
    *("run", "preset", "started", "seconds", "overhead_seconds", "dataset", "stages", "members", "ensemble"),
    *("metrics", "gates", "promotion", "samples", "versions"),
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder as a clone of the project has it, in which no data were added."""
    folder = tmp_path_factory.mktemp("sample")
    for name in (".gitignore", ".dvcignore", ".dvc/config", ".dvc/.gitignore"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes((PROJECT / name).read_bytes())
    (folder / "data.dvc").write_bytes(SAMPLE.read_bytes())
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-C", str(folder)]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "as cloned"]):
        subprocess.run([*git, *arguments], check=True, capture_output=True)
    return folder


def run(workspace):
    env = {name: value for name, value in os.environ.items() if not name.startswith("PREFECT_")}
    settings = [part for setting in QUICK for part in ("--set", setting)]
    command = [sys.executable, "-m", "flows.command_line.app", "run", "sample", "--json", *settings]
    return subprocess.run(command, cwd=workspace, env=env, capture_output=True, text=True, timeout=1800)


@pytest.fixture(scope="module")
def first(workspace):
    return run(workspace)


def test_the_data_sets_go_through_the_whole_chain(first, workspace):
    assert first.returncode == 0, first.stderr
    report = json.loads(first.stdout)
    assert [part["dataset"]["name"] for part in report["runs"]] == ["digits", "docstrings", "notes", "co2"]
    for part in report["runs"]:
        assert set(part) == FIELDS
        stages = {stage["name"].split(" ")[0] for stage in part["stages"]}
        assert {"ingest", "clean", "deduplicate", "split", "version", "encode", "finetune"} <= stages
        assert {"build", "evaluate", "register", "promote", "generate", "try"} <= stages
        assert part["promotion"]["decision"] in {"promoted", "refused"}
        assert part["metrics"]["latency_p95_ms"]["value"] > 0
        by_item = part["dataset"]["modality"] != "series"  # one series, whose splits count steps
        assert not by_item or sum(part["dataset"]["splits"].values()) == part["dataset"]["rows"]
        assert all((workspace / "outputs" / report["run"] / sample).exists() for sample in part["samples"])
    assert 0 < report["overhead_seconds"] < report["seconds"]


def test_mlflow_knows_which_version_of_the_data_was_read(first, workspace):
    parts = json.loads(first.stdout)["runs"]
    with sqlite3.connect(workspace / ".aigc" / "mlflow.db") as store:
        kept = set(store.execute("select name, digest from datasets"))
    assert kept == {(part["dataset"]["name"], part["dataset"]["version"]) for part in parts}


def test_the_page_needs_nothing_from_elsewhere(first, workspace):
    (page,) = workspace.glob("outputs/*/index.html")
    html = page.read_text()
    assert "docstrings" in html
    assert "<script src" not in html
    assert "<link rel" not in html


def test_a_clone_makes_the_data_that_the_project_committed(first, workspace):
    status = subprocess.run(["git", "-C", str(workspace), "status", "--porcelain"], capture_output=True, text=True, check=True)
    assert status.stdout == "", "data.dvc is byte for byte that of the sample, and nothing else is left in the way"
    dvc = [sys.executable, "-m", "dvc", "status", "--json"]
    assert json.loads(subprocess.run(dvc, cwd=workspace, capture_output=True, text=True, check=True).stdout) == {}


def test_the_project_commits_the_sample_until_other_data_are_added():
    """Compared by the number of files: with a team's own data beside the sample, `data.dvc` is of both."""
    sample, committed = (yaml.safe_load(file.read_text())["outs"][0] for file in (SAMPLE, PROJECT / "data.dvc"))
    assert committed == sample or committed["nfiles"] != sample["nfiles"]


def test_a_second_run_does_nothing(first, workspace):
    again = run(workspace)
    assert again.returncode == 0, again.stderr
    parts = json.loads(again.stdout)["runs"]
    asked = ("promote", "find champion")  # of the registry, each time
    assert all(stage["cached"] or stage["name"].startswith(asked) for part in parts for stage in part["stages"])
    firsts = json.loads(first.stdout)["runs"]
    assert [part["metrics"] for part in parts] == [part["metrics"] for part in firsts]
    assert [part["promotion"] for part in parts] == [part["promotion"] for part in firsts]
