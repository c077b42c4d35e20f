import pytest

from aigc_models.errors import BadInput
from tasks.judge.gates import Gate
from tasks.registry.history import history
from tasks.registry.move_champion import Moved, MoveSettings, move_champion
from tasks.registry.register import aliases_of
from tasks.stage.stage import StageContext
from tasks.stage.tracking import client


def move(registrar, **settings) -> Moved:
    context = StageContext(registrar.workspace.outputs, registrar.workspace)
    return move_champion.plain(MoveSettings(**settings), context=context)


def aliases(registrar, name: str) -> dict[str, int]:
    return aliases_of(client(registrar.workspace), name)


def test_the_challenger_becomes_champion_where_no_version_is_named(registrar):
    registrar.register("moved", 1, loss=0.5)
    assert move(registrar, name="moved").version == 1
    registrar.register("moved", 2, loss=0.6)
    moved = move(registrar, name="moved", reason="the team likes it")
    assert (moved.decision, moved.version) == ("promoted", 2)
    assert aliases(registrar, "moved") == {"champion": 2, "previous": 1}
    assert history(registrar.workspace, "moved")[-1].reason == "the team likes it"


def test_gates_hold_against_the_champion_on_the_same_items(registrar):
    registrar.register("gated_move", 1, loss=0.5)
    move(registrar, name="gated_move")
    gates = (Gate(metric="loss", reference="champion"), Gate(metric="loss", reference="baseline"))
    for number, champion, words in ((2, None, "not measured on the same test items"), (3, (1, 0.5), "worse, loss 0.6")):
        registrar.register("gated_move", number, champion=champion, loss=0.6)
        moved = move(registrar, name="gated_move", gates=gates)
        assert (moved.decision, [gate.passed for gate in moved.gates]) == ("refused", [False, True])
        assert words in moved.reason
    assert aliases(registrar, "gated_move") == {"champion": 1, "challenger": 3}
    registrar.register("gated_move", 4, champion=(1, 0.5), loss=0.4)
    assert move(registrar, name="gated_move", gates=gates).decision == "promoted"


def test_a_rollback_makes_previous_champion_again(registrar):
    for number in (1, 2):
        registrar.register("turned_back", number, loss=0.5)
        move(registrar, name="turned_back")
    moved = move(registrar, name="turned_back", action="rollback", reason="complaints")
    assert (moved.decision, moved.version, moved.reason) == ("rolled_back", 1, "complaints")


def test_a_version_that_is_not_there_is_named(registrar):
    registrar.register("named", 1, loss=0.5)
    with pytest.raises(BadInput, match="named has no version '7'"):
        move(registrar, name="named", version=7)
