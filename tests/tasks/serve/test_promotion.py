import httpx
import pytest

from aigc_models.errors import BadInput
from tasks.registry.history import Entry
from tasks.registry.move import Overtaken
from tasks.serve.app import create_app
from tasks.serve.doors.keys import Keyring, add, path_of
from tasks.serve.worker import Served
from tasks.stage.settings import Workspace
from tasks.use.provenance import Identity


@pytest.fixture
def workspace(tmp_path):
    return Workspace(tmp_path).create()


def moved(name, version, reason):
    if version == 9:
        raise BadInput(f"{name} has no version '9'; there are: 1, 2")
    if version == 8:
        raise Overtaken("somebody else made version 3 champion")
    return Entry(when="2026-01-01T00:00:00", who="server", action="promoted", from_version=1, to_version=version, reason=reason)


def test_who_may_promote(serving, workspace, words):
    keys = {scope: add(workspace, scope, (scope,))[1] for scope in ("generate", "promote", "admin")}
    models = {"prose": Served(Identity(model="prose"), words)}

    def ask(address, key, version=2, name="prose"):
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        body = {"version": version, "reason": "it is better"}
        return httpx.post(f"{address}/v1/models/{name}/champion", json=body, headers=headers)

    with serving(create_app(models, keyring=Keyring(path_of(workspace)), promote=moved)) as address:
        answer = ask(address, keys["promote"])
        assert answer.status_code == 200
        assert answer.json() == {
            "model": "prose",
            "action": "promoted",
            "from_version": 1,
            "to_version": 2,
            "reason": "it is better (key 'promote')",
            "when": "2026-01-01T00:00:00",
        }
        assert ask(address, keys["admin"]).status_code == 200
        assert ask(address, keys["generate"]).status_code == 403
        assert ask(address, None).status_code == 401
        assert ask(address, keys["promote"], version=9).status_code == 400
        assert ask(address, keys["promote"], version=8).status_code == 409
        assert ask(address, keys["promote"], name="other").status_code == 404


def test_without_keys_nobody_promotes(serving, words):
    models = {"prose": Served(Identity(model="prose"), words)}
    with serving(create_app(models, promote=moved)) as address:
        answer = httpx.post(f"{address}/v1/models/prose/champion", json={"version": 2})
        assert answer.status_code == 403
        assert answer.json()["error"]["code"] == "insufficient_scope"
