import importlib.resources
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from aigc_models.generator import Generator
from tasks.registry.promote import promote_version

ROOT = Path(__file__).parents[2]


def test_a_registered_model_is_opened_by_its_name(registrar, answering, monkeypatch):
    from tasks import open_model

    folder = registrar.workspace.outputs / "squares"
    shutil.copytree(answering["squares"], folder)
    registrar.register("opened", 1, folder, loss=0.5)
    promote_version(registrar.workspace, "opened", 1)
    monkeypatch.setenv("AIGC_WORKSPACE", str(registrar.workspace.root))
    expected = Generator.load(folder).generate(4, label="dark", seed=7)
    for reference in ("opened", "opened@champion", "opened/1"):
        pictures = open_model(reference).generate(4, label="dark", seed=7)
        assert [picture.tolist() for picture in pictures] == [picture.tolist() for picture in expected]
    with pytest.raises(BadInput, match="opened has no version '9'"):
        open_model("opened/9")


def test_importing_tasks_brings_nothing_heavy():
    code = "import sys, tasks; tasks.open_model; print(sorted({'torch', 'mlflow', 'prefect', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("package", ["aigc_models", "tasks", "flows"])
def test_types_are_for_users_too(package):
    assert (importlib.resources.files(package) / "py.typed").is_file()
    data = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert "py.typed" in data[package]
