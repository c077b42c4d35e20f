import json
import wave

import numpy as np
import pytest
from typer.testing import CliRunner

from tasks.use.generate import identity_of

COMMANDS = ["forecast", "classify", "score", "encode", "reconstruct", "denoise"]


@pytest.fixture
def aigc(capable, monkeypatch, tmp_path):
    """The command line in this process, on bundles in place of registered models."""
    from flows.command_line.app import app

    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setattr("tasks.registry.registry.located", lambda workspace, name: (capable[name], identity_of(capable[name])))
    monkeypatch.setattr("tasks.use.abilities._able", lambda workspace, capability: ["somebody"])
    return lambda *arguments, **options: CliRunner().invoke(app, [str(part) for part in arguments], **options)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(aigc, command):
    done = aigc(command, "--help")
    assert done.exit_code == 0
    assert f"Example: aigc {command}" in done.stdout


def test_forecast(aigc, tmp_path):
    done = aigc("forecast", "waves", "--levels", "0.1,0.9", "--out", tmp_path / "ahead", "--json")
    answer = json.loads(done.stdout)
    assert (answer["model"], answer["levels"], answer["forecasts"][0]["times"][0]) == ("waves", [0.1, 0.9], "1989-09-18")
    assert (
        (tmp_path / "ahead" / answer["forecasts"][0]["file"]).read_text().startswith("time,channel,0.1,0.9\n1989-09-18,height,")
    )
    table = aigc("forecast", "waves")
    assert "1989-09-23" in table.stdout
    assert table.exit_code == 0


def test_texts_from_standard_input(aigc):
    done = aigc("classify", "mind", "--input", "-", "--json", input="THE OLD CAT SAT ON THE MAT.\n")
    assert json.loads(done.stdout)["classified"][0]["label"] == "loud"
    scored = aigc("score", "mind", "--input", "-", "--label", "loud", input="THE OLD CAT SAT ON THE MAT.\n")
    assert "bits per byte" in scored.stdout
    assert "by its member" not in scored.stdout
    encoded = aigc("encode", "mind", "--input", "-", input="The red cat.")
    assert "by its member rnn: 16 features" in encoded.stdout


@pytest.mark.parametrize("command", ["forecast", "classify", "encode"])
def test_a_model_that_cannot(aigc, command, tmp_path):
    (tmp_path / "a.wav").write_bytes(b"x")
    name = {"forecast": "tones"}.get(command, "waves")
    done = aigc(command, name, "--input", tmp_path / "a.wav")
    assert done.exit_code == 2
    assert f"{name} version 0 cannot {command}; it " in done.stderr
    assert "somebody" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["forecast", "waves", "--input", "bad.csv"], "bad.csv: "),
        (["forecast", "waves", "--levels", "half"], "--levels half: give numbers"),
        (["forecast", "waves", "--label", "x"], "unknown label 'x'"),
        (["score", "mind", "--input", "nowhere"], "nowhere: no such file or folder"),
        (["score", "mind", "--input", "nul.txt"], "nul.txt: holds a NUL"),
        (["score", "mind", "--input", "bad.csv", "--label", "clam"], "did you mean 'calm'"),
    ],
)
def test_bad_input(aigc, arguments, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.csv").write_text("time,height\n2020-01-01,high\n2020-01-02,low\n")
    (tmp_path / "nul.txt").write_bytes(b"a\0b")
    done = aigc(*arguments)
    assert done.exit_code == 2, done.stderr
    assert expected in done.stderr


def test_figures_of_sounds(aigc, tmp_path, monkeypatch, capable):
    """No member here denoises; the flow of values is what is looked at."""
    monkeypatch.setattr("tasks.use.abilities.abilities", lambda folder: frozenset({"denoises"}))
    monkeypatch.setattr(
        "aigc_models.families.gaussian_mixture.Mixtures.denoise", lambda self, v, c, noise: v / 2, raising=False
    )
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 1024, "NONE", "not compressed"))
        file.writeframes(np.full(1024, 16384, "<i2").tobytes())
    done = aigc("denoise", "tones", "--input", tmp_path / "a.wav", "--noise", "0.1", "--out", tmp_path / "out")
    assert done.exit_code == 0, done.stderr
    assert "mse 0.0625" in done.stdout
    assert (tmp_path / "out" / "a.wav").exists()
