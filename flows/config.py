"""What a run does: the tasks' own settings types, composed. Presets and files hold only what differs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from aigc_models.errors import BadInput, unknown
from aigc_models.heads import GENERATE
from aigc_models.training.devices import AUTO, Device
from flows.yaml_file import line_of, mapping
from tasks.clean.clean import CleanSettings
from tasks.deduplicate.deduplicate import DeduplicateSettings
from tasks.ingest.source import SourceSettings, description, licence
from tasks.judge.evaluate import EvaluationSettings
from tasks.registry.promote import PromotionSettings
from tasks.registry.register import RegisterSettings
from tasks.serve.try_served import TrialSettings
from tasks.split.expectations import Expectation
from tasks.split.split import SplitSettings
from tasks.stage.names import check_name
from tasks.stage.validation import Model, Place, Problem, bad_input, problems, validated
from tasks.train.budget import divide
from tasks.train.encode import EncodeSettings
from tasks.train.ensemble import EnsembleSettings, options
from tasks.train.members import MemberSettings, PretrainingSettings, Size, model_config, training_plan
from tasks.use.generate import GenerationSettings

PRESETS = Path(__file__).parent / "presets"
UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0}
FULL = 60.0  # seconds of training after which all is measured; after less as much less, at a stated number of items
FEWEST = {"samples": 128, "pool": 250}  # of `EvaluationSettings`, however short the training was
DRAWN = 512  # items of each member that weights are learnt from after a whole minute
MEMBERS = re.compile(r"members|baseline|pretraining|ensemble")  # settings that reach into members name one of these


def seconds(value: object) -> object:
    """`90`, `90s`, `3m` or `1h` as seconds; anything else is left for the type to refuse."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smh]?)\s*", str(value))
    return float(match[1]) * UNITS[match[2] or "s"] if match else value


Seconds = Annotated[float, BeforeValidator(seconds)]


