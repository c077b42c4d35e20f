import re
from pathlib import Path

import pytest
import yaml
from prefect.flows import load_flow_from_entrypoint
from prefect.utilities.callables import parameter_schema

from aigc_models.errors import BadInput
from flows.deploy import FILE, declared, prefect_file, require_server

PROJECT = Path(__file__).parents[2]
DEPLOYMENTS = yaml.safe_load((PROJECT / FILE).read_text())["deployments"]


def test_every_kind_of_work_is_deployed_under_a_name_of_its_own():
    names = declared(PROJECT / FILE)
    wanted = {"ingestion", "training", "pipeline", "promotion", "generation", "retrain", "nightly"}
    assert wanted <= {name.split("/")[1] for name in names}


def test_the_file_records_no_folder_of_a_machine_and_cancels_nothing():
    text = (PROJECT / FILE).read_text()
    assert not re.search(r":\s*[\"']?/", text)
    limits = [deployment["concurrency_limit"] for deployment in DEPLOYMENTS if "concurrency_limit" in deployment]
    assert all(limit == {"limit": 1, "collision_strategy": "ENQUEUE"} for limit in limits)


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_the_form_of_a_deployment_is_drawn_from_described_settings(deployment):
    loaded = load_flow_from_entrypoint(deployment["entrypoint"])
    assert loaded.name == deployment["entrypoint"].rpartition(".")[2]
    schema = parameter_schema(loaded).model_dump()
    (parameter,) = schema["properties"].values()
    assert parameter["$ref"].startswith("#/definitions/"), "one settings type, not a bare dict"
    for name, model in schema["definitions"].items():
        for field, value in model.get("properties", {}).items():
            assert value.get("description"), f"{name}.{field} says nothing on the form"


@pytest.mark.parametrize("deployment", DEPLOYMENTS, ids=lambda deployment: deployment["name"])
def test_what_a_schedule_gives_is_what_the_flow_takes(deployment):
    from flows.entry import typed

    loaded = load_flow_from_entrypoint(deployment["entrypoint"])
    if deployment.get("schedules"):
        assert typed(loaded.fn, (), deployment["parameters"]).arguments


def test_without_a_server_it_says_how_to_start_one(monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(BadInput, match="prefect server start"):
        require_server()
    monkeypatch.setenv("PREFECT_API_URL", "http://127.0.0.1:9/api")
    with pytest.raises(BadInput, match=r"no Prefect server answers at http://127\.0\.0\.1:9/api"):
        require_server()


def test_two_deployments_of_one_name_are_refused(tmp_path):
    file = tmp_path / FILE
    file.write_text(yaml.safe_dump({"deployments": [{"name": "a", "entrypoint": "flows.data.ingestion"}] * 2}))
    with pytest.raises(BadInput, match="two deployments are called ingestion/a"):
        declared(file)


def test_a_file_without_deployments_is_refused(tmp_path):
    (tmp_path / FILE).write_text("name: x\n")
    with pytest.raises(BadInput, match="a list of `deployments`"):
        declared(tmp_path / FILE)


def test_the_folders_own_file_comes_before_the_projects(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert prefect_file(None) == PROJECT / FILE
    (tmp_path / FILE).write_text("")
    assert prefect_file(None) == tmp_path / FILE
    with pytest.raises(BadInput, match=r"there is no missing\.yaml"):
        prefect_file(Path("missing.yaml"))
