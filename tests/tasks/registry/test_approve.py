import pytest

from aigc_models.errors import BadInput
from tasks.judge.gates import Gate
from tasks.registry.approve import approve, reject, waiting
from tasks.registry.history import history
from tasks.registry.promote import PromotionSettings, promote, promote_version
from tasks.registry.register import aliases_of
from tasks.stage.stage import StageContext
from tasks.stage.tracking import client

BY_HAND = PromotionSettings(gates=(Gate(metric="loss", reference="baseline"),), approval="by_hand")


def put(registrar, name, number, loss=0.5):
    registered = registrar.register(name, number, loss=loss)
    context = StageContext(registrar.workspace.outputs, registrar.workspace)
    return promote.plain(registered, registrar.evaluations[name], BY_HAND, context=context).decision


def aliases(registrar, name):
    return aliases_of(client(registrar.workspace), name)


def test_the_version_that_waits_becomes_champion(registrar):
    assert [put(registrar, "liked", number) for number in (1,)] == ["awaiting_approval"]
    entry = approve(registrar.workspace, "liked", "good sevens")
    assert (entry.action, entry.to_version, entry.reason) == ("promoted", 1, "approved: good sevens")
    assert aliases(registrar, "liked") == {"champion": 1}
    assert [entry.action for entry in history(registrar.workspace, "liked")] == ["awaiting_approval", "promoted"]


def test_a_rejected_version_is_no_challenger_and_the_champion_stays(registrar):
    registrar.register("disliked", 1, loss=0.5)
    promote_version(registrar.workspace, "disliked", 1)
    assert put(registrar, "disliked", 2) == "awaiting_approval"
    entry = reject(registrar.workspace, "disliked", "blurred")
    assert (entry.action, entry.from_version, entry.to_version, entry.reason) == ("rejected", 1, 2, "rejected: blurred")
    assert aliases(registrar, "disliked") == {"champion": 1}
    with pytest.raises(BadInput, match="no version of disliked waits"):
        approve(registrar.workspace, "disliked")


def test_what_was_refused_or_decided_does_not_wait(registrar):
    assert put(registrar, "bad", 1, loss=2.0) == "refused"
    with pytest.raises(BadInput, match="no version of bad waits"):
        waiting(registrar.workspace, "bad")
    assert put(registrar, "bad", 2) == "awaiting_approval"
    assert waiting(registrar.workspace, "bad") == 2
    approve(registrar.workspace, "bad")
    with pytest.raises(BadInput, match="no version of bad waits"):
        reject(registrar.workspace, "bad")
    with pytest.raises(BadInput, match="unknown model"):
        approve(registrar.workspace, "badd")
