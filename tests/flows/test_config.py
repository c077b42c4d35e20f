import pytest

from aigc_models.errors import BadInput
from aigc_models.find import names
from flows.config import RunConfig, checked, compose, extended, merge, override, presets, seconds
from tasks.ingest.source import SourceSettings
from tasks.judge.gates import judge

SHARES = (0.0, 0.01, 0.02, 0.05, 0.2)


@pytest.mark.parametrize(("text", "value"), [("90", 90), ("90s", 90), ("3m", 180), ("1.5h", 5400), ("soon", "soon")])
def test_a_time_is_written_as_people_write_it(text, value):
    assert seconds(text) == value


def test_mappings_are_merged_field_by_field_and_lists_replaced():
    assert merge({"a": {"b": 1, "c": [1, 2]}}, {"a": {"c": [3]}, "d": 4}) == {"a": {"b": 1, "c": [3]}, "d": 4}


def test_a_preset_extends_another():
    values = extended({"extends": "text", "training": {"budget": "9s"}})
    assert values["training"]["budget"] == "9s"
    assert values["training"]["baseline"] == {"family": "ngram"}


def test_every_preset_that_names_its_data_is_valid():
    config = compose("sample", None, None, [])
    assert isinstance(config, RunConfig)
    assert checked(config) is config  # which `compose` leaves out for what is ours
    assert {"image", "sample", "text"} <= set(presets())


def test_what_a_setting_says_of_a_member_is_checked():
    with pytest.raises(BadInput, match="tlit"):
        compose("sample", None, None, ["notes.training.members.flow_matching.settings.tlit=1"])


@pytest.mark.parametrize("name", ["audio", "image", "series", "text"])
def test_a_data_set_of_the_users_takes_its_modalitys_preset(name):
    source = SourceSettings(name="mine", location="here", modality=name)
    config = compose(name, {"source": source.model_dump()}, "30s", [])
    assert config.runs[0].name == "mine"
    assert config.runs[0].training.budget == 30


@pytest.mark.parametrize("name", ["newsroom", "python-code", "scripts"])
def test_an_application_of_texts_is_held_to_what_was_measured_and_refuses_copies(name):
    source = SourceSettings(name="mine", location="here", modality="text")
    (run,) = compose(name, {"source": source.model_dump()}, None, []).runs
    held = {gate.metric for gate in run.promotion.gates if not gate.optional}
    assert held - {"memorised_share"} <= set(names("aigc_models.metrics"))  # others may be measured
    gates = tuple(gate for gate in run.promotion.gates if gate.metric == "memorised_share")
    assert [judge(gates, {"memorised_share": {"value": share}}, None)[0].passed for share in (0.02, 0.05)] == [True, False]


@pytest.mark.parametrize("name", ["digits", "docstrings", "notes", "co2", "image", "text", "audio", "series"])
def test_every_preset_refuses_copies_and_none_of_what_chance_does(name):
    source = SourceSettings(name=name, location="here", modality=name if name in presets() else None)
    given = (name, {"source": source.model_dump()}) if source.modality else ("sample", None)
    (run,) = (each for each in compose(*given, None, []).runs if each.name == name)
    gates = tuple(gate for gate in run.promotion.gates if gate.metric == "memorised_share")
    passed = {share: all(one.passed for one in judge(gates, {"memorised_share": {"value": share}}, None)) for share in SHARES}
    assert gates
    assert passed == {0.0: True, 0.01: True, 0.02: True, 0.05: False, 0.2: False}


def test_a_setting_is_overridden_for_every_run_or_for_one():
    config = compose("sample", None, None, ["training.seed=5", "digits.training.budget=7s"])
    assert [run.training.seed for run in config.runs] == [5, 5, 5, 5]
    assert config.runs[0].training.budget == 7 != config.runs[1].training.budget


def test_a_member_is_found_by_its_name():
    config = compose("sample", None, None, ["digits.training.members.gan.steps=3"])
    assert {member.name: member.steps for member in config.runs[0].training.members}["gan"] == 3


