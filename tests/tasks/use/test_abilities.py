import pytest

from aigc_models.errors import BadInput
from tasks.stage.settings import Workspace
from tasks.use import abilities
from tasks.use.generate import identity_of


def test_an_ensemble_can_what_a_member_can_and_classifies_by_likelihood(capable):
    assert abilities.abilities(capable["mind"]) == {"scores", "streams", "encodes", "classifies"}
    assert abilities.abilities(capable["waves"]) == {"generates", "forecasts"}


def test_who_cannot_says_what_it_can_and_who_can(capable, monkeypatch):
    identity = identity_of(capable["waves"])
    abilities.require(Workspace.current(), capable["waves"], identity, "forecast")
    monkeypatch.setattr(abilities, "_able", lambda workspace, capability: ["digits", "mind"])
    with pytest.raises(BadInput, match=r"waves version 0 cannot classify; it forecasts, generates.*classify: digits, mind"):
        abilities.require(Workspace.current(), capable["waves"], identity, "classify")
