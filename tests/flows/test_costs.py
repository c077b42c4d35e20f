from __future__ import annotations

import math

import pytest

from flows.command_line.planning import _left
from flows.config import RunConfig, compose
from flows.costs import Cost, as_json, earlier_costs, expected, line, without_cached
from tasks.stage.durations import Earlier
from tasks.stage.execution import Execution, Timing
from tasks.stage.references import CorpusRef
from tasks.stage.settings import Workspace
from tasks.train.speed import Speed

ABOUT = {
    "dataset": "letters",
    "version": "v",
    "outputs": (),
    "sha256": "s",
    "splits": {"train": 800, "validation": 100, "test": 100},
}
NOTES = CorpusRef(modality="audio", labels=("low", "high"), format={"rate": 8000, "samples": 4096, "channels": 1}, **ABOUT)
TEXTS = CorpusRef(modality="text", labels=(), format={"length": 256}, **ABOUT)
SOURCE = {"source": {"name": "letters", "location": "somewhere", "modality": "audio"}}


def run(preset: str, budget: str | None, *settings: str) -> RunConfig:
    return compose(preset, SOURCE, budget, list(settings))


@pytest.mark.parametrize(
    ("budget", "samples", "pool", "drawn"),
    [("15s", 128, 250, 128), ("30s", 256, 500, 256), ("60s", 512, 1000, None), ("1h", 512, 1000, None)],
)
def test_what_is_measured_grows_with_the_training_up_to_a_minute(budget, samples, pool, drawn):
    config = run("audio", budget).runs[0]
    assert (config.judging().samples, config.judging().pool, config.training.combining().drawn) == (samples, pool, drawn)


def test_all_is_measured_where_that_is_asked_for_or_steps_are_stated():
    assert run("audio", "15s", "evaluation.full=true").runs[0].judging().samples == 512
    assert compose("sample", None, None, ["training.budget=5s"]).runs[0].judging().samples == 512
    assert math.isinf(compose("sample", None, None, []).runs[0].training.length)


def test_a_stated_number_of_drawn_items_stays_so_that_a_recipe_weighs_as_it_did():
    training = run("audio", "15s").runs[0].training
    settled = training.model_copy(update={"ensemble": training.combining(), "budget": 600.0})
    assert settled.combining() == training.combining()


def test_what_an_earlier_run_took_counts_for_as_many_items_as_there_are_now():
    sizes = {"data.splits.train": "800", "data.splits.test": "100"}
    past = {
        "evaluate": Earlier(68.0, {"settings.samples": "512", "settings.pool": "1000", **sizes}),  # 100 and 800 items
        "build_ensemble": Earlier(43.0, {"settings.drawn": "None"}),
        "try_served": Earlier(9.0, {}),
    }
    costs = earlier_costs(run("audio", "15s").runs[0], NOTES.splits, past)
    assert costs["evaluation"].seconds == pytest.approx(8 + 60 * 350 / 900)
    assert costs["ensemble"].seconds == pytest.approx(3 + 40 * 128 / 512)
    assert costs["trial"] == Cost(9.0, "earlier run")


def test_without_an_earlier_run_speeds_tell():
    whole, speeds = run("audio", "60s"), [Speed(0.1, 0.5, 0.02, 0.01), Speed(0.2, 0.3, 0.01, 0.01)]
    members = whole.runs[0].training.planned(2)
    costs = expected(whole, NOTES, members, speeds, {}, cores=2)
    assert {name: round(cost.seconds, 2) for name, cost in costs.items()} == {
        "training": 60.0,
        "ensemble": round(3 + 0.03 * 2.5 * 512 / 2 + 400 * 0.01, 2),
        # three candidates' samples for 100 test items, what is shown, three readings, the pools on two cores, the judge
        "evaluation": round(8 + 0.04 * 100 + 0.02 * 24 + 0.8 * 3 + 0.04 * 800 / 2 + 450 * 0.01, 2),
        "samples": round(2 + 0.02 * 16, 2),
        "trial": round(8 + 0.32 * 12, 2),
    }


def test_the_trial_is_bounded_whatever_a_request_takes():
    whole = run("audio", "60s")
    speeds = [Speed(0.1, 0.5, 2.0, 0.01)] * 2
    costs = expected(whole, NOTES, whole.runs[0].training.planned(2), speeds, {}, cores=2)
    assert costs["trial"].seconds == 8 + 20 + 32


def test_stated_steps_take_their_own_time_and_texts_are_read_and_not_painted():
    whole = run("text", None, "training.members.rnn.steps=100", "training.members.transformer.steps=50")
    members = whole.runs[0].training.planned(2)
    by_name = {"rnn": Speed(0.1, 1.0, 0.05), "transformer": Speed(0.3, 2.0, 0.1), "cache": None}
    costs = expected(whole, TEXTS, members, [by_name[member.name] for member in members], {}, cores=2)
    assert costs["training"].seconds == pytest.approx(15.0)
    numbers = min(8e6, 100 * 256 * 3 * 256)
    assert costs["ensemble"].seconds == pytest.approx(3 + 9 + 8e-6 * numbers)
    assert costs["samples"].seconds == pytest.approx(2 + 0.2 * (0.4 * 64 + 0.6 * 16))  # two members and the plain method
    assert costs["trial"].seconds == pytest.approx(8 + 12 * 0.2 * (0.4 * 64 + 0.6) * 64 / 256)
    assert set(costs) == {"training", "ensemble", "evaluation", "samples", "trial"}


def test_what_is_not_known_is_said():
    whole = run("text", None, "training.members.rnn.steps=100", "training.members.transformer.steps=50")
    costs = as_json(expected(whole, None, whole.runs[0].training.planned(2), [None] * 3, {}, cores=2))
    assert costs == {"seconds": 0.0, "parts": dict.fromkeys(("training", "ensemble", "evaluation", "samples", "trial"))}
    assert line(costs) == "nothing of it was measured yet, so that its time is not known"
    assert line(without_cached(costs, costs["parts"])) == "all of it is cached"


def test_the_line_has_the_whole_its_parts_and_where_they_are_from():
    costs = as_json({"training": Cost(15.0, "budget"), "evaluation": Cost(83.2, "earlier run"), "trial": Cost(9.4, "speeds")})
    assert costs["seconds"] == 107.6
    said = "about 1 min 50 s in all: training 15 s, evaluation 1 min 20 s, trial 9 s"
    assert line(costs).startswith(said)
    assert "evaluation as in the last run; estimated from this machine's speeds" in line(costs)
    assert without_cached(costs, ["evaluation"])["seconds"] == 24.4


def test_a_plan_leaves_out_what_is_cached(tmp_path):
    execution = Execution(Workspace(tmp_path), planning=True)
    execution.timings += [
        Timing("finetune letters vae", cached=True, dataset="letters"),
        Timing("build ensemble letters", cached=True, dataset="letters"),
        Timing("evaluate", dataset="letters"),
        Timing("generate", dataset="other"),
        Timing("try served"),
    ]
    costs = as_json({name: Cost(1.0, "speeds") for name in ("training", "ensemble", "evaluation", "samples", "trial")})
    assert [name for name, part in _left("letters", costs, execution)["parts"].items() if part] == ["evaluation", "trial"]
