from __future__ import annotations

import json

import pytest

from aigc_models.errors import BadInput
from tasks.stage.stage import StageContext
from tasks.version.restore import RestoreSettings, restore

pytestmark = pytest.mark.slow  # DVC's command line takes half a second a call


def restored(history, version):
    settings = RestoreSettings(name="letters", version=version)
    return restore.plain(settings, StageContext(history.workspace.state / "restore", history.workspace))


def test_an_earlier_version_is_what_is_learnt_from_until_another_takes_its_place(history):
    first, second = history.versions
    old = restored(history, first[:6])
    card = json.loads((history.workspace.data / "letters" / "card.json").read_text())
    assert (old.version, old.rows, old.splits["train"]) == (first, card["counts"]["kept"], card["splits"]["train"]["rows"])
    assert old.intact(history.workspace)
    new = restored(history, second)
    assert new.rows > old.rows
    assert new.intact(history.workspace)
    assert not old.intact(history.workspace)


def test_a_version_that_the_ledger_does_not_say_is_current_is_not_trusted(history):
    first, second = history.versions
    new = restored(history, second)
    ledger = history.workspace.state / "versions.jsonl"
    lines = ledger.read_text().splitlines()
    ledger.write_text("\n".join([*lines, next(line for line in lines if first in line)]) + "\n")
    assert not new.intact(history.workspace)  # data.dvc may say another state than data/ holds: the stage runs again


def test_an_unknown_version_is_refused(history):
    with pytest.raises(BadInput, match="unknown version of letters"):
        restored(history, "zz")
