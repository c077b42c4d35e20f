"""What a run takes beside its training, said before it begins.

What an earlier run of the data set took is taken from there, in proportion to the items that are made and measured now. Else
it follows from speeds that were measured on this machine (`tasks/train/speed.py`) and from how many items each stage makes.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

from flows.config import DRAWN, PipelineConfig, RunConfig
from tasks.report.words import duration
from tasks.serve.try_served import ENOUGH, FEWEST, WARM_UP, TrialSettings
from tasks.stage.durations import Earlier, earlier
from tasks.stage.execution import Execution, Planned
from tasks.stage.references import CorpusRef, VersionRef
from tasks.train import speed
from tasks.train.budget import makespan
from tasks.train.members import MemberSettings
from tasks.train.speed import Speed

PARTS = ("training", "ensemble", "evaluation", "samples", "trial")
STAGES = {"ensemble": "build_ensemble", "evaluation": "evaluate", "samples": "generate", "trial": "try_served"}
BEGINNING = {"ensemble": 3.0, "evaluation": 8.0, "samples": 2.0, "trial": 8.0}  # seconds whatever is done then
SETS = 2.5  # so many times `DRAWN` items of each member are made for a mixture
CRITICS, JUDGE = 400, 450  # steps of the classifiers that weigh, and of the one that judges where there are labels
LOOKS = 3  # times that a candidate reads the held-out items
ALONE = 0.4  # of the time of `STREAMED` texts side by side, what the first one takes
STREAMED, TOGETHER = 64, 128  # texts side by side when their speed was measured, and when they are made to be measured
SYMBOLS, NUMBERS, COMBINING = 256, 8e6, 8e-6  # log-probabilities that a mixture of texts looks at; seconds of each
MICRO_BATCH = 16  # items that are made together for one


class Cost(NamedTuple):
    """Seconds of one part of a run, and where they are from."""

    seconds: float
    source: str  # `EARLIER`, `SPEEDS` or `STATED`


EARLIER, SPEEDS, STATED = "earlier run", "speeds", "budget"
Expected = dict[str, Any]  # `seconds`, and `parts` by name
Costs = Mapping[str, Cost]  # by `PARTS`; what is not known is left out


def foretell(data: VersionRef, corpus: CorpusRef, whole: RunConfig) -> None:
    """Say what is left of the run of one data set; under `aigc plan` keep it for the plan."""
    execution, config = Execution.current(), whole.runs[0]
    past = earlier(execution.workspace, config.name)
    members = config.training.planned(execution.cores)
    prepared, speeds = None, list[Speed | None]([None] * len(members))
    if not isinstance(data, Planned):
        planned = isinstance(corpus, Planned)
        prepared = speed.unencoded(execution.workspace, data, config.training.encode) if planned else corpus
        speeds = [speed.kept(execution.workspace, prepared, member) for member in members]
        if execution.planning and not set(STAGES.values()) <= set(past):
            speeds = [one or speed.without_data(prepared, member) for one, member in zip(speeds, members, strict=True)]
    costs = as_json(expected(whole, prepared, members, speeds, past, execution.cores))
    if execution.planning:
        execution.expected[config.name] = costs
    else:
        execution.observer.message(f"{config.name}: {line(costs)}")


def expected(
    whole: RunConfig,
    data: CorpusRef | None,
    members: Sequence[MemberSettings],
    speeds: Sequence[Speed | None],
    past: Mapping[str, Earlier],
    cores: int,
) -> Costs:
    """The seconds of each part; `speeds` are those of `members`, None where they were not measured, as `data` is where nothing
    of it was prepared yet."""
    config = whole.runs[0]
    measured = [one for one in speeds if one is not None and (one.step or one.item)]
    costs = earlier_costs(config, data.splits if data else {}, past)
    if (training := training_seconds(config, members, speeds, cores)) is not None:
        costs["training"] = Cost(training, STATED)
    elif "finetune" in past:
        costs["training"] = Cost(past["finetune"].seconds, EARLIER)
    if data is not None and measured:
        estimates = estimated(config, whole.serving, data, measured, cores)
        costs |= {name: Cost(seconds, SPEEDS) for name, seconds in estimates.items() if name not in costs}
    return {name: costs[name] for name in PARTS if name in costs}


def training_seconds(
    config: PipelineConfig, members: Sequence[MemberSettings], speeds: Sequence[Speed | None], cores: int
) -> float | None:
    """The budget, or what steps that are stated take; None where their speed was not measured."""
    if config.training.length < float("inf"):
        return config.training.budget
    lengths = []
    for member, one in zip(members, speeds, strict=True):
        if member.steps and (one is None or not one.step):
            return None
        lengths.append((member.steps or 0) * (one.step if one else 0.0))
    return makespan(lengths, min(cores, len(members)))


def earlier_costs(config: PipelineConfig, counts: Mapping[str, float], past: Mapping[str, Earlier]) -> dict[str, Cost]:
    """What the stages took the last time, for as many items as they have now."""
    settings, costs = config.judging(), dict[str, Cost]()
    counts = counts or (splits(past["evaluate"].given) if "evaluate" in past else {})
    items = {
        "ensemble": (config.training.combining().drawn or DRAWN, lambda given: number(given, "settings.drawn", DRAWN)),
        "evaluation": (
            made(settings.samples, settings.pool, counts),
            lambda given: made(number(given, "settings.samples", 0), number(given, "settings.pool", 0), splits(given)),
        ),
    }
    for part, stage in STAGES.items():
        if stage not in past:
            continue
        seconds, ratio = past[stage].seconds, 1.0
        if part in items:
            now, then = items[part]
            ratio = now / (then(past[stage].given) or now)
        fixed = min(seconds, BEGINNING[part])
        costs[part] = Cost(fixed + (seconds - fixed) * ratio, EARLIER)
    return costs


def made(samples: float, pool: float, counts: Mapping[str, float]) -> float:
    """Items that a candidate makes to be measured."""
    return min(samples, counts.get("test", samples)) + min(pool, counts.get("train", pool))


def number(given: Mapping[str, str], name: str, otherwise: float) -> float:
    """A parameter as MLflow has it; `None` and one that is not there are `otherwise`."""
    text = given.get(name, "None")
    return otherwise if text == "None" else float(text)


def splits(given: Mapping[str, str]) -> dict[str, float]:
    """The sizes of the splits among the parameters."""
    begins = "data.splits."
    return {name.removeprefix(begins): float(value) for name, value in given.items() if name.startswith(begins)}


def estimated(
    config: PipelineConfig, trial: TrialSettings, data: CorpusRef, speeds: Sequence[Speed], cores: int
) -> dict[str, float]:
    """Seconds of the parts but the training, from the speeds of the members; the plain method is taken for the fastest."""
    if data.format.get("length"):
        parts, request = of_symbols(config, trial, data, speeds)
    else:
        parts, request = of_items(config, data, speeds, cores)
    requests = trial.requests if request * FEWEST < ENOUGH else FEWEST
    parts["trial"] = min(trial.seconds + request, request * (WARM_UP + min(requests, trial.requests)))
    return {name: BEGINNING[name] + seconds for name, seconds in parts.items()}


def of_items(config: PipelineConfig, data: CorpusRef, speeds: Sequence[Speed], cores: int) -> tuple[dict[str, float], float]:
    """Of what is made as a whole, or goes on from a past and is only read: the parts, and a request."""
    items = [one.item for one in speeds]
    candidates, classifying = sum(items) + min(items), max(one.classifying for one in speeds)
    reading = sum(one.validation for one in speeds) * LOOKS
    settings, counts = config.judging(), data.splits
    request, evaluation = max(items) * MICRO_BATCH, candidates * min(settings.samples, counts.get("test", 0))
    parts = {"samples": request * -(-config.generation.count // MICRO_BATCH), "ensemble": reading}
    if classifying:
        parts["ensemble"] = sum(items) * SETS * (config.training.combining().drawn or DRAWN) / cores + CRITICS * classifying
        evaluation += candidates * min(settings.pool, counts.get("train", 0)) / cores
        evaluation += JUDGE * classifying if len(data.labels) > 1 else 0.0
    return {**parts, "evaluation": evaluation + max(items) * settings.shown + reading}, request


def of_symbols(
    config: PipelineConfig, trial: TrialSettings, data: CorpusRef, speeds: Sequence[Speed]
) -> tuple[dict[str, float], float]:
    """Of what is written symbol by symbol: all members write each item of the ensemble, so many side by side."""
    items, counts, settings = [one.item for one in speeds], data.splits, config.judging()
    everyone = sum(items) + min(items)
    reading = sum(one.validation for one in speeds) * LOOKS
    length = float(str(data.format["length"]))
    numbers = counts.get("validation", 0) * length * (len(speeds) + 1) * SYMBOLS
    parts = {
        "samples": written(config.generation.count, everyone, MICRO_BATCH),
        "ensemble": reading + COMBINING * min(numbers, NUMBERS),
        "evaluation": reading
        + written(min(settings.samples, counts.get("test", 0)), 2 * everyone, TOGETHER)  # each member, and all as the ensemble
        + written(settings.shown, everyone, MICRO_BATCH),
    }
    return parts, written(1, everyone, 1) * trial.max_tokens / length


def written(count: int, item: float, together: int) -> float:
    """Seconds to write `count` items, so many side by side: few take hardly less than many (`item`: each of `STREAMED`)."""
    side_by_side = min(count, together)
    return -(-count // together) * item * (ALONE * STREAMED + (1 - ALONE) * side_by_side)


def line(expected: Expected) -> str:
    """The whole time and its parts, and where they are from."""
    costs = {name: part for name, part in expected["parts"].items() if part is not None}
    if not costs:
        return "nothing of it was measured yet, so that its time is not known" if expected["parts"] else "all of it is cached"
    parts = ", ".join(f"{name} {rough(part['seconds'])}" for name, part in costs.items())
    before = [name for name, part in costs.items() if part["source"] == EARLIER]
    notes = [f"{', '.join(before)} as in the last run" if before else ""]
    notes += ["estimated from this machine's speeds" if any(part["source"] == SPEEDS for part in costs.values()) else ""]
    unknown = [name for name, part in expected["parts"].items() if part is None]
    notes += [f"not measured yet: {', '.join(unknown)}" if unknown else ""]
    why = "; ".join(filter(None, notes))
    return f"about {rough(expected['seconds'])} in all: {parts}{f' ({why})' if why else ''}"


def rough(seconds: float) -> str:
    """As exactly as an estimate can be trusted: whole seconds, from a minute on tens of them.

    >>> rough(0.2), rough(43.4), rough(83), rough(121), rough(4000)
    ('1 s', '43 s', '1 min 20 s', '2 min', '1 h 7 min')
    """
    if seconds < 59.5:
        return f"{max(1, round(seconds))} s"
    return duration(round(seconds / 10) * 10).removesuffix(" 0 s")


def as_json(costs: Costs) -> Expected:
    """Seconds of the whole and of each part, and where they are from; null where a part is not known."""
    parts = {name: costs[name]._asdict() if name in costs else None for name in PARTS}
    return {"seconds": round(sum(cost.seconds for cost in costs.values()), 1), "parts": parts}


def without_cached(expected: Expected, cached: Collection[str]) -> Expected:
    """The same without the parts whose stages are `cached`."""
    parts = {name: part for name, part in expected["parts"].items() if name not in cached}
    return {"seconds": round(sum(part["seconds"] for part in parts.values() if part), 1), "parts": parts}
