from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from aigc_models.errors import BadInput, Damaged
from tasks.judge.champion import within
from tasks.registry.bundles import bundle_folder, is_registered, resolve, stated_digest
from tasks.registry.promote import promote_version, rollback
from tasks.registry.register import find_version
from tasks.registry.registry import located
from tasks.stage.references import digest_of
from tasks.stage.settings import Workspace
from tasks.stage.tracking import client


def edit(folder: Path, **fields: object) -> None:
    card = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps(card | fields))


def test_a_digest_from_the_card_alone_is_that_of_the_folder(registrar, capable: dict[str, Path]) -> None:
    assert stated_digest(registrar.bundle("plainly", 1)) == digest_of([folder := registrar.bundle("plainly", 1)], folder)
    for folder in capable.values():  # ensembles and newest pasts among them
        assert stated_digest(folder) == digest_of([folder], folder)


@pytest.mark.parametrize("fields", [{"seed": 8}, {"licence": "MIT"}, {"digests": {}}], ids=["seed", "licence", "digests"])
def test_a_card_that_was_edited_is_refused_by_name(registrar, fields: dict[str, object]) -> None:
    name = f"edited-{next(iter(fields))}"
    registrar.register(name, 1)
    folder = resolve(registrar.workspace, f"{name}/1")
    edit(folder, **fields)
    for ask in (resolve, located):
        with pytest.raises(Damaged, match=rf"bundle.json is not what was registered as {name}/1; restore its files"):
            ask(registrar.workspace, f"{name}/1")


def test_nothing_becomes_champion_whose_files_were_altered(registrar) -> None:
    workspace = registrar.workspace
    for number in (1, 2, 3):
        registrar.register("rotten", number)
    promote_version(workspace, "rotten", 1)
    promote_version(workspace, "rotten", 2)
    for number in (1, 3):
        (resolve(workspace, f"rotten/{number}") / "weights.safetensors").write_bytes(bytes(999) + b"1")
    with pytest.raises(Damaged, match=r"weights\.safetensors is not what its digest says"):
        promote_version(workspace, "rotten", 3)
    with pytest.raises(Damaged, match=r"weights\.safetensors is not what its digest says"):
        rollback(workspace, "rotten")
    assert client(workspace).get_registered_model("rotten").aliases["champion"] == 2


def test_files_that_are_gone_are_said_with_a_way_out(registrar) -> None:
    registrar.register("vanished", 1)
    shutil.rmtree(resolve(registrar.workspace, "vanished/1"))
    with pytest.raises(BadInput, match=r"vanished/1 is needed, but its files are gone.*aigc models promote vanished VERSION"):
        resolve(registrar.workspace, "vanished/1")


def test_a_version_without_a_digest_is_not_believed(registrar) -> None:
    registrar.register("untagged", 1)
    client(registrar.workspace).delete_model_version_tag("untagged", "1", "aigc.bundle_sha256")
    with pytest.raises(BadInput, match=r"untagged/1 has no tag aigc\.bundle_sha256"):
        resolve(registrar.workspace, "untagged/1")


def test_a_bundle_with_a_stray_file_is_not_registered(registrar) -> None:
    (registrar.bundle("stray", 1) / "evil.py").write_text("")
    with pytest.raises(Damaged, match=r"evil.py is not listed in .*bundle.json: remove it"):
        registrar.register("stray", 1)


def test_a_downloaded_copy_that_was_altered_is_fetched_anew(registrar, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a store whose artifacts are not on this machine's disk, as far as the code can see."""
    registered = registrar.register("far", 1)
    workspace, store = registrar.workspace, client(registrar.workspace)
    version = find_version(store, "far/1")
    monkeypatch.setattr("tasks.registry.bundles._local", lambda location: None)
    folder = bundle_folder(workspace, store, version)
    assert folder == workspace.state / "models" / registered.bundle_sha256
    edit(folder, licence="MIT")
    assert is_registered(bundle_folder(workspace, store, version), registered.bundle_sha256)
    assert json.loads((folder / "bundle.json").read_text())["licence"] == "CC0"


def test_a_copy_of_the_champion_that_was_altered_is_made_anew(registrar, tmp_path: Path) -> None:
    registered = registrar.register("copied", 1)
    version, elsewhere = find_version(client(registrar.workspace), "copied/1"), Workspace(tmp_path)
    (elsewhere.state / "models").mkdir(parents=True)
    source = resolve(registrar.workspace, "copied/1")
    edit(within(elsewhere, source, version), licence="MIT")
    assert is_registered(within(elsewhere, source, version), registered.bundle_sha256)
