import json

import pytest

from aigc_models.errors import BadInput
from tasks.judge.compare import compare
from tasks.judge.gates import Gate
from tasks.judge.kept_evaluation import keep_evaluation, keep_gates
from tasks.registry.promote import promote_version
from tasks.stage.tracking import client


def figures(value, champion=None, difference=None):
    versus = {"champion": dict(zip(("value", "low", "high"), difference, strict=True))} if difference else {}
    beside = {"champion": champion} if champion is not None else {}
    named = {"value": value, "low": value - 0.1, "high": value + 0.1, "unit": "nats", "better": "lower", "baseline": 1.0}
    return {**named, "best_member": None, "versus": versus, **beside}


@pytest.fixture
def pair(registrar, tmp_path):
    """Versions 1 (champion) and 2, the second measured beside the first."""

    def make(name, value=0.4, difference=(-0.1, -0.2, -0.05), met=1):
        first, second = registrar.register(name, 1, loss=0.5), registrar.register(name, 2, loss=value)
        promote_version(registrar.workspace, name, 1)
        store = client(registrar.workspace)
        for number, ref, metrics in ((1, first, figures(0.5)), (2, second, figures(value, 0.5, difference))):
            folder = tmp_path / f"{name}-{number}"
            folder.mkdir()
            (folder / "metrics.json").write_text(json.dumps({"loss": metrics}))
            if number == 2:
                record = {"version": met, "misfit": "", "items": 100, "known": None}
                (folder / "champion.json").write_text(json.dumps(record))
            keep_evaluation(store, ref.run_id, folder)
            keep_gates(
                store, ref.run_id, (Gate(metric="loss", reference="champion"), Gate(metric="loss", reference="baseline"))
            )
        return registrar.workspace

    return make


def test_figures_side_by_side_with_the_paired_difference(pair):
    comparison = compare(pair("side"), "side", "champion", "2")
    (row,) = comparison.metrics
    assert (row.a, row.b, row.a_low, row.unit, row.better) == (0.5, 0.4, 0.4, "nats", "lower")
    assert row.difference == pytest.approx(-0.1)
    assert (row.paired.low, row.paired.high, row.verdict) == (-0.2, -0.05, "better")
    assert (comparison.a.aliases, comparison.b.aliases, comparison.a.data_version) == (("champion",), ("challenger",), "v1")
    assert [gate.passed for gate in comparison.gates] == [True, True]
    assert "on the same 100 test items" in comparison.gates[0].reason
    assert comparison.passes is True


def test_a_version_that_was_measured_to_be_worse_would_be_refused(pair):
    comparison = compare(pair("worse", 0.6, (0.1, 0.05, 0.2)), "worse", "1", "2")
    assert comparison.metrics[0].verdict == "worse"
    assert [gate.passed for gate in comparison.gates] == [False, True]
    assert comparison.passes is False


def test_the_other_way_round_the_difference_turns(pair):
    (row,) = compare(pair("turned"), "turned", "2", "1").metrics
    assert (row.paired.value, row.paired.low, row.paired.high, row.verdict) == (0.1, 0.05, 0.2, "worse")


def test_versions_that_never_met_have_no_paired_difference(pair):
    comparison = compare(pair("apart", met=7), "apart", "1", "2")
    assert (comparison.metrics[0].paired, comparison.metrics[0].verdict) == (None, "unknown")
    assert "two data versions" in comparison.note
    assert [gate.limit for gate in comparison.gates] == [0.5, 1.0]


def test_registering_keeps_the_evaluation_and_without_gates_nothing_is_judged(registrar):
    for number, loss in ((1, 0.5), (2, 0.4)):
        registrar.register("bare", number, loss=loss)
    store = client(registrar.workspace)
    assert store.list_artifacts(store.get_model_version("bare", "1").run_id, "evaluation")
    comparison = compare(registrar.workspace, "bare", "1", "2")
    assert (comparison.metrics[0].a, comparison.metrics[0].b, comparison.passes) == (0.5, 0.4, None)


@pytest.mark.parametrize(
    ("a", "b", "message"),
    [("1", "challenger2", "challenger2"), ("1", "9", "no version '9'"), ("1", "champion", "both version 1")],
)
def test_what_cannot_be_compared_is_said(pair, a, b, message):
    name = f"odd-{b}"
    with pytest.raises(BadInput, match=message):
        compare(pair(name), name, a, b)