def test_the_budget_covers_pretraining_and_the_members():
    training = compose("sample", None, "100s", []).runs[1].training.model_copy(update={"device": "cpu"})
    body = training.body()
    taken = (body.seconds if body else 0) + max(member.seconds or 0 for member in training.planned(cores=2))
    assert taken == pytest.approx(100, abs=0.2)


def test_the_samples_members_have_steps_which_a_budget_replaces():
    def lengths(budget):
        runs = compose("sample", None, budget, []).runs
        return [(m.steps, m.seconds) for run in runs for m in run.training.planned(cores=2) if m.share]

    assert all(steps and seconds is None for steps, seconds in lengths(None))
    assert all(steps is None and seconds for steps, seconds in lengths("10s"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("sampel", None, None, []), "unknown preset 'sampel'; did you mean 'sample'"),
        (("nowhere.yaml", None, None, []), "nowhere.yaml: no such file"),
        (("text", None, None, []), "names no data"),
        (("sample", None, "soon", []), "training.budget"),
        (("sample", None, None, ["training.sed=1"]), "--set training.sed=1: unknown field 'training.sed'; did you mean 'seed'"),
        (("sample", None, None, ["training"]), "path=value"),
        (("sample", None, None, ["digits.training.members.gna.steps=1"]), "did you mean 'gan'"),
    ],
)
def test_bad_input_is_named_with_what_fits(arguments, message):
    with pytest.raises(BadInput) as caught:
        compose(*arguments)
    assert message in str(caught.value)


WRONG = """
finetune.stepz=3  training.seed=x  training.seed=1.5  training.seed.x=3  training.budget=[1]  training.budget=.nan
training.size=smal  training.device=7  training.members=3  training.members=[]  training.members=[3]  training.members.0=3
training.members=[[{family: gan}]]  training.members={family: gan}  digits.training.members.gan.stepz=3  notes=[[1]]
digits.training.members.gan.steps=many  digits.training.members.gna.steps=3  digits.training.members.gan.settings.wdth=3
digits.training.members.gan.settings=3  digits.training.members.gan.plan.lerning_rate=3  training.members.99.steps=1
digits.training.members.gan.plan.learning_rate=fast  training.baseline=3  training.baseline=[]  training.baseline=[{famly: gan}]
training.baseline={famly: gan}  training.baseline={family: nope}  training.ensemble=average  training.ensemble.method=mixtur
digits.training.ensemble.settings.leest=1  digits.training.ensemble.settings.least=x  training.encode=x  training.pretraining={}
data=3  data=null  data.source=3  data.source.name=[a]  data.source.modality=imge  data.source.labell=x  data.clean.rules=[a]
data.clean.rules.too_shrt={}  data.clean.rules.too_short.charcters=3  data.clean.rules.too_short=3  data.clean.without=[nope]
data.split.validation=2  data.split.tset=0.3  data.expect=[{a: 1}]  promotion.gates=[{metrik: x}]  promotion.gates=[3]
promotion.gates=[{metric: crps, compare: atmost}]  evaluation.samples=.inf  generation.count=-1  registration=3  runs=3  3=4
a=b: c: d  a=2026-99-99  training..seed=3  .=3  =3  training  training=null  training={1: 2}
evaluation={a: 1, b: 2, c: 3, d: 4}
training.members=[{family: gan, a: 1, b: 2, c: 3, d: 4, e: 5}]
"""


@pytest.mark.parametrize("setting", [one for line in WRONG.split("\n") for one in line.split("  ") if one])
def test_no_wrong_setting_is_answered_with_a_heap(setting):
    with pytest.raises(BadInput) as caught:
        compose("sample", None, None, ["training.seed=5", setting])
    lines = str(caught.value).splitlines()
    assert len(lines) <= 5
    assert max(map(len, lines)) < 500
    assert not any("input should" in line.lower() or "flow_matching'" in line for line in lines)


