"""A week of nightly retrainings under a fake clock: every stage, the registry and the gates are real, Prefect is left out.

`pytest -s tests/flows/test_retraining.py` prints the table that stands in docs/retraining.md.
"""

import hashlib
import json
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import SimpleNamespace

import pytest

from flows.champions import champion_gates
from flows.config import PipelineConfig, preset_of
from flows.due import RetrainConfig
from flows.pipeline import produce
from flows.recipes import registered_name
from flows.retraining import against, retrain
from tasks.judge.champion import ChampionRef
from tasks.judge.gates import Gate
from tasks.registry import due, recipe
from tasks.registry.register import aliases_of
from tasks.stage.lease import leased
from tasks.stage.tracking import client

LETTER = "the ship carries grain and coal to a harbour in the north where men wait with carts for it every morning"
WORDS = LETTER.split()
CONFIG = {
    "data": {"source": {"name": "week", "location": "", "modality": "text"}},
    "training": {
        "members": [{"family": "rnn", "size": "debug", "steps": 30}],
        "baseline": {"family": "ngram"},
        "baseline_joins": True,
    },
    "evaluation": {"metrics": ["bits_per_byte"], "samples": 16, "shown": 1},
    # wider than the preset's, since a dozen items tell no smaller difference
    "promotion": {"gates": [{"metric": "bits_per_byte", "reference": "champion", "factor": 1.05}]},
    "generation": {"count": 1},
}


def letter(number, spoiled=False):
    """A sentence of its own; a spoiled one is the same with its letters shaken."""
    chance = random.Random(number)
    words = [chance.choice(WORDS) for _ in range(14)]
    text = f"{' '.join(words)} {hashlib.sha256(str(number).encode()).hexdigest()[:6]}"
    return "".join(chance.sample(text, len(text))) if spoiled else text


@dataclass
class Nights:
    """A folder that letters arrive in, a clock, and what each night's run answered."""

    workspace: object
    config: dict
    moment: datetime = datetime(2026, 3, 1, 2, 0)
    events: list = field(default_factory=list)
    stages: list = field(default_factory=list)

    @property
    def name(self):
        return self.config["data"]["source"]["name"]

    @property
    def folder(self):
        return self.workspace.root / "letters" / self.name

    def arrive(self, first, count, spoiled=False):
        self.folder.mkdir(parents=True, exist_ok=True)
        for number in range(first, first + count):
            (self.folder / f"{number:04}.txt").write_text(letter(number, spoiled))

    def night(self, event, days=1, **options):
        """The schedule's run at 02:00, `days` after the last one."""
        self.moment += timedelta(days=days)
        outcome = retrain(RetrainConfig(name=self.name, **options))
        self.events.append((f"{self.moment:%a}", event, outcome))
        return outcome

    def champion_is_the_newest(self):
        store = client(self.workspace)
        newest = max(int(version.version) for version in store.search_model_versions(f"name = '{self.name}'"))
        store.set_registered_model_alias(self.name, "champion", str(newest))

    @property
    def trained(self):
        """The trainings of members so far."""
        return [stage for stage in self.stages if stage == "finetune"]

    @property
    def champion(self):
        return aliases_of(client(self.workspace), self.name).get("champion")


@pytest.fixture
def nights(request, plain_flows, monkeypatch):
    """The first champion is there, of a name for each test."""
    workspace, name = plain_flows.workspace, request.node.name.removeprefix("test_a_")
    source = {**CONFIG["data"]["source"], "name": name, "location": str(workspace.root / "letters" / name)}
    config = {**CONFIG, "data": {"source": source}}
    made = Nights(workspace, config)
    made.stages = plain_flows.made
    monkeypatch.setattr(due, "now", lambda: made.moment.isoformat(timespec="seconds"))
    made.arrive(0, 120)
    produce(PipelineConfig.model_validate(config))
    return made


@pytest.mark.slow
def test_a_week(nights):
    first = nights.champion
    assert first == 2, "the plain method, which 14 validation items cannot tell from the ensemble, version 1"
    trained = len(nights.trained)

    quiet = nights.night("nothing came")
    assert (quiet.decision, quiet.version) == ("not_due", first)

    nights.arrive(1000, 100)
    grown = nights.night("100 new letters")
    assert grown.decision == "promoted", grown.reason
    assert "data: 100 new files (1000.txt" in grown.reason
    assert "against the champion's" in grown.reason
    assert "that the champion's data held" in grown.reason
    assert grown.figures["bits_per_byte"]["champion"] == pytest.approx(
        grown.figures["bits_per_byte"]["value"] - grown.figures["bits_per_byte"]["difference"]
    )
    assert nights.champion == grown.version == first + 1

    nights.arrive(2000, 20)
    late = [nights.night("20 new letters; the machine was off for two nights, three runs come at once", days=3)]
    late += [nights.night("the second of them", days=0), nights.night("the third", days=0)]
    assert [outcome.decision for outcome in late] == [late[0].decision, "not_due", "not_due"]
    assert late[0].decision in {"promoted", "refused"}

    nights.config["training"] = {**nights.config["training"], "seed": 1}
    recipe.keep(nights.workspace, "week", PipelineConfig.model_validate(nights.config))
    with leased(nights.workspace, "week"):
        second = nights.night("another seed in the recipe, and somebody retrains by hand at the same time")
    assert second.decision == "not_due"
    assert "another retraining of week is under way" in second.reason
    changed = nights.night("the same run once that one has ended", days=0)
    assert "config: training.seed default -> 1" in changed.reason
    newest = max(nights.workspace.stages.glob("evaluate-*/evaluation"), key=lambda folder: folder.stat().st_mtime)
    assert json.loads((newest / "champion.json").read_text())["anchor"] == first, "the first champion is measured too"
    assert json.loads((newest / "metrics.json").read_text())["bits_per_byte"]["versus"]["anchor"]

    before, count = nights.champion, len(nights.trained)
    nights.arrive(3000, 400, spoiled=True)
    spoiled = nights.night("400 new letters, their characters shaken")
    assert spoiled.decision == "refused", spoiled.reason
    assert "worse" in spoiled.reason.split("and on")[0]
    assert nights.champion == before
    again = nights.night("nothing came", days=1)
    assert again.decision == "not_due"
    assert f"version {spoiled.version} was refused" in again.reason
    assert len(nights.trained) > count > trained
    assert [line.decision for line in due.record(nights.workspace, "week")][-1] == "refused"
    table(nights)


