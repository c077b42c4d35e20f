import io
import shutil
import signal
import subprocess
import sys
import time

import httpx
import numpy as np
import pytest
import torch
from PIL import Image

from aigc_models import bundle
from aigc_models.bundle import Card
from aigc_models.corpus import Corpus
from aigc_models.errors import AigcError, BadInput
from aigc_models.families import gaussian_mixture, ngram
from aigc_models.modalities import audio, image, series, text
from tasks.serve.try_served import TrialSettings, ask, end, enough, question, served, try_served
from tasks.stage.references import ModelRef, RegisteredRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext


def model(workspace, family, kind, name, modality, contents):
    """References to a bundle that learnt `contents`, and to its registration."""
    form, config = kind.choose_format(contents), family.SIZES["debug"]
    card = Card(name=name, family=family.__name__.split(".")[-1], modality=modality, config=config.model_dump(mode="json"),
                format=form.model_dump(), dataset=name, version="d4ta", micro_batch=2)  # fmt: skip
    corpus = Corpus(modality, kind.encode(contents, form), np.zeros(len(contents), int))
    learner = family.build(config, card.shape)
    learner.fit(corpus, corpus, lambda *arguments, **figures: None)
    bundle.save(workspace.root / name, learner, card)
    reference = ModelRef.to(workspace, workspace.root / name, name=name, family=card.family, modality=modality, params=1)
    return reference, RegisteredRef(model=name, version=5, run_id="r", bundle_sha256="s")


def copied(workspace, source, name):
    """The same for a bundle that is there already."""
    shutil.copytree(source, workspace.root / name)
    modality = bundle.read_card(source).modality
    reference = ModelRef.to(workspace, workspace.root / name, name=name, family="f", modality=modality, params=1)
    return reference, RegisteredRef(model=name, version=5, run_id="r", bundle_sha256="s")


def test_a_model_that_draws_nothing_is_asked_for_a_forecast():
    assert question({"modality": "weather", "capabilities": ["forecasts"]}, TrialSettings())[0] == "/v1/forecast"


@pytest.mark.parametrize(("enough", "timed"), [(0.0, 10), (60.0, 20)])
def test_a_slow_model_is_asked_less_often(tmp_path, monkeypatch, enough, timed):
    monkeypatch.setattr("tasks.serve.try_served.ENOUGH", enough)
    answer = httpx.Response(200, json={"choices": [{"text": "once"}]})
    client = httpx.Client(base_url="http://server", transport=httpx.MockTransport(lambda request: answer))
    assert ask(client, {"id": "tales", "modality": "text"}, TrialSettings(), tmp_path).requests == timed


def test_trial_of_all_modalities(tmp_path, capable):
    workspace = Workspace(tmp_path)
    noise = np.random.default_rng(0)
    squares = [noise.integers(0, 255, (4, 4, 1)).astype(np.uint8) for _ in range(40)]
    models = [
        model(workspace, ngram, text, "tales", "text", ["The cat sat on the mat."] * 9),
        model(workspace, gaussian_mixture, image, "squares", "image", squares),
        *(copied(workspace, capable[name], name) for name in ("tones", "waves")),
    ]
    context = StageContext(tmp_path / "stage", workspace)
    context.folder.mkdir()
    result = try_served.plain(*map(list, zip(*models, strict=True)), TrialSettings(requests=5), context=context)
    assert set(result.latency) == {"tales", "squares", "tones", "waves"}
    for latency in result.latency.values():
        assert latency.requests == 5
        assert 0 < latency.p50_ms <= latency.p95_ms
    assert 0 < result.start_seconds < 60
    folder = result.path(workspace)
    assert (folder / "tales.txt").read_text()
    assert Image.open(io.BytesIO((folder / "squares.png").read_bytes())).size == (4, 4)
    assert audio.read((folder / "tones.wav").read_bytes(), "tones.wav").rate == 8000
    assert series.read((folder / "waves.csv").read_bytes(), "waves.csv").steps == 6
    assert context.figures["latency_p95_ms.tales"] == result.latency["tales"].p95_ms
    assert result.intact(workspace)


def test_server_that_cannot_load(tmp_path):
    ghost = {"identity": {"model": "ghost"}, "path": str(tmp_path)}
    with pytest.raises(BadInput, match=r"did not start.*is no bundle"), served([ghost], tmp_path / "log", 30):
        pass


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has the device that is asked for")
def test_a_server_on_a_device_that_is_not_there(answering, tmp_path):
    squares = {"identity": {"model": "squares"}, "path": str(answering["squares"])}
    refused = pytest.raises(BadInput, match=r"device 'cuda' is not on this machine; choose cpu")
    with refused, served([squares], tmp_path / "log", 60, "cuda"):
        pass


def test_server_that_takes_too_long(tmp_path):
    with pytest.raises(AigcError, match="did not start"), served([], tmp_path / "log", 0):
        pass


def test_server_is_gone_after_the_block(tmp_path):
    with served([], tmp_path / "log", 30) as client:
        assert client.get("/readyz").json()["models"] == []
        url = client.base_url
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


def test_child_that_does_not_listen_is_killed(monkeypatch):
    deaf = "import signal, time; print(1, flush=True); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", deaf], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    process.stdout.readline()
    monkeypatch.setattr("tasks.serve.try_served.PATIENCE", 0.1)
    began = time.monotonic()
    assert end(process) == -signal.SIGKILL
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("seconds", "done"),
    [
        ([0.1] * 11, False),
        ([0.1] * 12, False),  # ten timed ones that took a second in all
        ([0.2] * 12, True),
        ([0.001] * 21, False),
        ([9.0] * 2, False),  # none timed yet
        ([30.0] * 2, False),
        ([30.0] * 3, True),  # the time is over: one timed one is enough
        ([6.0] * 4, True),
        ([3.0] * 6, False),
        ([3.0] * 7, True),
    ],
)
def test_how_often_a_model_is_asked(seconds, done):
    assert enough(seconds, 20.0) == done
