import json
import stat
import subprocess
import sys

import pytest

from aigc_models.errors import BadInput, Damaged
from tasks.serve.doors.keys import Keyring, add, path_of, read, revoke
from tasks.stage.settings import Workspace


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path).create()


def test_a_key_is_kept_as_its_digest_alone(workspace):
    key, text = add(workspace, "shop", ("generate", "generate"), rate=5)
    path = path_of(workspace)
    assert text.startswith(f"aigc-{key.id}-")
    assert text.rpartition("-")[2] not in path.read_text()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert read(path) == (key,)
    assert key.scopes == ("generate",)
    assert Keyring(path).match(text) == key


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[:-1],
        lambda text: text + "a",
        lambda text: text.upper(),
        lambda text: "",
        lambda text: text[:14],
        lambda text: "aigc-" + "0" * 8 + text[13:],
        lambda text: text.replace("aigc", "AIGC"),
        lambda text: "\udc80" + text,
    ],
)
def test_what_is_not_the_whole_key_is_none(workspace, change):
    _, text = add(workspace, "shop")
    assert Keyring(path_of(workspace)).match(change(text)) is None


def test_what_a_key_allows(workspace):
    keys = {scope: add(workspace, scope, (scope,))[0] for scope in ("generate", "promote", "admin")}
    assert [scope for scope in keys if keys["generate"].allows(scope)] == ["generate"]
    assert [scope for scope in keys if keys["promote"].allows(scope)] == ["promote"]
    assert [scope for scope in keys if keys["admin"].allows(scope)] == ["generate", "promote", "admin"]


def test_keys_that_come_and_go_while_a_server_reads_them(workspace):
    ring = Keyring(path_of(workspace))
    assert ring.keys == {}
    _, text = add(workspace, "shop")
    assert ring.match(text)
    other, _ = add(workspace, "other")
    assert set(ring.keys) == {other.id, *ring.keys}
    revoke(workspace, "shop")
    assert ring.match(text) is None
    assert len(ring.keys) == 2  # a revoked key is one that was made: the door stays shut
    _, again = add(workspace, "shop")
    assert ring.match(again)


def test_bad_use(workspace):
    add(workspace, "shop")
    with pytest.raises(BadInput, match="there is a key 'shop' already"):
        add(workspace, "shop")
    with pytest.raises(BadInput, match="unknown scope 'promot'; did you mean 'promote'"):
        add(workspace, "deploys", ("promot",))
    with pytest.raises(BadInput, match="unknown key 'shp'; did you mean 'shop'"):
        revoke(workspace, "shp")
    assert [key.name for key in read(path_of(workspace))] == ["shop"]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b"\xff", b'[{"id": "x"}]'])
def test_a_damaged_file_opens_no_door(workspace, content):
    _, text = add(workspace, "shop")
    ring = Keyring(path_of(workspace))
    path_of(workspace).write_bytes(content)
    with pytest.raises(Damaged, match=r"keys\.json holds no list of keys"):
        ring.match(text)
    with pytest.raises(Damaged):
        add(workspace, "other")


def test_keys_that_are_made_at_once_are_all_kept(workspace):
    imports = "import sys; from pathlib import Path; from tasks.stage.settings import Workspace"
    code = (
        "from tasks.serve.doors.keys import add\nfor at in range(5): add(Workspace(Path(sys.argv[1])), sys.argv[2] + str(at))"
    )
    command = [sys.executable, "-c", f"{imports}\n{code}", str(workspace.root)]
    processes = [subprocess.Popen([*command, name]) for name in "abc"]
    assert [process.wait(60) for process in processes] == [0, 0, 0]
    assert len({key["name"] for key in json.loads(path_of(workspace).read_text())}) == 15
