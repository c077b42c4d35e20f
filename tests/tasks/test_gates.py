import pytest

from tasks.gates import Gate, judge

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
