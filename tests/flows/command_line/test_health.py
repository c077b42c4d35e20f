import httpx
import pytest

from aigc_models.errors import AigcError
from flows.command_line import health
from tasks.stage.settings import Workspace

HERE = Workspace.current()


def answering(monkeypatch, status, payload=None):
    """A Prefect server that says this of the workers of the pool."""

    def post(url, json, timeout):
        assert url == "http://prefect/api/work_pools/aigc/workers/filter"
        return httpx.Response(status, json=payload, request=httpx.Request("POST", url))

    monkeypatch.setenv("PREFECT_API_URL", "http://prefect/api")
    monkeypatch.setattr(httpx, "post", post)


def test_without_a_server_no_worker_is_needed(monkeypatch):
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    assert health.workers(HERE).startswith("none needed")


def test_workers_that_are_online_are_named(monkeypatch):
    answering(monkeypatch, 200, [{"name": "one", "status": "ONLINE"}, {"name": "two", "status": "OFFLINE"}])
    assert health.workers(HERE) == "1 at work on aigc: one"


def test_a_pool_without_a_worker_is_found(monkeypatch):
    answering(monkeypatch, 200, [{"name": "two", "status": "OFFLINE"}])
    with pytest.raises(AigcError, match="prefect worker start --pool aigc"):
        health.workers(HERE)


def test_nothing_deployed_is_no_fault(monkeypatch):
    answering(monkeypatch, 404)
    assert "`aigc deploy` makes it" in health.workers(HERE)


def test_a_server_in_trouble_is_found(monkeypatch):
    answering(monkeypatch, 500)
    with pytest.raises(AigcError, match="does not say which workers"):
        health.workers(HERE)


def test_sound_formats_that_are_missing_are_named(monkeypatch):
    import soundfile

    assert "MP3" in health.sound_formats(HERE)
    monkeypatch.setattr(soundfile, "available_formats", lambda: {"WAV": "", "FLAC": "", "OGG": ""})
    with pytest.raises(AigcError, match="does not read MP3"):
        health.sound_formats(HERE)


def test_a_card_that_torch_cannot_use_is_found(monkeypatch):
    import torch

    from tasks.stage import system_metrics

    assert health.device(HERE)

    class Card:
        name = "NVIDIA Toy"

    monkeypatch.setattr(system_metrics, "cards", lambda: (Card(),))
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(AigcError, match="NVIDIA Toy, but torch"):
        health.device(HERE)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: True)
    assert health.device(HERE).endswith("uses it, bf16 too")


def test_a_workspace_that_moved_is_told_what_names_its_old_place(tmp_path):
    from tasks.stage.tracking import prepare

    there = Workspace(tmp_path / "there")
    assert health.moved_workspace(there) == "nothing that could have moved"
    prepare(Workspace(tmp_path / "here"))
    assert health.moved_workspace(Workspace(tmp_path / "here")) == "it lies where it was made"
    (tmp_path / "here").rename(there.root)
    with pytest.raises(AigcError, match=r"MLflow's database names .*here.*`aigc models list` sets it"):
        health.moved_workspace(there)
    prepare(there)
    assert health.moved_workspace(there) == f"moved from {tmp_path}/here; all is set to here"
