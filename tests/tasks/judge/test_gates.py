import pytest

from tasks.judge.gates import Champion, Gate, judge

BITS = {
    "value": 1.50,
    "baseline": 1.55,
    "best_member": 1.52,
    "versus": {
        "ngram": {"value": -0.03, "low": -0.04, "high": -0.02},
        "rnn": {"value": -0.02, "low": -0.05, "high": 0.01},
        "baseline": {"value": -0.05, "low": -0.06, "high": -0.04},
    },
}
METRICS = {
    "bits_per_byte": BITS,
    "frechet_distance": {"value": 1.2, "baseline": 1.6, "best_member": None},
    "frechet_distance_real": {"value": 1.0},
    "classification_accuracy_score": {
        "value": 0.96,
        "versus": {"baseline": {"value": 0.02, "low": 0.01, "high": 0.03}},
        "baseline": 0.94,
    },
}


@pytest.mark.parametrize(
    ("gate", "passed", "limit"),
    [
        (Gate(metric="bits_per_byte", offset=1.5), True, 1.5),
        (Gate(metric="bits_per_byte", offset=1.49), False, 1.49),
        (Gate(metric="bits_per_byte", reference="baseline"), True, 1.55),
        (Gate(metric="bits_per_byte", reference="baseline", significant=True), True, 1.55),
        (Gate(metric="bits_per_byte", reference="best_member"), True, 1.52),
        (Gate(metric="bits_per_byte", reference="best_member", significant=True), False, 1.52),
        (Gate(metric="bits_per_byte", reference="champion"), True, 1.51),
        (Gate(metric="bits_per_byte", reference="champion", offset=-0.02), False, 1.49),
        (Gate(metric="frechet_distance", reference="frechet_distance_real", factor=1.3), True, 1.3),
        (Gate(metric="frechet_distance", reference="frechet_distance_real", factor=1.1), False, 1.1),
        (Gate(metric="frechet_distance", reference="best_member"), False, None),
        (Gate(metric="frechet_distance", reference="best_member", optional=True), True, None),
        (Gate(metric="frechet_distance", reference="baseline", significant=True), False, 1.6),
        (Gate(metric="classification_accuracy_score", compare="at_least", reference="baseline", significant=True), True, 0.94),
        (Gate(metric="coverage", compare="at_least", offset=0.9), False, None),
        (Gate(metric="coverage", compare="at_least", offset=0.9, optional=True), True, None),
    ],
    ids=lambda value: value.name if isinstance(value, Gate) else None,
)
def test_a_gate_passes_or_not(gate: Gate, passed: bool, limit: float | None) -> None:
    verdict = judge((gate,), METRICS, champion={"bits_per_byte": 1.51})[0]
    assert verdict.passed is passed, verdict.reason
    assert verdict.limit == (None if limit is None else pytest.approx(limit))


def test_the_first_model_passes_a_gate_against_the_champion() -> None:
    verdict = judge((Gate(metric="bits_per_byte", reference="champion"),), METRICS, champion=None)[0]
    assert verdict.passed
    assert "no champion yet" in verdict.reason


def test_a_gate_says_which_member_was_not_beaten() -> None:
    verdict = judge((Gate(metric="bits_per_byte", reference="best_member", significant=True),), METRICS, None)[0]
    assert "rnn" in verdict.reason
    assert "ngram" not in verdict.reason


def test_a_gates_name_is_its_meaning() -> None:
    gate = Gate(metric="accuracy", compare="at_least", reference="accuracy_real", factor=1, offset=-0.02)
    assert gate.name == "accuracy at least accuracy_real - 0.02"
    assert Gate(metric="coverage", compare="at_least", offset=0.9).name == "coverage at least 0.9"


def against(value: float, low: float, high: float, champion: float = 1.5) -> dict[str, dict[str, object]]:
    difference = {"value": value - champion, "low": low, "high": high}
    return {
        "bits_per_byte": {"value": value, "unit": "bits per byte", "champion": champion, "versus": {"champion": difference}}
    }


CHAMPION = Champion(version=1, registered={"bits_per_byte": 0.1}, items=177)
AS_GOOD = Gate(metric="bits_per_byte", reference="champion", factor=1.01)


@pytest.mark.parametrize(
    ("metrics", "passed", "words"),
    [
        (
            against(1.49, -0.02, -0.005),
            True,
            "better, bits per byte 1.49 against the champion's 1.5 on the same 177 test items",
        ),
        (against(1.505, -0.005, 0.02), True, "not told apart, bits per byte 1.505"),
        (against(1.505, 0.001, 0.009), False, "worse, bits per byte 1.505"),
        (against(1.52, -0.01, 0.05), False, "not told apart and not at most 1.515"),
    ],
    ids=["better", "as good", "worse within the factor", "beyond the factor"],
)
def test_a_challenger_is_held_against_the_champion_on_the_same_items(metrics: dict, passed: bool, words: str) -> None:
    verdict = judge((AS_GOOD,), metrics, CHAMPION)[0]
    assert verdict.passed is passed
    assert words in verdict.reason
    assert "difference" in verdict.reason


def test_new_items_that_please_a_spoiled_challenger_do_not_hide_what_it_lost_on_the_old_ones() -> None:
    champion = CHAMPION.model_copy(update={"shared_metrics": against(1.7, 0.1, 0.3), "shared_items": 100})
    verdict = judge((AS_GOOD,), against(1.2, -0.4, -0.2), champion)[0]
    assert not verdict.passed
    assert (
        "worse, bits per byte 1.7 against the champion's 1.5 on the 100 of them that the champion's data held" in verdict.reason
    )


def test_a_significant_gate_wants_the_champion_beaten() -> None:
    gate = AS_GOOD.model_copy(update={"significant": True})
    assert not judge((gate,), against(1.495, -0.02, 0.01), CHAMPION)[0].passed
    assert judge((gate,), against(1.49, -0.02, -0.005), CHAMPION)[0].passed


def test_higher_is_better_where_the_gate_says_so() -> None:
    gate = Gate(metric="bits_per_byte", compare="at_least", reference="champion", factor=0.99)
    assert judge((gate,), against(1.52, 0.01, 0.03), CHAMPION)[0].passed
    assert not judge((gate,), against(1.495, -0.01, -0.001), CHAMPION)[0].passed


def test_a_champion_that_cannot_be_measured_is_said_and_refuses_nothing() -> None:
    verdict = judge((AS_GOOD,), against(1.49, 0.0, 0.0), Champion(version=1, misfit="the labels are others"))[0]
    assert verdict.passed
    assert verdict.reason == "not comparable with the champion: the labels are others"


def test_the_champion_is_no_member() -> None:
    metrics = {
        "bits_per_byte": {"value": 1.4, "best_member": 1.5, "versus": {"rnn": {"low": -0.2, "high": -0.1, "value": -0.1}}}
    }
    metrics["bits_per_byte"]["versus"]["champion"] = {"low": -0.1, "high": 0.1, "value": 0.0}
    assert judge((Gate(metric="bits_per_byte", reference="best_member", significant=True),), metrics, None)[0].passed


def test_without_an_interval_nothing_is_significant_and_the_reason_says_so() -> None:
    none = {"value": -0.9, "low": None, "high": None}  # as metrics.json has it where the test time is too short
    metrics = {"crps": {"value": 0.1, "baseline": 1.0, "champion": 1.0, "versus": {"baseline": none, "champion": none}}}
    gate = Gate(metric="crps", reference="baseline", significant=True)
    (verdict,) = judge((gate,), metrics, None)
    assert not verdict.passed
    assert verdict.reason.endswith("too few test items, or too short a test time, for an interval")
    (against,) = judge((Gate(metric="crps", reference="champion"),), metrics, Champion(version=1, items=20))
    assert against.passed
    assert against.reason.startswith("not told apart")
    assert against.reason.endswith("difference -0.9, too few test items, or too short a test time, for an interval")
    significant = Gate(metric="crps", reference="champion", significant=True)
    assert not judge((significant,), metrics, Champion(version=1, items=20))[0].passed
