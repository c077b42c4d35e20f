"""A model is asked once, and members are not where there is an ensemble of them."""

from types import SimpleNamespace

from aigc_models.metrics import _writers
from tests.aigc_models.metrics.test_compiles_share import Parrot


def test_members_are_left_out_and_nobody_is_asked_twice() -> None:
    counts, asked = Parrot("a"), []
    models = {"ensemble": Parrot("b"), "baseline": counts, "ngram": counts, "rnn": Parrot("c"), "champion": counts, "deaf": 1}

    def write(model) -> list[str]:
        asked.append(model)
        return ["text"]

    evidence = SimpleNamespace(models=models, combined=frozenset(), progress=lambda *args: None)
    assert list(_writers.written(evidence, write)) == ["ensemble", "baseline", "champion"]
    assert asked == [models["ensemble"], counts]
    evidence.models = {"one": counts, "rnn": models["rnn"]}
    assert list(_writers.written(evidence, write)) == ["one", "rnn"]
