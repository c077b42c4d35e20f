"""Forged bundles: each is refused in a sentence, by whichever door, before memory is taken or a file outside is read."""

from __future__ import annotations

import importlib
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aigc_models.errors import AigcError, BadInput, Damaged
from aigc_models.generator import Generator
from tasks.registry.bundles import bundle_folder
from tasks.registry.register import RegisterSettings, find_version, register
from tasks.stage.references import EnsembleRef, EvaluationRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.stage.tracking import client, prepare

CORPUS = Path(__file__).parent / "bundles"
ROOT = Path(__file__).parents[2]
MEGABYTES = 100
GIVEAWAYS = re.compile(r"Traceback|object at 0x|Errno|pydantic|the content of a file outside|\n")


def corpus(name: str) -> Any:
    sys.path.insert(0, str(CORPUS))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(CORPUS))


@pytest.fixture(scope="module", autouse=True)
def forgotten() -> Iterator[None]:
    """The names of the corpus are plain ones, and another file's tests may use them too."""
    yield
    for name in ("forging", "forgeries"):
        sys.modules.pop(name, None)


@pytest.fixture(scope="module")
def answers() -> dict[str, dict[str, Any]]:
    """What `Generator.load` says of each."""
    command = [sys.executable, str(CORPUS / "judged.py")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=600, check=True)
    return {line["name"]: line for line in map(json.loads, done.stdout.splitlines())}


def environment() -> dict[str, str]:
    return {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}


def test_there_are_enough_and_no_name_comes_twice() -> None:
    names = [forgery.name for forgery in corpus("forgeries").FORGERIES]
    assert len(set(names)) == len(names) >= 100


@pytest.mark.parametrize("forgery", corpus("forgeries").FORGERIES, ids=lambda forgery: forgery.name)
def test_it_is_refused_in_a_sentence(forgery: Any, answers: dict[str, dict[str, Any]]) -> None:
    answer = answers[forgery.name]
    assert answer["error"] == forgery.error, answer
    assert forgery.words in answer["words"]
    assert not GIVEAWAYS.search(answer["words"])
    assert len(answer["words"]) < 800
    assert answer["megabytes"] < MEGABYTES
    assert answer["outside"] == []


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    return Workspace(tmp_path_factory.mktemp("workspace"))


@pytest.fixture(scope="module")
def registered(workspace: Workspace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Any, Path]]:
    """A version of each good bundle, and a copy of its files."""
    sources, tracker, versions = corpus("forging").good(tmp_path_factory.mktemp("good")), prepare(workspace), {}
    evaluation = workspace.outputs / "evaluation"
    evaluation.mkdir(parents=True)
    (evaluation / "metrics.json").write_text("{}")
    for name, source in sources.items():
        bundle = Path(shutil.copytree(source, workspace.outputs / name))
        ensemble = EnsembleRef.to(workspace, bundle, method="average", modality="text", weights={})
        judged, settings = EvaluationRef.to(workspace, evaluation, metrics={}), RegisterSettings(model=f"forged-{name}")
        with tracker.run(name) as run:
            context = StageContext(workspace.outputs, workspace, run_id=run.id)
            register.plain(ensemble, judged, settings, context=context)
        versions[name] = find_version(tracker.client, f"forged-{name}/1"), source
    return versions


def test_no_forgery_passes_for_a_registered_version(registered: Any, workspace: Workspace, tmp_path: Path) -> None:
    store, passed = client(workspace), []
    for forgery in corpus("forgeries").FORGERIES:
        version, source = registered[forgery.source]
        folder = bundle_folder(workspace, store, version)
        outside = Path(shutil.copytree(source, tmp_path / "outside"))
        corpus("forgeries").secret(outside)
        forgery.alter(folder, outside)
        try:
            Generator.load(bundle_folder(workspace, store, version), "cpu")
            passed.append(forgery.name)
        except (BadInput, Damaged):
            pass
        finally:
            shutil.rmtree(folder)
            shutil.rmtree(outside)
            shutil.copytree(source, folder)
    assert passed == []


def test_a_careful_forger_is_betrayed_by_the_registered_digest(registered: Any, workspace: Workspace) -> None:
    """Weights of another model, with a card whose digests agree: it is sound in itself, and is not what was registered."""
    forging, store = corpus("forging"), client(workspace)
    version, source = registered["member"]
    folder = bundle_folder(workspace, store, version)
    content = bytearray((folder / "weights.safetensors").read_bytes())
    content[-1] ^= 1
    forging.write(folder, bytes(content), "weights.safetensors")
    forging.seal(folder)
    assert Generator.load(folder, "cpu").card.name == "letters"
    with pytest.raises(AigcError, match="is not what was registered as forged-member/1"):
        bundle_folder(workspace, store, version)
    shutil.rmtree(folder)
    shutil.copytree(source, folder)
