import json
import os
import subprocess
import sys

import pytest


def aigc(folder, *arguments, **environment):
    """Run the command line in `folder` as a user would."""
    env = {**os.environ, "AIGC_WORKSPACE": str(folder), "COLUMNS": "200", **environment}
    return subprocess.run(
        [sys.executable, "-m", "flows.command_line.app", *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )


def test_help_imports_nothing_heavy():
    heavy = ("torch", "prefect", "mlflow", "pandas", "numpy", "pyarrow")
    code = f"import sys, flows.command_line.app; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


@pytest.mark.parametrize(
    "command",
    [
        [],
        ["run"],
        ["plan"],
        ["train"],
        ["generate"],
        ["serve"],
        ["ui"],
        ["doctor"],
        ["deploy"],
        ["data", "add"],
        ["models", "promote"],
    ],
)
def test_every_command_has_help(command, tmp_path):
    done = aigc(tmp_path, *command, "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout or not command


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run", "sampel"], "did you mean 'sample'"),
        (["run", "--data", "nothing"], "unknown data set 'nothing'"),
        (["run", "sample", "--budget", "soon"], "budget"),
        (["run", "sample", "--set", "digits.training.members.gan.family=gna"], "did you mean 'gan'"),
        (["run", "sample", "--set", "finetune.stepz=3"], "did you mean 'training.members.NAME.steps'"),
        (["data", "add", "x", "embedded:digits", "--set", "clean.ruls={}"], "did you mean 'rules'"),
        (["plan", "missing.yaml"], "no such file"),
        (["data", "show", "nothing"], "unknown data set"),
        (["data", "add", "../x", "."], "'/'"),
        (["data", "add", "x", "nowhere"], "nowhere"),
        (["run", "--no-such-option"], "No such option"),
    ],
)
def test_bad_use_ends_with_status_2_a_message_and_no_traceback(arguments, expected, tmp_path):
    done = aigc(tmp_path, *arguments)
    assert done.returncode == 2, done.stderr
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr.splitlines()) <= 5
    assert not (tmp_path / "data").exists()


def test_an_empty_workspace_lists_nothing_as_json(tmp_path):
    done = aigc(tmp_path, "data", "list", "--json")
    assert json.loads(done.stdout) == {"datasets": []}


def test_a_plan_of_a_fresh_workspace_runs_everything_and_writes_nothing(tmp_path):
    done = aigc(tmp_path, "plan", "sample", "--json")
    stages = json.loads(done.stdout)["stages"]
    assert {stage["cached"] for stage in stages} == {False}
    assert {"ingest digits", "finetune digits gan", "try served"} <= {stage["name"] for stage in stages} | {
        "finetune digits gan"
    }
    assert not list(tmp_path.iterdir())


def test_the_doctor_finds_this_installation_well(tmp_path):
    done = aigc(tmp_path, "doctor", "--json")
    findings = {finding["name"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert findings["packages"]["ok"], findings["packages"]
    assert findings["mlflow store"]["detail"].startswith("none yet")


def test_the_doctor_finds_a_damaged_database(tmp_path):
    (tmp_path / ".aigc").mkdir()
    (tmp_path / ".aigc" / "mlflow.db").write_bytes(b"SQLite format 3\0" + b"garbage" * 500)
    done = aigc(tmp_path, "doctor")
    assert done.returncode == 1
    assert "FAIL  mlflow store" in done.stdout


def test_a_long_message_is_shown_whole_only_for_debugging(capsys, monkeypatch):
    import typer

    from aigc_models.errors import AigcError
    from flows.command_line.command import ending

    for debug, shown in (("", 5), ("1", 40)):
        monkeypatch.setenv("AIGC_DEBUG", debug)
        with pytest.raises(typer.Exit), ending():
            raise AigcError("\n".join(f"line {number}" for number in range(40)))
        message = capsys.readouterr().err.rpartition("error: ")[2]  # after the traceback, if there is one
        assert len(message.splitlines()) == shown
        assert ("36 more lines, which --debug shows" in message) == (not debug)


def test_what_a_message_quotes_does_nothing_to_a_terminal(capsys):
    import typer

    from aigc_models.errors import BadInput
    from flows.command_line.command import ending

    with pytest.raises(typer.Exit), ending():
        raise BadInput("a\x1b[31mb\u202egnp\rc\nd")
    assert capsys.readouterr().err == "error: a\\x1b[31mb\\u202egnp\\rc\nd\n"
