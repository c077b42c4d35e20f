from datetime import UTC, datetime, timedelta

import pytest

from tasks.judge.anchor import anchor_of, reigns
from tasks.judge.champion import standing_champion
from tasks.registry.history import Entry
from tasks.registry.promote import promote_version, rollback
from tasks.stage.tracking import client

NOW = datetime(2026, 11, 29, tzinfo=UTC)


def entry(version: int, days: int, action: str = "promoted") -> Entry:
    when = (NOW - timedelta(days=days)).isoformat()
    return Entry(when=when, who="ada", action=action, from_version=None, to_version=version, reason="")


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([], []),
        ([entry(1, 40), entry(2, 3)], [1, 2]),
        ([entry(1, 900), entry(2, 366), entry(3, 364)], [2, 3]),
        ([entry(1, 900), entry(2, 500, "refused"), entry(3, 1)], [1, 3]),
        ([entry(1, 900), entry(2, 800), entry(1, 700, "rolled_back"), entry(3, 20), entry(1, 5, "rolled_back")], [1, 3]),
    ],
    ids=["none yet", "young", "a year ago", "refused", "rolled back"],
)
def test_the_anchor_is_who_was_champion_a_year_ago_or_the_first(entries: list[Entry], expected: list[int]) -> None:
    assert reigns(entries, NOW) == expected


@pytest.fixture
def line(registrar):
    """Three versions of a name, each champion after the other."""

    def make(name: str):
        for number in (1, 2, 3):
            folder = registrar.bundle(name, number)
            card = folder / "bundle.json"
            card.write_text(card.read_text().replace('"kind"', '"format": {"length": 80}, "kind"'))
            registrar.register(name, number, loss=0.5)
            promote_version(registrar.workspace, name, number)
        return registrar.workspace

    return make


def test_the_first_champion_is_the_anchor_until_it_cannot_be_measured(line) -> None:
    workspace = line("chain")
    store, champion = client(workspace), standing_champion(workspace, "chain")
    assert anchor_of(workspace, champion).version == 1
    other = champion.model_copy(update={"format": {"length": 90}})
    assert anchor_of(workspace, other) is None, "none has that format"
    store.delete_model_version("chain", "1")
    assert anchor_of(workspace, champion).version == 2
    store.set_registered_model_alias("chain", "anchor", "3")
    assert anchor_of(workspace, champion) is None, "the champion itself"
    store.delete_registered_model_alias("chain", "anchor")
    rollback(workspace, "chain")
    assert anchor_of(workspace, standing_champion(workspace, "chain")) is None, "the oldest is champion"
