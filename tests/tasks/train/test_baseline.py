import pytest

from aigc_models.errors import BadInput
from tasks.stage.references import ModelRef
from tasks.stage.stage import StageContext
from tasks.train.baseline import strongest


def model(name: str, loss: float | None) -> ModelRef:
    return ModelRef(outputs=(name,), sha256="0", name=name, family=name, modality="series", params=1, validation_loss=loss)


def test_the_lowest_validation_loss_wins(tmp_path) -> None:
    context = StageContext(folder=tmp_path)
    baseline = strongest.plain([model("naive", 0.5), model("linear", 0.3), model("ets", 0.4)], context=context)
    assert baseline.name == "linear"
    assert context.figures["strongest"] == "linear"
    assert context.figures["validation_loss.naive"] == 0.5


def test_a_method_without_a_validation_loss_is_named(tmp_path) -> None:
    with pytest.raises(BadInput, match="ngram"):
        strongest.plain([model("linear", 0.3), model("ngram", None)], context=StageContext(folder=tmp_path))
