import pytest

from aigc_models.errors import BadInput
from flows.config import DataConfig, compose
from flows.order import Order
from tasks.dataset.datasets import remember
from tasks.ingest.source import SourceSettings
from tasks.stage.settings import Workspace


@pytest.fixture
def letters(tmp_path, monkeypatch):
    """A workspace that knows a data set of pictures."""
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    source = SourceSettings(name="letters", location="embedded:digits", modality="image")
    remember(Workspace(tmp_path), DataConfig(source=source, clean={"without": ["blank"]}))
    return {"source": source.model_dump(exclude_defaults=True), "clean": {"without": ["blank"]}}


def test_an_empty_order_is_the_sample():
    assert Order().config == compose("sample", None, None, [])
    assert Order().name == "sample"


def test_a_data_set_chooses_its_preset(letters):
    order = Order(data="letters", budget="90s", overrides=("training.seed=3",))
    assert order.config == compose("image", letters, "90s", ["training.seed=3"])
    assert order.name == "letters"
    assert order.config.runs[0].data.clean.without == ("blank",)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"budget": "soon"}, "budget 'soon': write a time"),
        ({"data": "lettres"}, "did you mean 'letters'"),
        ({"preset": "imgae"}, "did you mean 'image'"),
        ({"overrides": ("training",)}, "write it as path=value"),
    ],
)
def test_what_does_not_fit_is_named(letters, settings, expected):
    with pytest.raises(BadInput, match=expected):
        _ = Order(**settings).config


def test_a_version_is_asked_for_by_its_name(letters):
    order = Order(data="letters@fd0bf9d2")
    assert (order.config.runs[0].data.version, order.config.runs[0].name) == ("fd0bf9d2", "letters")
