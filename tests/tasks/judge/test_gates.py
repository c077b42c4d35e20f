import pytest

from tasks.judge.gates import Champion, Gate, judge, passes, refusals

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
    verdict = judge((gate,), METRICS, champion=None)[0]
    assert verdict.passed is passed, verdict.reason
    assert (verdict.verdict == "passed") == (passed and limit is not None)
    assert verdict.limit == (None if limit is None else pytest.approx(limit))


def test_the_first_model_passes_a_gate_against_the_champion() -> None:
    verdict = judge((Gate(metric="bits_per_byte", reference="champion"),), METRICS, champion=None)[0]
    assert (verdict.passed, verdict.verdict) == (True, "not_applicable")
    assert "no champion yet" in verdict.reason


def test_a_metric_that_was_not_measured_never_gets_a_tick() -> None:
    gate = Gate(metric="coverage", compare="at_least", offset=0.9)
    for optional in (True, False):
        verdict = judge((gate.model_copy(update={"optional": optional}),), METRICS, None)[0]
        assert (verdict.passed, verdict.verdict) == (optional, "not_applicable")
        assert "coverage was not measured" in verdict.reason
    assert refusals(judge((gate,), METRICS, None)).startswith("1 of 1 gates did not pass: coverage at least 0.9 (coverage was")
    assert (
        passes(judge((gate.model_copy(update={"optional": True}),), METRICS, None)) == "0 of 1 gates passed, 1 not applicable"
    )


def test_a_gate_says_which_member_was_not_beaten() -> None:
    verdict = judge((Gate(metric="bits_per_byte", reference="best_member", significant=True),), METRICS, None)[0]
    assert "rnn" in verdict.reason
    assert "ngram" not in verdict.reason
    assert verdict.verdict == "not_told_apart"


def test_an_interval_that_includes_zero_says_how_many_items_would_tell() -> None:
    metrics = {"bits_per_byte": {**BITS, "items": 100}}
    verdict = judge((Gate(metric="bits_per_byte", reference="best_member", significant=True),), metrics, None)[0]
    assert "about 460 test items would tell a difference of 0.02" in verdict.reason  # 100 x (1.43 x 0.03 / 0.02)^2


def test_a_figure_within_its_limit_is_doubted_aloud_where_the_items_do_not_tell() -> None:
    versus = {"baseline": {"value": -0.1, "low": -1.2, "high": 1.3}}
    metrics = {"frechet_distance": {"value": 1.1, "baseline": 1.2, "items": 19, "versus": versus}}
    verdict = judge((Gate(metric="frechet_distance", reference="baseline", factor=1.5),), metrics, None)[0]
    assert verdict.passed
    assert verdict.reason == "1.1 is at most 1.8; not told apart: about 220 test items would tell a difference of 0.6"


def test_what_is_worse_than_a_member_is_not_called_unclear() -> None:
    metrics = {"loss": {"value": 1.0, "best_member": 1.1, "versus": {"ridge": {"value": 0.1, "low": 0.05, "high": 0.15}}}}
    verdict = judge((Gate(metric="loss", reference="best_member", significant=True),), metrics, None)[0]
    assert (verdict.verdict, "worse than ridge" in verdict.reason) == ("failed", True)


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
    ("metrics", "outcome", "words"),
    [
        (
            against(1.49, -0.02, -0.005),
            "passed",
            "better, bits per byte 1.49 against the champion's 1.5 on the same 177 test items",
        ),
        (against(1.505, -0.005, 0.014), "passed", "not worse by more than 0.015, bits per byte 1.505"),
        (against(1.505, 0.001, 0.009), "passed", "not worse by more than 0.015, bits per byte 1.505"),
        (against(1.51, 0.005, 0.016), "failed", "worse, bits per byte 1.51"),
        (against(1.52, -0.01, 0.05), "not_told_apart", "about 1,500 test items would tell a difference of 0.015 bits per byte"),
        (against(1.51, 0.0, 0.02), "not_told_apart", "about 1,500 test items would tell a difference of 0.005 bits per byte"),
        (against(1.51, 0.01, 0.01), "not_told_apart", "not told apart; bits per byte 1.51"),
        (against(1.5, 0.0, 0.0), "passed", "not worse"),
        (against(float("nan"), float("nan"), float("nan")), "not_told_apart", "not told apart"),
    ],
    ids=["better", "as good", "worse within", "worse", "few items", "near the margin", "no width", "the same", "nothing"],
)
def test_a_challenger_is_held_against_the_champion_on_the_same_items(metrics: dict, outcome: str, words: str) -> None:
    verdict = judge((AS_GOOD,), metrics, CHAMPION)[0]
    assert (verdict.verdict, verdict.passed) == (outcome, outcome == "passed")
    assert words in verdict.reason
    assert "difference" in verdict.reason


