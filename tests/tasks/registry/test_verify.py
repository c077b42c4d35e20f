from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from aigc_models.errors import BadInput, Damaged
from aigc_models.generator import Generator
from tasks.registry.bundles import resolve
from tasks.registry.promote import promote_version
from tasks.registry.signing import VARIABLE, new_keys
from tasks.registry.verify import sign, verify
from tasks.stage.references import digest_of


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    """A private and a public key."""
    return tmp_path / "team.pem", new_keys(tmp_path / "team.pem")


def test_a_version_is_held_against_the_registry_and_its_signature(registrar, keys: tuple[Path, Path]) -> None:
    workspace, (private, public) = registrar.workspace, keys
    registered = registrar.register("vouched", 1)
    first = verify(workspace, "vouched/1")
    assert (first.sound, first.signature, first.bundle_sha256) == (True, "none", registered.bundle_sha256)
    assert verify(workspace, "vouched/1", public).problem.startswith("vouched/1 is not signed")
    sign(workspace, "vouched@challenger", private)
    assert verify(workspace, "vouched/1").signature == "not checked"
    assert (verify(workspace, "vouched/1", public).sound, verify(workspace, "vouched/1", public).signature) == (True, "valid")
    (resolve(workspace, "vouched/1") / "weights.safetensors").write_bytes(b"x")
    broken = verify(workspace, "vouched/1", public)
    assert (broken.sound, broken.problem.count("is not what its digest says")) == (False, 1)
    with pytest.raises(Damaged):
        sign(workspace, "vouched/1", private)


def test_with_a_key_set_nothing_is_loaded_that_is_not_signed(
    registrar, keys: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, (private, public) = registrar.workspace, keys
    registrar.register("guarded", 1)
    registrar.register("guarded", 2)
    monkeypatch.setenv(VARIABLE, str(public))
    for ask in (lambda: resolve(workspace, "guarded/1"), lambda: promote_version(workspace, "guarded", 1)):
        with pytest.raises(Damaged, match=r"guarded/1 is not signed.*aigc sign guarded/1 --key"):
            ask()
    sign(workspace, "guarded/1", private)
    assert promote_version(workspace, "guarded", 1).to_version == 1
    assert resolve(workspace, "guarded").is_dir()
    with pytest.raises(Damaged, match="guarded/2 is not signed"):
        resolve(workspace, "guarded/2")
    monkeypatch.setenv(VARIABLE, "/nowhere.pem")
    with pytest.raises(BadInput, match=r"/nowhere\.pem cannot be read"):
        resolve(workspace, "guarded/1")


def test_a_signed_folder_stays_what_it_is_and_brings_its_signature(
    registrar, keys: tuple[Path, Path], capable: dict[str, Path]
) -> None:
    workspace, (private, public) = registrar.workspace, keys
    folder = Path(shutil.copytree(capable["mind"], workspace.outputs / "signed"))
    before = digest_of([folder], folder)
    sign(workspace, str(folder), private)
    assert (digest_of([folder], folder), verify(workspace, str(folder), public).signature) == (before, "valid")
    assert Generator.load(folder, "cpu").card.name == "mind"
    registrar.register("brought", 1, folder)
    assert verify(workspace, "brought/1", public).signature == "valid"
    (folder / "bundle.json").write_bytes((capable["letters"] / "bundle.json").read_bytes())
    assert not verify(workspace, str(folder), public).sound


def test_what_is_no_bundle_is_said(registrar, tmp_path: Path) -> None:
    (tmp_path / "picture.png").write_bytes(b"")
    with pytest.raises(BadInput, match=r"picture\.png is a file, and a bundle is a folder"):
        verify(registrar.workspace, str(tmp_path / "picture.png"))
    with pytest.raises(BadInput, match=r"write NAME, NAME@alias or NAME/version"):
        verify(registrar.workspace, "../nothing")