class Settings(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class DataConfig(Settings):
    """From a source to a version of a data set."""

    source: SourceSettings = Field(description="where the content comes from")
    clean: CleanSettings = Field(CleanSettings(), description="what is kept and what is quarantined")
    deduplicate: DeduplicateSettings = Field(DeduplicateSettings(), description="what counts as the same item")
    split: SplitSettings = Field(SplitSettings(), description="train, validation and test")
    expect: tuple[Expectation, ...] = Field((), description="what the items are expected to be, or there is no new version")
    version: str = Field("", description="an earlier version, taken as it was; empty: what the source gives now")

    def described_split(self) -> SplitSettings:
        """The split with what is expected, and what the data card says of the source: never a path of this machine."""
        card = self.split.card.model_copy(update={"licence": licence(self.source), "source": description(self.source)})
        return self.split.model_copy(update={"card": card, "expect": (*self.split.expect, *self.expect)})


class TrainingConfig(Settings):
    """From a version of a data set to a registered ensemble."""

    budget: Seconds = Field(
        60.0,
        gt=0,
        description="wall time of all training, pretraining and every member together (s, m, h), turned into steps once, "
        "at this machine's speed; members that state steps keep these",
    )
    limit: Seconds | None = Field(
        None, gt=0, description="wall time after which a training stops, says so, and the same command goes on (s, m, h)"
    )
    size: Size | None = Field(None, description="one size for every member; each member's own where it is not given")
    seed: int = Field(0, ge=0, description="seed of the weights, the batches and the noise; members add their position")
    device: Device = Field("auto", description=f"where members train and the ensemble asks them; {AUTO}")
    encode: EncodeSettings = Field(EncodeSettings(), description="how items become numbers")
    pretraining: PretrainingSettings | None = Field(
        None,
        description="the self-supervised body; its share is a fraction of the budget (0: a published one as it is)",
    )
    members: tuple[MemberSettings, ...] = Field(min_length=1, description="the models to train side by side")
    baseline: MemberSettings | Annotated[tuple[MemberSettings, ...], Field(min_length=1)] = Field(
        description="the plain method which every figure stands beside; of several, the one that is strongest on validation"
    )
    baseline_joins: bool = Field(False, description="whether the plain methods are members of the ensemble too")
    ensemble: EnsembleSettings = Field(EnsembleSettings(), description="how members become one generator")

    def body(self) -> PretrainingSettings | None:
        """The pretraining with its part of the budget; none where nothing of it is trained here."""
        if self.pretraining is None or not self.pretraining.learns:
            return None
        length = {"seconds": round(self.budget * self.pretraining.share, 1)} if self.pretraining.steps is None else {}
        update = {"seed": self.seed + 1000, "device": self.device, "limit": self.limit, **length}
        return self.pretraining.model_copy(update={**update, **({"size": self.size} if self.size else {})})

    def planned(self, cores: int) -> list[MemberSettings]:
        """The members with their part of the budget, their threads and seeds; longest first."""
        left = self.budget * (1 - (self.pretraining.share if self.pretraining else 0))
        return divide(left, [self._sized(member) for member in self.members], cores, self.seed, self.device, self.limit)

    def combining(self) -> EnsembleSettings:
        """How the ensemble is made, on the device of the training where it names none."""
        device = self.ensemble.device if self.ensemble.device != "auto" else self.device
        drawn = None if self.length >= FULL else within(DRAWN, self.length, FEWEST["samples"])
        return self.ensemble.model_copy(update={"device": device, "drawn": self.ensemble.drawn or drawn})

    @property
    def length(self) -> float:
        """The seconds that the members have; without end where all of them state their own."""
        timed = any(member.steps is None and member.seconds is None and member.share for member in self.members)
        return self.budget if timed else math.inf

    def plain(self) -> list[MemberSettings]:
        """The plain methods, of which the strongest is the baseline."""
        methods = (self.baseline,) if isinstance(self.baseline, MemberSettings) else self.baseline
        return [method.model_copy(update={"threads": method.threads or 1}) for method in methods]

    def _sized(self, member: MemberSettings) -> MemberSettings:
        return member.model_copy(update={"size": self.size}) if self.size else member


class PipelineConfig(Settings):
    """One data set through the whole pipeline."""

    data: DataConfig = Field(description="from a source to a version")
    training: TrainingConfig = Field(description="from a version to a registered ensemble")
    evaluation: EvaluationSettings = Field(EvaluationSettings(), description="what is measured on the test split")
    registration: RegisterSettings = Field(RegisterSettings(), description="the registered name")
    promotion: PromotionSettings = Field(PromotionSettings(), description="the gates before `champion`")
    generation: GenerationSettings = Field(GenerationSettings(), description="the batch that the run generates")
    notes: tuple[str, ...] = Field((), description="what a reader of the report has to know")

    @property
    def name(self) -> str:
        return self.data.source.name

    def alone(self, trial: TrialSettings) -> RunConfig:
        """A run of it and nothing else."""
        return RunConfig(name=self.name, runs=(self,), serving=trial)

    def judging(self) -> EvaluationSettings:
        """The evaluation, of as many items as a training of its length is worth."""
        length = self.training.length
        if self.evaluation.full or length >= FULL:
            return self.evaluation
        fewer = {name: within(getattr(self.evaluation, name), length, fewest) for name, fewest in FEWEST.items()}
        return self.evaluation.model_copy(update=fewer)


class RunConfig(Settings):
    """What `aigc run` runs: one data set, or several one after the other."""

    name: str = Field("run", description="name of the preset or file")
    runs: tuple[PipelineConfig, ...] = Field(min_length=1, description="one pipeline for each data set")
    serving: TrialSettings = Field(TrialSettings(), description="how the served models are tried over HTTP")


def within(count: int, length: float, fewest: int) -> int:
    """`count` in proportion to a training of `length` seconds, fewer than `FULL`."""
    return min(count, max(fewest, round(count * length / FULL)))


def merge(base: Any, over: Any) -> Any:
    """`over` on top of `base`, mappings field by field, everything else replaced."""
    if isinstance(base, dict) and isinstance(over, dict):
        return {
            key: merge(base.get(key), over[key]) if key in over else base[key]
            for key in [*base, *(k for k in over if k not in base)]
        }
    return over


def preset_of(modality: str, task: str) -> str:
    """The name of the preset for a task on content of a modality, whether there is one or not."""
    return modality if task in ("", GENERATE) else f"{modality}-{task}"


def presets() -> list[str]:
    return sorted(path.stem for path in PRESETS.glob("*.yaml"))


def read_yaml(name: str, above: tuple[str, ...] = ()) -> dict[str, Any]:
    """A preset by name or a file by path; `extends: PRESET` puts it on top of another. `above`: what extends it."""
    if name in above:
        raise BadInput(f"{name}: it extends itself ({' extends '.join([*above, name])}); leave one `extends` out")
    path = Path(name) if name.endswith((".yaml", ".yml")) else PRESETS / f"{name}.yaml"
    if not path.is_file():
        if path.parent == PRESETS:
            raise unknown("preset", name, presets())
        raise BadInput(f"{name}: no such file; `aigc run` takes a preset ({', '.join(presets())}) or a YAML file")
    return extended(mapping(path, name), (*above, name))


def extended(values: dict[str, Any], above: tuple[str, ...] = ()) -> dict[str, Any]:
    """Resolve `extends`, also in each of `runs`."""
    values = dict(values)
    if "runs" in values and isinstance(values["runs"], list):
        values["runs"] = [extended(run, above) if isinstance(run, dict) else run for run in values["runs"]]
    base = values.pop("extends", None)
    return merge(read_yaml(str(base), above), values) if base else values


def override(values: dict[str, Any], setting: str) -> dict[str, Any]:
    """`a.b=c` (the value is YAML; a list's item by its number or, for members, its name)."""
    path, sign, text = setting.partition("=")
    if not sign or not all(path.split(".")):
        raise BadInput(f"--set {setting}: write it as path=value, such as --set training.budget=30s")
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a ValueError: a date that is none
        raise BadInput(f"--set {setting}: the value is not valid YAML; put it in quotes") from error
    return _placed(values, path.split("."), value, setting)


def _placed(values: Any, path: list[str], value: Any, setting: str) -> Any:
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(values, list):
        keys = [str(item.get("name") or item.get("family")) if isinstance(item, dict) else "" for item in values]
        at = int(head) if head.isdigit() and int(head) < len(values) else keys.index(head) if head in keys else None
        if at is None:
            raise unknown(f"item in --set {setting}:", head, [*map(str, range(len(values))), *filter(None, keys)])
        return [_placed(item, rest, value, setting) if index == at else item for index, item in enumerate(values)]
    base = values if isinstance(values, dict) else {}
    return {**base, head: _placed(base.get(head), rest, value, setting)}


def overridden(model: type[Model], values: dict[str, Any], settings: list[str], where: str | Callable[[Place], str]) -> Model:
    """`model` from `values` with settings on top; a `BadInput` begins with the setting at fault, or else as `where` says."""
    stages = [values]
    for setting in settings:
        stages.append(override(stages[-1], setting))
    try:
        return model.model_validate(stages[-1])
    except ValidationError as error:
        first = problems(error, model)[0]
        at = next(number for number, stage in enumerate(stages) if first in _wrong(model, stage))
        message = bad_input(error, model, f"--set {settings[at - 1]}" if at else where)
        raise BadInput(f"{message}; see docs/configuration.md") from error


def _wrong(model: type[Model], values: dict[str, Any]) -> list[Problem]:
    """What does not fit in `values`."""
    try:
        model.model_validate(values)
    except ValidationError as error:
        return problems(error, model)
    except BadInput:  # of a setting that comes later and puts right what this is about
        pass
    return []


def compose(preset: str, made: dict[str, Any] | None, budget: str | None, sets: list[str]) -> RunConfig:
    """The configuration of one command.

    `made`: a data set of the user's as it was made last, in place of the preset's own; a file says more of it, one of
    our presets less. Settings apply to every run of the preset, or to one alone when they begin with its data set's name.
    """
    values = read_yaml(preset)
    beside = {key: value for key, value in values.items() if key != "runs"} if "runs" in values else None
    runs = values.get("runs", [values])
    if not isinstance(runs, list) or not all(isinstance(run, dict) for run in runs):
        raise BadInput(f"{preset}: runs: a list of mappings is needed, one for each data set; see docs/configuration.md")
    if made is not None:
        if len(runs) != 1:
            raise BadInput(f"preset {preset!r} brings its own data sets; leave --data out, or take preset text or image")
        preset_data = runs[0].get("data") or {}
        data = merge(preset_data, made) if preset in presets() else merge(made, preset_data)
        runs = [{**runs[0], "data": {**data, "source": made["source"]}}]
    runs = [budgeted(run, budget) for run in runs] if budget else runs
    names = [_name(run) for run in runs]
    done = []
    for number, (run, name) in enumerate(zip(runs, names, strict=True)):
        own = _of_run(sets, name, names)
        _require_data(preset, run, own)
        where = partial(_line, preset, ("runs", number) if beside is not None else ())
        done.append(overridden(PipelineConfig, run, own, where))
    if beside and isinstance(beside.get("name"), str):  # outputs are in a folder of this name
        check_name("a run", beside["name"])
    config = validated(RunConfig, {"name": Path(preset).stem, **(beside or {}), "runs": done}, preset)
    is_tested = preset in presets() and not any(MEMBERS.search(setting) for setting in sets)
    return config if is_tested else checked(config)  # what our presets say of members a test has checked


def budgeted(values: dict[str, Any], budget: str) -> dict[str, Any]:
    """A run's values with another budget: it is the newest word on how long members train, so that steps and seconds
    that the values state give way to it."""

    def timed(member: Any) -> Any:
        if not isinstance(member, dict):
            return member
        return {key: value for key, value in member.items() if key not in ("steps", "seconds")}

    values = override(values, f"training.budget={budget}")
    training = dict(values["training"])
    if isinstance(training.get("members"), list):
        training["members"] = [timed(member) for member in training["members"]]
    if "pretraining" in training:
        training["pretraining"] = timed(training["pretraining"])
    return {**values, "training": training}


def checked(config: RunConfig) -> RunConfig:
    """Hold each member's name against the rule and its own settings against its family, before data are prepared."""
    for run in config.runs:
        training = run.training
        for member in [*training.members, *training.plain(), *([training.pretraining] if training.pretraining else [])]:
            check_name("a member", member.name)
            if member.settings or member.plan:  # only then is the family's file imported, and torch with it
                model_config(member)
                training_plan(member.model_copy(update={"steps": member.steps or 1}))
        if training.ensemble.settings:
            options(training.ensemble)
    return config


def _name(run: dict[str, Any]) -> str:
    """The name of a run's data set; empty where it has none yet, or none that is one."""
    data = run.get("data")
    source = data.get("source") if isinstance(data, dict) else None
    return str(source.get("name", "")) if isinstance(source, dict) else ""


def _line(preset: str, begins: Place, place: Place) -> str:
    """The file and line of what stands at `place` in the run that stands at `begins`."""
    return line_of(preset, (*begins, *place))


def _require_data(preset: str, run: dict[str, Any], settings: list[str]) -> None:
    """Raises `BadInput` where nothing says what is learned from."""
    data = run.get("data") or {}
    if isinstance(data, dict) and not data.get("source") and not any(setting.startswith("data") for setting in settings):
        raise BadInput(f"{preset}: it names no data; add --data NAME (see `aigc data list`) or a `data.source` in the file")


def _of_run(settings: list[str], name: str, names: list[str]) -> list[str]:
    """Those of the settings that are meant for the run of this name: those that begin with no other's."""
    kept = []
    for setting in settings:
        first, _, rest = setting.partition(".")
        if first == name or first not in names:
            kept.append(rest if first == name and name else setting)
    return kept
