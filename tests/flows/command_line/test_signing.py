from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows.command_line.app import app


def ran(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(argument) for argument in arguments])
    return done.exit_code, done.output


def test_a_folder_is_signed_verified_and_betrayed(
    capable: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    folder, key, public = Path(shutil.copytree(capable["letters"], tmp_path / "letters")), *made_keys(tmp_path)
    sound = f"{folder} is sound: each file is what its digest says (bundle {digest(folder)})\nsignature: none\n"
    assert ran("verify", folder) == (0, sound)
    assert ran("verify", folder, "--key", public)[0] == 1
    assert ran("sign", folder, "--key", key) == (0, f"{folder} is signed\n")
    status, text = ran("verify", folder, "--key", public, "--json")
    assert (status, json.loads(text)["signature"]) == (0, "valid")
    (folder / "weights.safetensors").write_bytes(b"")
    status, text = ran("verify", folder, "--json")
    assert (status, json.loads(text)["sound"]) == (1, False)
    assert "is not what its digest says" in ran("verify", folder)[1]


def made_keys(folder: Path) -> tuple[Path, Path]:
    status, text = ran("sign", "--new", folder / "team.pem", "--json")
    assert status == 0
    made = json.loads(text)
    return Path(made["private"]), Path(made["public"])


def digest(folder: Path) -> str:
    return str(json.loads(ran("verify", folder, "--json")[1])["bundle_sha256"])[:12]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["sign"], "say what to sign and with which key"),
        (["sign", "digits"], "say what to sign and with which key"),
        (["verify", "item.png"], "is a file, and a bundle is a folder"),
    ],
)
def test_bad_use_ends_with_2(arguments: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    Path("item.png").write_bytes(b"")
    status, text = ran(*arguments)
    assert (status, words in text) == (2, True)
