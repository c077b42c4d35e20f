"""`aigc doctor`: what can be wrong with an installation or a workspace, looked at one by one."""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from aigc_models.errors import AigcError
from tasks.stage.addresses import without_secrets
from tasks.stage.settings import Workspace

ROOM = 2 * 1024**3  # bytes that a run of a small data set may take
SOUNDS = ("WAV", "FLAC", "OGG", "MP3")


def examine(workspace: Workspace) -> list[dict[str, Any]]:
    """One finding a check: its name, whether it is well, and what was seen or what to do."""
    checks: list[Callable[[Workspace], str]] = [
        python,
        packages,
        device,
        sound_formats,
        writable,
        room,
        mlflow_store,
        prefect_store,
        workers,
        data_versions,
        moved_workspace,
    ]
    return [_finding(check, workspace) for check in checks]


def _finding(check: Callable[[Workspace], str], workspace: Workspace) -> dict[str, Any]:
    name = check.__name__.replace("_", " ")
    try:
        return {"name": name, "ok": True, "detail": without_secrets(check(workspace))}
    except (AigcError, OSError, sqlite3.Error) as error:
        return {"name": name, "ok": False, "detail": without_secrets(str(error))}


def python(workspace: Workspace) -> str:
    return sys.version.split()[0]


def packages(workspace: Workspace) -> str:
    """Each requirement of the project against what is installed."""
    wrong = []
    for line in requires("aigc-foundry") or []:
        requirement = Requirement(line)
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": ""}):
            continue
        try:
            installed = version(requirement.name)
        except PackageNotFoundError:
            wrong.append(f"{requirement.name} is missing")
            continue
        if not requirement.specifier.contains(installed, prereleases=True):
            wrong.append(f"{requirement.name} is {installed}, {requirement.specifier} is needed")
    if wrong:
        raise AigcError("; ".join(wrong) + "; `make install` installs the pinned set")
    return "the requirements are met"


def device(workspace: Workspace) -> str:
    """What trains here. Torch is asked where it is installed for a card; its driver alone says little."""
    from tasks.stage.system_metrics import cards, hardware

    devices = cards()
    if not devices:
        return f"{hardware()['aigc.cpu']}; no NVIDIA card"
    import torch

    names = ", ".join(card.name for card in devices)
    if not torch.cuda.is_available():
        raise AigcError(f"{names}, but torch {torch.__version__} cannot use it; install the torch build for CUDA")
    return f"{names}; torch {torch.__version__} uses it{', bf16 too' if torch.cuda.is_bf16_supported() else ''}"


def sound_formats(workspace: Workspace) -> str:
    """What libsndfile reads here; MP3 came with its version 1.1."""
    try:
        import soundfile
    except (ImportError, OSError) as error:
        raise AigcError(
            f"no sound can be read: {error}; install soundfile, and libsndfile where it does not bring it"
        ) from error
    there = soundfile.available_formats()
    missing = [name for name in SOUNDS if name not in there]
    if missing:
        raise AigcError(f"{soundfile.__libsndfile_version__} does not read {', '.join(missing)}; libsndfile 1.1 or newer does")
    return f"libsndfile {soundfile.__libsndfile_version__} reads {', '.join(SOUNDS)} and {len(there) - len(SOUNDS)} more"


def writable(workspace: Workspace) -> str:
    workspace.create()
    return str(workspace.root)


def room(workspace: Workspace) -> str:
    free = shutil.disk_usage(workspace.root).free
    if free < ROOM:
        raise AigcError(f"only {free / 1024**3:.1f} GiB free on the disk of {workspace.root}; make room or set AIGC_WORKSPACE")
    return f"{free / 1024**3:.0f} GiB free"


def mlflow_store(workspace: Workspace) -> str:
    """The embedded database, or the server that `MLFLOW_TRACKING_URI` names."""
    if workspace.tracking_uri.startswith("http"):
        return _answering(workspace.tracking_uri + "/health")
    return _sound(workspace.state / "mlflow.db")


def prefect_store(workspace: Workspace) -> str:
    """The embedded database, or the server that `PREFECT_API_URL` names."""
    import os

    if url := os.environ.get("PREFECT_API_URL"):
        return _answering(f"{url}/health")
    return _sound(workspace.state / "prefect" / "prefect.db")


def workers(workspace: Workspace) -> str:
    """Whether somebody would run what is deployed; only a server that stays has deployments."""
    import os

    url = os.environ.get("PREFECT_API_URL")
    if not url:
        return "none needed: without PREFECT_API_URL a command runs its flows itself"
    import httpx

    from flows.deploy import POOL

    try:
        answered = httpx.post(f"{url}/work_pools/{POOL}/workers/filter", json={}, timeout=5)
        if answered.status_code == httpx.codes.NOT_FOUND:
            return f"no work pool {POOL!r} yet; `aigc deploy` makes it"
        online = [worker["name"] for worker in answered.raise_for_status().json() if worker.get("status") == "ONLINE"]
    except httpx.HTTPError as error:
        raise AigcError(f"{url} does not say which workers there are: {error}") from error
    if not online:
        raise AigcError(f"nobody runs what is deployed: `prefect worker start --pool {POOL} --type process`")
    return f"{len(online)} at work on {POOL}: {', '.join(online)}"


def _answering(url: str) -> str:
    import httpx

    try:
        httpx.get(url, timeout=5).raise_for_status()
    except httpx.HTTPError as error:
        raise AigcError(f"{url} does not answer: {error}") from error
    return f"{url} answers"


def _sound(database: Path) -> str:
    if not database.exists():
        return "none yet; the first run makes it"
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
        verdict = connection.execute("pragma quick_check").fetchone()[0]
    if verdict != "ok":
        raise AigcError(f"{database} is damaged: {verdict}")
    return "sound"


def data_versions(workspace: Workspace) -> str:
    """Whether `data.dvc` says what `data/` holds."""
    from tasks.version.version import Dvc

    if not (workspace.root / "data.dvc").exists():
        return "none yet; `aigc data add` or `aigc run` makes one"
    if not workspace.data.exists():
        return "data.dvc is there and data/ is not; `aigc run` makes it anew, or `dvc pull` brings it"
    if not Dvc(workspace).up_to_date():
        raise AigcError("data/ is not what data.dvc says; `dvc status` shows where, `aigc run` makes a new version")
    return "data.dvc says what data/ holds"


def moved_workspace(workspace: Workspace) -> str:
    """Whether something still names the folder in which a workspace lay before it was moved or copied."""
    from tasks.stage.moved import homes, left_behind

    if not workspace.database.exists():
        return "nothing that could have moved"
    if left := left_behind(workspace):
        raise AigcError("; ".join(left))
    before = homes(workspace)
    return f"moved from {', '.join(before)}; all is set to here" if before else "it lies where it was made"