def test_the_setting_at_fault_is_named_among_several():
    with pytest.raises(BadInput, match=r"^--set training.seed=x: training.seed: needs a whole number .*configuration.md$"):
        compose("sample", None, None, ["training.size=base", "training.seed=x", "generation.count=3"])


FILE = "extends: image\ndata:\n  source: {name: a, location: b, modality: image}\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FILE + "training:\n  sed: 3\n", "x.yaml:5: unknown field 'training.sed'; did you mean 'seed'?"),
        (
            FILE + "training:\n  members:\n    - family: gan\n      steps: many\n",
            "x.yaml:7: training.members.0.steps: needs a whole",
        ),
        ("runs:\n  - extends: image\n    data: {}\n", "x.yaml: it names no data"),
        (
            "runs:\n  - " + FILE.replace("\n", "\n    ") + "evaluatoin: 3\n",
            "x.yaml:5: unknown field 'evaluatoin'; did you mean 'eval",
        ),
        ("runs: [3]\n", "x.yaml: runs: a list of mappings"),
        (
            "runs:\n  - " + FILE.replace("\n", "\n    ") + "\nservng: {}\n",
            "x.yaml: unknown field 'servng'; did you mean 'serving'",
        ),
        ("a: [", "x.yaml:1: not valid YAML: expected"),
        ("a: b\nc: d: e\n", "x.yaml:2: not valid YAML: mapping values are not allowed here"),
        ("- a", "x.yaml: a mapping of settings is needed"),
        ("when: 2026-99-99", "x.yaml: not valid YAML: month"),
        ("extends: x.yaml", "x.yaml: it extends itself"),
    ],
)
def test_a_wrong_file_is_answered_with_its_line(text, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(BadInput) as caught:
        compose("x.yaml", None, None, [])
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) == 1


def test_an_override_makes_what_is_not_there_yet():
    assert override({}, "a.b=[1]") == {"a": {"b": [1]}}


def test_several_plain_methods_may_stand_for_the_baseline():
    source = SourceSettings(name="co2", location="embedded:co2", modality="series")
    config = compose("series", {"source": source.model_dump()}, None, []).runs[0].training
    assert [method.name for method in config.plain()] == ["linear", "exponential_smoothing", "seasonal_naive"]
    assert all(method.threads == 1 for method in config.plain())
    one = compose("series", {"source": source.model_dump()}, None, ["training.baseline={family: linear}"]).runs[0].training
    assert [method.family for method in one.plain()] == ["linear"]
    with pytest.raises(BadInput, match="baseline"):
        compose("series", {"source": source.model_dump()}, None, ["training.baseline=[]"])


def test_the_ensemble_is_made_where_its_members_were_trained_unless_it_says_otherwise():
    (run,) = compose("sample", None, None, ["digits.training.device=cpu"]).runs[:1]
    assert run.training.combining().device == "cpu"
    (run,) = compose("sample", None, None, ["digits.training.device=cuda", "digits.training.ensemble.device=cpu"]).runs[:1]
    assert (run.training.device, run.training.combining().device) == ("cuda", "cpu")


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("registration.model=данные", "'данные' cannot name a model: begin with a letter from A to Z"),
        ("training.members=[{family: ngram, name: ../../x}]", "cannot name a member"),
        ("data.source={name: -rf, location: .}", "'-rf' cannot name a data set"),
    ],
)
def test_a_name_is_held_against_the_rule_before_anything_is_started(setting, message, tmp_path, monkeypatch):
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    with pytest.raises(BadInput, match=message):
        compose("text", {"source": {"name": "letters", "location": "."}} if "data" not in setting else None, None, [setting])


def test_a_run_is_named_by_the_rule_too(tmp_path):
    file = tmp_path / "my runs.yaml"
    file.write_text("name: ../../elsewhere\nruns: [{extends: image, data: {source: {name: a, location: .}}}]\n")
    with pytest.raises(BadInput, match="elsewhere' cannot name a run"):
        compose(str(file), None, None, [])
