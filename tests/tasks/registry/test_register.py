import json
from pathlib import Path

import pytest

from aigc_models.errors import BadInput
from tasks.registry.bundles import resolve
from tasks.registry.register import RegisterSettings, aliases_of
from tasks.stage.references import RegisteredRef
from tasks.stage.tracking import client


def test_the_same_bundle_is_registered_once(registrar) -> None:
    first, again, other = (registrar.register("once", number, loss=0.5) for number in (1, 1, 2))
    assert again == first
    assert (first.version, other.version) == (1, 2)
    assert aliases_of(client(registrar.workspace), "once") == {"challenger": 2}


def test_a_version_says_where_it_comes_from(registrar) -> None:
    registered = registrar.register("origin", 1, loss=0.5)
    store = client(registrar.workspace)
    version = store.get_model_version("origin", str(registered.version))
    assert version.tags["aigc.data_version"] == "v1"
    assert version.tags["aigc.licence"] == "CC0"
    assert version.tags["aigc.bundle_sha256"] == registered.bundle_sha256
    assert json.loads(version.tags["aigc.metrics"]) == {"loss": 0.5}
    logged = store.get_logged_model(store.get_run(registered.run_id).outputs.model_outputs[0].model_id)
    assert version.source == logged.artifact_location
    assert json.loads(logged.tags["mlflow.modelVersions"]) == [{"name": "origin", "version": registered.version}]


def test_a_newer_evaluation_of_the_same_bundle_counts(registrar) -> None:
    first, again = registrar.register("newer", 1, loss=0.5), registrar.register("newer", 1, loss=0.4)
    assert again == first
    version = client(registrar.workspace).get_model_version("newer", "1")
    assert json.loads(version.tags["aigc.metrics"]) == {"loss": 0.4}


def test_the_model_carries_code_and_no_pickle(registrar) -> None:
    registrar.register("code", 1)
    model = resolve(registrar.workspace, "code@challenger").parents[1]
    assert (model / "pyfunc_model.py").is_file()
    assert (model / "code" / "aigc_models" / "generator.py").is_file()
    assert not [path for path in model.rglob("*") if path.suffix in {".pkl", ".pyc", ".pt"}]
    requirements = (model / "requirements.txt").read_text().split()
    assert any(line.startswith("torch==") and "+" not in line for line in requirements)
    assert json.loads((model / "input_example.json").read_text())["data"] == [["a", 0]]


@pytest.mark.parametrize("reference", ["found@challenger", "found/2", "models:/found/2", "models:/found@challenger"])
def test_resolve_gives_the_bundle(registrar, reference: str) -> None:
    registrar.register("found", 1)
    registrar.register("found", 2)
    assert json.loads((resolve(registrar.workspace, reference) / "bundle.json").read_text())["version"] == "v2"


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("lots", "did you mean 'lost'"),
        ("lost", "lost has no champion (none was promoted yet, or its version was deleted)"),
        ("lost@champion", "deleted); name what you want: lost@challenger, lost/1"),
        ("lost@chalenger", "did you mean 'challenger'"),
        ("lost/7", "lost has no version '7'; there are: 1"),
        ("../lost", "write NAME, NAME@alias or NAME/version"),
        ("", "write NAME, NAME@alias or NAME/version"),
    ],
)
def test_resolve_says_what_there_is_instead(registrar, reference: str, message: str) -> None:
    registrar.register("lost", 1)
    with pytest.raises(BadInput) as error:
        resolve(registrar.workspace, reference)
    assert message in str(error.value)


def test_a_registered_name_is_no_path() -> None:
    with pytest.raises(BadInput, match="digits' cannot name a model"):
        RegisterSettings(model="../digits")


def test_a_registration_is_a_few_hundred_bytes(registrar) -> None:
    registered = registrar.register("small", 1)
    assert RegisteredRef.model_validate_json(registered.model_dump_json()) == registered
    assert len(registered.model_dump_json()) < 500


def test_nothing_is_left_where_the_command_was_started(registrar, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    registrar.register("clean", 1)
    assert not list(tmp_path.iterdir())


def test_a_name_that_no_header_holds_is_refused_and_one_that_is_registered_stays(
    registrar, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIGC_WORKSPACE", str(registrar.workspace.root))
    for name in ("имена", "-rf", "a/b", "nul"):
        with pytest.raises(BadInput, match="cannot name a model"):
            RegisterSettings(model=name)
    client(registrar.workspace).create_registered_model("имена")
    assert RegisterSettings(model="имена").model == "имена"
    assert RegisterSettings().model == ""
