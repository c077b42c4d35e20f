import pytest

from aigc_models.errors import BadInput
from tasks.registry.promote import promote_version, rollback
from tasks.registry.reconcile import champion_at, reconciled
from tasks.stage.tracking import client


def moves(registrar, name):
    return [(line.action, line.from_version, line.to_version) for line in reconciled(registrar.workspace, name)]


def test_moves_outside_stand_where_they_were_made(registrar):
    for number in (1, 2, 3, 4):
        registrar.register("outside", number)
    store, workspace = client(registrar.workspace), registrar.workspace
    assert moves(registrar, "outside") == []
    store.set_registered_model_alias("outside", "champion", "1")
    assert moves(registrar, "outside") == [("moved_outside", None, 1)]
    promote_version(workspace, "outside", 2)
    store.set_registered_model_alias("outside", "champion", "4")
    promote_version(workspace, "outside", 3)
    rollback(workspace, "outside")
    store.delete_registered_model_alias("outside", "champion")
    assert moves(registrar, "outside") == [
        ("moved_outside", None, 1),
        ("promoted", 1, 2),
        ("moved_outside", 2, 4),
        ("promoted", 4, 3),
        ("rolled_back", 3, 4),
        ("moved_outside", 4, None),
    ]
    first, second = (line for line in reconciled(workspace, "outside") if line.action == "promoted")
    between = reconciled(workspace, "outside")[2]
    assert (between.after, between.when) == (first.when, second.when)


def test_nothing_is_said_of_a_champion_that_only_aigc_moved(registrar):
    for number in (1, 2):
        registrar.register("inside", number)
    promote_version(registrar.workspace, "inside", 1)
    promote_version(registrar.workspace, "inside", 2)
    assert moves(registrar, "inside") == [("promoted", None, 1), ("promoted", 1, 2)]


def test_which_version_was_champion_then(registrar):
    for number in (1, 2):
        registrar.register("dated", number)
    promote_version(registrar.workspace, "dated", 1)
    promote_version(registrar.workspace, "dated", 2)
    lines = reconciled(registrar.workspace, "dated")
    first, second = (line.when for line in lines)
    assert champion_at(lines, "2020-01-31").champion is None
    assert champion_at(lines, first).champion == 1
    assert champion_at(lines, second).champion == 2
    assert champion_at(lines, "2999-01-01").line == lines[1]
    assert champion_at(lines, second).certain


def test_where_a_move_outside_may_have_come_between_it_is_said(registrar):
    for number in (1, 2):
        registrar.register("doubtful", number)
    promote_version(registrar.workspace, "doubtful", 1)
    client(registrar.workspace).set_registered_model_alias("doubtful", "champion", "2")
    lines = reconciled(registrar.workspace, "doubtful")
    asked = champion_at(lines, lines[0].when)
    assert (asked.champion, asked.certain) == (1, False)
    assert champion_at(lines, "2999-01-01").certain
    assert champion_at(lines, "2999-01-01").champion == 2


@pytest.mark.parametrize("at", ["yesterday", "2026-13-01", "31.01.2026", ""])
def test_a_time_that_is_none(at):
    with pytest.raises(BadInput, match=r"--at .*: no date or time"):
        champion_at([], at)