@pytest.mark.slow
def test_new_data_of_the_same_kind_are_not_due_where_drift_is_asked_for(nights, monkeypatch):
    nights.arrive(1000, 40)
    assert nights.night("40 new letters").decision in {"promoted", "refused"}
    nights.champion_is_the_newest()
    trained = len(nights.trained)

    nights.arrive(2000, 20)
    for _ in range(2):
        quiet = nights.night("20 new letters", drift=0.1)
        assert quiet.decision == "not_due", quiet.reason
        assert "data: 20 new files" in quiet.reason
        assert "below 0.1" in quiet.reason
    assert len(nights.trained) == trained
    assert (nights.workspace.state / "retraining" / f"{nights.name}.drift.json").exists()

    nights.arrive(3000, 120, spoiled=True)
    moved = nights.night("120 letters, their characters shaken", drift=0.1)
    assert moved.decision in {"promoted", "refused"}
    assert moved.drift > 0.1
    assert "above 0.1" in moved.reason
    assert len(nights.trained) > trained


@pytest.mark.slow
def test_a_run_measures_the_champion_on_the_same_items(nights):
    config = PipelineConfig.model_validate(nights.config)
    measured, first = len(list(nights.workspace.stages.glob("evaluate-*"))), nights.champion
    nights.arrive(1000, 60)
    outcome = produce(config)
    verdict, strange = outcome.decision.gates
    assert "test items, difference" in verdict.reason, verdict.reason
    assert (strange.name, strange.verdict) == ("strange_share at most champion + 0.1", "not_applicable"), "as in the preset"
    assert "that the champion's data held" in verdict.reason
    beside = json.loads((outcome.trained.evaluation.path(nights.workspace) / "champion.json").read_text())
    assert (beside["version"], beside["misfit"]) == (first, "")

    nights.champion_is_the_newest()
    trained = len(nights.trained)
    again = produce(config)
    assert again.trained.evaluation == outcome.trained.evaluation
    assert again.decision == outcome.decision
    assert len(nights.trained) == trained
    assert len(list(nights.workspace.stages.glob("evaluate-*"))) == measured + 1


def table(nights):
    print("\n| night | what happened before | decision | version | reason |\n|---|---|---|---|---|")
    for day, event, outcome in nights.events:
        print(f"| {day} | {event} | {outcome.decision.replace('_', ' ')} | {outcome.version or ''} | {outcome.reason} |")


def test_a_recipe_without_a_gate_against_the_champion_gets_those_of_its_modality_and_task():
    assert [gate.metric for gate in champion_gates((), "text")] == ["bits_per_byte", "strange_share"]
    gates = (Gate(metric="bits_per_byte", reference="champion"), Gate(metric="strange_share", reference="baseline"))
    assert [gate.metric for gate in champion_gates(gates, "text")] == ["strange_share"]
    assert [gate.metric for gate in champion_gates((), preset_of("text", "classify"))] == ["macro_f1"]
    assert {champion_gates((), modality)[0].reference for modality in ("image", "audio", "series")} == {"champion"}


def test_the_challenger_keeps_the_champions_format_and_starts_from_its_weights_if_wanted(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "card.json").write_text('{"format": {"length": 90}}')
    members = [{"name": "rnn", "family": "rnn", "modality": "text", "params": 1, "outputs": ["x"], "sha256": ""}]
    champion = ChampionRef(
        outputs=("x",), sha256="", model="week", version=1, modality="text", labels=(), format={"length": 80}, members=members
    )
    config = PipelineConfig.model_validate(CONFIG)
    data = SimpleNamespace(modality="text", path=lambda workspace: tmp_path / "data")
    assert against(config, None, "warm", data) == config
    warm, cold = (against(config, champion, start, data).training for start in ("warm", "scratch"))
    assert warm.encode.format == {"length": 80}
    assert [member.start for member in (*warm.members, *cold.members)] == ["champion", "random"]
    assert registered_name(config) == "week"
