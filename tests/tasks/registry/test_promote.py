import pytest

from aigc_models.errors import BadInput
from tasks.judge.gates import Gate
from tasks.registry.history import history, who
from tasks.registry.promote import Decision, PromotionSettings, promote, promote_version, rollback
from tasks.registry.register import aliases_of
from tasks.stage.stage import StageContext
from tasks.stage.tracking import client

LOSS_BELOW_BASELINE = PromotionSettings(gates=(Gate(metric="loss", reference="baseline"),))


def decide(
    registrar, name: str, number: int, settings: PromotionSettings = LOSS_BELOW_BASELINE, champion=None, **metrics: float
) -> Decision:
    registered = registrar.register(name, number, champion=champion, **metrics)
    context = StageContext(registrar.workspace.outputs, registrar.workspace)
    return promote.plain(registered, registrar.evaluations[name], settings, context=context)


def aliases(registrar, name: str) -> dict[str, int]:
    return aliases_of(client(registrar.workspace), name)


def test_a_better_version_takes_the_champions_place(registrar) -> None:
    assert decide(registrar, "better", 1, loss=0.9).decision == "promoted"
    assert aliases(registrar, "better") == {"champion": 1}
    decision = decide(registrar, "better", 2, loss=0.8)
    assert (decision.decision, decision.version, decision.alias) == ("promoted", 2, "champion")
    assert aliases(registrar, "better") == {"champion": 2, "previous": 1}


def test_a_worse_version_is_refused_and_the_ledger_says_why(registrar) -> None:
    decide(registrar, "worse", 1, loss=0.5)
    decision = decide(registrar, "worse", 2, loss=1.5)
    assert decision.decision == "refused"
    assert decision.gates[0].limit == 1.0
    assert aliases(registrar, "worse") == {"champion": 1, "challenger": 2}
    last = history(registrar.workspace, "worse")[-1]
    assert (last.action, last.from_version, last.to_version, last.figures) == ("refused", 1, 2, {"loss": 1.5})
    assert "1.5 is not at most 1" in last.reason


def test_a_gate_may_compare_with_the_champion(registrar) -> None:
    settings = PromotionSettings(gates=(Gate(metric="loss", reference="champion", factor=1.2),))
    assert decide(registrar, "abreast", 1, settings, loss=0.5).decision == "promoted"
    worse = decide(registrar, "abreast", 2, settings, (1, 0.5), loss=0.6)
    assert (worse.decision, worse.gates[0].verdict) == ("refused", "failed")
    assert decide(registrar, "abreast", 3, settings, (1, 0.5), loss=0.4).decision == "promoted"
    assert aliases(registrar, "abreast")["champion"] == 3


def test_what_the_test_items_cannot_tell_is_not_promoted_over_a_champion(registrar) -> None:
    settings = PromotionSettings(gates=(Gate(metric="loss", reference="champion", factor=1.01),))
    assert decide(registrar, "unclear", 1, settings, loss=0.5).decision == "promoted"
    decision = decide(registrar, "unclear", 2, settings, (1, 0.5), loss=0.49)
    assert (decision.decision, decision.gates[0].verdict) == ("refused", "not_told_apart")
    assert "1 of 1 gates did not pass" in decision.reason
    assert "about 11,000 test items would tell a difference of 0.005" in decision.reason
    assert aliases(registrar, "unclear")["champion"] == 1


def test_one_that_never_met_the_champion_is_not_promoted_on_figures_of_other_items(registrar) -> None:
    settings = PromotionSettings(gates=(Gate(metric="loss", reference="champion"),))
    for number, loss, expected in ((1, 0.5, "promoted"), (2, 0.4, "refused")):
        assert decide(registrar, "strangers", number, settings, loss=loss).decision == expected
    assert "was not measured on the same test items" in history(registrar.workspace, "strangers")[-1].reason


def test_a_version_that_needs_approval_waits(registrar) -> None:
    settings = PromotionSettings(approval="by_hand")
    decision = decide(registrar, "asked", 1, settings, loss=0.5)
    assert decision.decision == "awaiting_approval"
    assert "aigc models approve asked" in decision.reason
    assert aliases(registrar, "asked") == {"challenger": 1}


def test_a_run_that_is_repeated_does_not_undo_a_rollback_and_writes_down_once_that_it_did_not(registrar) -> None:
    for number in (1, 2):
        decide(registrar, "repeated", number, loss=0.5)
    rollback(registrar.workspace, "repeated", "it repeats itself")
    for _ in range(2):
        decision = decide(registrar, "repeated", 2, loss=0.5)
        assert decision.decision == "refused"
        assert "version 2 was taken back by" in decision.reason
        assert "(it repeats itself); `aigc models promote repeated 2`" in decision.reason
    assert aliases(registrar, "repeated")["champion"] == 1
    assert [entry.action for entry in history(registrar.workspace, "repeated")].count("refused") == 1
    promote_version(registrar.workspace, "repeated", 2)
    assert decide(registrar, "repeated", 2, loss=0.5).decision == "promoted"


def test_a_refusal_is_written_down_once(registrar) -> None:
    for _ in range(2):
        assert decide(registrar, "again", 1, loss=1.5).decision == "refused"
    assert len(history(registrar.workspace, "again")) == 1


def test_promoting_twice_writes_once(registrar) -> None:
    for _ in range(2):
        assert decide(registrar, "twice", 1, loss=0.5).decision == "promoted"
    assert len(history(registrar.workspace, "twice")) == 1


def test_rollback_changes_places_and_history_keeps_all(registrar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIGC_USER", "ada")
    for number in (1, 2):
        decide(registrar, "back", number, loss=0.5)
    rollback(registrar.workspace, "back", "it repeats itself")
    assert aliases(registrar, "back") == {"champion": 1, "previous": 2}
    promote_version(registrar.workspace, "back", 2)
    assert aliases(registrar, "back") == {"champion": 2, "previous": 1}
    entries = history(registrar.workspace, "back")
    assert [(entry.action, entry.from_version, entry.to_version) for entry in entries] == [
        ("promoted", None, 1),
        ("promoted", 1, 2),
        ("rolled_back", 2, 1),
        ("promoted", 1, 2),
    ]
    assert {entry.who for entry in entries} == {"ada"}
    assert entries[2].reason == "it repeats itself"
    assert [entry.when for entry in entries] == sorted(entry.when for entry in entries)


def test_what_cannot_be_done_is_said(registrar) -> None:
    registrar.register("stuck", 1)
    with pytest.raises(BadInput, match="no previous champion"):
        rollback(registrar.workspace, "stuck")
    with pytest.raises(BadInput, match="no version '9'; there are: 1"):
        promote_version(registrar.workspace, "stuck", 9)
    with pytest.raises(BadInput, match="did you mean 'stuck'"):
        history(registrar.workspace, "stcuk")
    assert history(registrar.workspace, "stuck") == []


def test_who_is_the_account_unless_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AIGC_USER", raising=False)
    assert who()
    monkeypatch.setenv("AIGC_USER", "grace")
    assert who() == "grace"
