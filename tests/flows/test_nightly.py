import subprocess
import sys

import pytest

from aigc_models.errors import AigcError
from flows import nightly
from flows.due import Retrained
from flows.nightly import NightlyConfig, retrain_all
from tasks.stage.execution import Execution, Stopped, executing
from tasks.stage.settings import Workspace


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Two models have recipes; `broken` fails. What was asked for."""
    configs = []

    def retrain(config):
        configs.append(config)
        if config.name == "broken":
            raise AigcError("its data are gone")
        return Retrained(decision="not_due", reason="nothing changed", name=config.name)

    monkeypatch.setattr(nightly, "retrain", retrain)
    recipes = Workspace(tmp_path).create().state / "recipes"
    recipes.mkdir()
    for name in ("broken", "digits"):
        (recipes / f"{name}.json").write_text("{}")
    with executing(Execution(Workspace(tmp_path))):
        yield configs


def test_one_model_that_fails_keeps_no_other_from_it(asked):
    with pytest.raises(AigcError, match="broken: its data are gone"):
        retrain_all.fn(NightlyConfig(start="warm"))
    assert [(config.name, config.start) for config in asked] == [("broken", "warm"), ("digits", "warm")]


def test_models_may_be_chosen(asked):
    assert [outcome.name for outcome in retrain_all.fn({"models": ["digits"]})] == ["digits"]


def test_a_stop_is_no_failure_of_one_model(asked):
    Execution.current().stopping.set()
    with pytest.raises(Stopped):
        retrain_all.fn(NightlyConfig())
    assert len(asked) == 1


def test_to_say_that_nothing_is_due_loads_nothing_heavy():
    code = "import sys, flows.nightly; print([name for name in ('torch', 'mlflow', 'pandas') if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr
