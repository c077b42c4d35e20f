import pytest

from aigc_models.evidence import Difference
from tasks.report.contents import DatasetReport, Gate
from tasks.report.figures import bound, candidates, cell, compare, mark, reach, rows, verdict


def with_difference(part: DatasetReport, low: float, high: float) -> DatasetReport:
    ensemble = part.measurements["frechet_distance"]["ensemble"]
    changed = ensemble.model_copy(update={"versus": {"baseline": Difference(value=(low + high) / 2, low=low, high=high)}})
    return part.model_copy(update={"measurements": {"frechet_distance": {"ensemble": changed}}})


def test_real_items_stand_beside_a_metric_and_have_no_row(digits: DatasetReport) -> None:
    assert rows(digits.result) == [
        "frechet_distance",
        "classification_accuracy_score",
        "nearest_training_distance_ratio",
        "latency_p95_ms",
    ]
    real = reach(digits, "classification_accuracy_score")
    assert real is not None
    assert real.value == 0.973
    assert reach(digits, "latency_p95_ms") is None
    assert list(candidates(digits, "frechet_distance"))[-1] == "real"


@pytest.mark.parametrize(("low", "high", "expected"), [(-1.0, -0.1, "better"), (0.1, 1.0, "worse"), (-1.0, 0.1, "")])
def test_only_an_interval_without_zero_tells_two_apart(digits: DatasetReport, low: float, high: float, expected: str) -> None:
    comparison = compare(with_difference(digits, low, high), "frechet_distance")
    assert comparison is not None
    assert comparison.verdict == expected


def test_the_verdict_needs_a_baseline_and_a_clear_difference(digits: DatasetReport) -> None:
    assert verdict(digits, "frechet_distance") == "better than"
    assert verdict(with_difference(digits, -1.0, 0.1), "frechet_distance") == "not told apart from"
    assert verdict(digits, "latency_p95_ms") == "beside"


def test_a_higher_figure_is_not_better_where_lower_is(docstrings: DatasetReport) -> None:
    assert verdict(docstrings, "nearest_training_distance_ratio") == "worse than"
    assert verdict(docstrings, "bits_per_byte") == "better than"


def test_nothing_is_called_better_without_a_paired_difference(docstrings: DatasetReport) -> None:
    assert verdict(docstrings.model_copy(update={"measurements": {}}), "bits_per_byte") == "beside"


@pytest.mark.parametrize(
    ("passed", "outcome", "expected"),
    [
        (True, None, ("✓ passed", "good")),
        (False, None, ("✗ failed", "bad")),
        (False, "not_told_apart", ("✗ not told apart", "bad")),
        (True, "not_applicable", ("– not applicable", "calm")),
        (False, "not_applicable", ("✗ not applicable", "bad")),
    ],
)
def test_a_tick_stands_only_where_something_was_judged(passed: bool, outcome: str | None, expected: tuple[str, str]) -> None:
    gate = Gate.model_validate({"name": "coverage", "passed": passed, "value": None, "limit": None, "verdict": outcome})
    assert mark(gate) == expected


def test_a_cell_falls_back_on_the_fixed_part(digits: DatasetReport) -> None:
    bare = digits.model_copy(update={"measurements": {}})
    assert cell(digits, "frechet_distance", "gan") == (1.62, 1.62 - 0.09, 1.62 + 0.09)
    assert cell(bare, "frechet_distance", "gan") == (1.62, None, None)
    assert cell(bare, "frechet_distance", "baseline") == (1.57, None, None)
    assert cell(bare, "frechet_distance", "nobody") == (None, None, None)


def test_a_limit_says_which_way_it_holds(digits: DatasetReport) -> None:
    gates = ("frechet_distance", "nearest_training_distance_ratio", "in words")
    assert [bound(digits.result, gate) for gate in gates] == ["at most", "at least", ""]
