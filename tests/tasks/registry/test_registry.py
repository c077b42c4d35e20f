import sqlite3
from contextlib import closing

import pytest

from aigc_models.errors import BadInput
from tasks.judge.champion import find_champion
from tasks.registry.promote import promote_version, rollback
from tasks.registry.register import aliases_of
from tasks.registry.registry import list_models, located, show_model
from tasks.stage.stage import StageContext
from tasks.stage.tracking import client


@pytest.fixture
def shown(registrar):
    """Two versions, the first one champion."""
    registrar.register("shown", 1, loss=0.5)
    registrar.register("shown", 2, loss=0.4)
    promote_version(registrar.workspace, "shown", 1)
    return registrar.workspace


def test_list_gives_the_champions_figures(shown) -> None:
    (summary,) = (model for model in list_models(shown) if model.name == "shown")
    assert (summary.versions, summary.modality) == (2, "text")
    assert summary.aliases == {"champion": 1, "challenger": 2}
    assert summary.metrics == {"loss": 0.5}


def test_show_gives_all_versions_newest_first(shown) -> None:
    details = show_model(shown, "shown")
    assert [(version.version, version.aliases) for version in details.versions] == [(2, ("challenger",)), (1, ("champion",))]
    assert details.versions[0].data_version == "v2"
    assert details.versions[0].created.endswith("+00:00")
    assert details.licence == "CC0"


@pytest.mark.parametrize("reference", ["shown@champion", "shown/1", "models:/shown/1"])
def test_show_gives_one_version(shown, reference: str) -> None:
    assert [version.version for version in show_model(shown, reference).versions] == [1]


def test_show_names_the_nearest(shown) -> None:
    with pytest.raises(BadInput, match="did you mean 'shown'"):
        show_model(shown, "shwon")


def delete_behind_its_alias(registrar, name: str, version: int, alias: str) -> None:
    """As where the version is deleted while somebody sets the alias; MLflow alone deletes both."""
    client(registrar.workspace).delete_model_version(name, str(version))
    with closing(sqlite3.connect(registrar.workspace.database)) as store, store:
        columns = [row[1] for row in store.execute("pragma table_info(registered_model_aliases)")]
        values = {"name": name, "alias": alias, "version": version, "workspace": "default"}
        marks = ", ".join("?" * len(columns))
        store.execute(f"insert into registered_model_aliases values ({marks})", [values[column] for column in columns])


def test_an_alias_of_a_deleted_version_is_said_everywhere_and_can_be_set_anew(registrar) -> None:
    workspace, name = registrar.workspace, "hollow"
    for number in (1, 2, 3):
        registrar.register(name, number, loss=0.5)
    for number in (1, 2):
        promote_version(workspace, name, number)
    delete_behind_its_alias(registrar, name, 2, "champion")
    message = "hollow@champion is version 2, which was deleted in MLflow; `aigc models promote hollow VERSION`.*there are: 3, 1"
    for ask in (lambda: located(workspace, name), lambda: show_model(workspace, f"{name}@champion")):
        with pytest.raises(BadInput, match=message):
            ask()
    with pytest.raises(BadInput, match=message):
        find_champion.plain(name, context=StageContext(workspace.outputs, workspace))
    (summary,) = (model for model in list_models(workspace) if model.name == name)
    assert summary.warnings == show_model(workspace, name).warnings
    assert "hollow@champion is version 2, which was deleted" in summary.warnings[0]
    assert (rollback(workspace, name).from_version, aliases_of(client(workspace), name)["champion"]) == (2, 1)
    assert "previous" not in aliases_of(client(workspace), name)
    assert promote_version(workspace, name, 3).from_version == 1


def test_after_the_champions_deletion_in_mlflow_a_rollback_finds_the_one_before(registrar) -> None:
    workspace, name = registrar.workspace, "felled"
    for number in (1, 2):
        registrar.register(name, number, loss=0.5)
        promote_version(workspace, name, number)
    client(workspace).delete_model_version(name, "2")
    with pytest.raises(BadInput, match=r"felled has no champion .*its version was deleted"):
        located(workspace, name)
    assert rollback(workspace, name).to_version == 1
    assert aliases_of(client(workspace), name) == {"champion": 1}
    with pytest.raises(BadInput, match="no previous champion"):
        rollback(workspace, name)