def test_a_champion_that_was_not_measured_on_the_same_items_tells_nothing() -> None:
    verdict = judge((AS_GOOD,), {"bits_per_byte": {"value": 0.05}}, CHAMPION)[0]
    assert (verdict.verdict, verdict.limit) == ("not_told_apart", pytest.approx(0.101))
    assert verdict.reason == "not told apart: the champion, version 1, was not measured on the same test items"


def test_too_few_items_that_the_champions_data_held_tell_nothing_either() -> None:
    champion = CHAMPION.model_copy(update={"shared_metrics": against(1.5, -0.06, 0.06), "shared_items": 12})
    verdict = judge((AS_GOOD,), against(1.49, -0.02, -0.005), champion)[0]
    assert verdict.verdict == "not_told_apart"
    assert "about 400 test items would tell a difference of 0.015" in verdict.reason


def test_another_seed_of_the_same_recipe_is_not_called_better() -> None:
    lucky = against(1.48, -0.025, -0.015)
    for seeds, words in ((0.0, "better"), (0.012, "not worse by more than 0.015")):
        verdict = judge((AS_GOOD.model_copy(update={"seeds": seeds}),), lucky, CHAMPION)[0]
        assert verdict.passed
        assert verdict.reason.startswith(words)


def test_small_allowances_do_not_add_up_past_the_anchor() -> None:
    metrics = against(1.505, 0.003, 0.007)
    metrics["bits_per_byte"] |= {"anchor": 1.48}
    metrics["bits_per_byte"]["versus"]["anchor"] = {"value": 0.025, "low": 0.022, "high": 0.028}
    champion, anchor = judge((AS_GOOD,), metrics, CHAMPION.model_copy(update={"anchor": 4}))
    assert champion.passed
    assert (anchor.name, anchor.verdict) == ("bits_per_byte at most 1.01 x anchor", "failed")
    assert "worse, bits per byte 1.505 against the anchor's 1.48 (version 4) on the same 177 test items" in anchor.reason


def test_a_gate_against_an_anchor_waits_for_one() -> None:
    gate = AS_GOOD.model_copy(update={"reference": "anchor"})
    for champion in (None, CHAMPION):
        assert judge((gate,), against(1.5, 0.0, 0.0), champion)[0].verdict == "not_applicable"


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
    assert "better" in judge((gate,), against(1.52, 0.01, 0.03), CHAMPION)[0].reason
    assert judge((gate,), against(1.495, -0.01, 0.0), CHAMPION)[0].verdict == "passed"
    assert judge((gate,), against(1.49, -0.017, -0.003), CHAMPION)[0].verdict == "failed"


def test_a_champion_that_cannot_be_measured_is_said_and_refuses_nothing() -> None:
    verdict = judge((AS_GOOD,), against(1.49, 0.0, 0.0), Champion(version=1, misfit="the labels are others"))[0]
    assert (verdict.passed, verdict.verdict) == (True, "not_applicable")
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
    assert (against.passed, against.verdict) == (False, "not_told_apart")
    assert against.reason.startswith("not told apart")
    assert against.reason.endswith("difference -0.9, too few test items, or too short a test time, for an interval")
    significant = Gate(metric="crps", reference="champion", significant=True)
    assert not judge((significant,), metrics, Champion(version=1, items=20))[0].passed
