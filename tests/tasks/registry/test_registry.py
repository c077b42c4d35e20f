import pytest

from aigc_models.errors import BadInput
from tasks.registry.promote import promote_version
from tasks.registry.registry import list_models, show_model


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
