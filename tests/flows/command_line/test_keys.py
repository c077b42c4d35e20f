"""`aigc keys` as it is typed."""

import json

import pytest
from typer.testing import CliRunner

from flows.command_line.app import app


@pytest.fixture
def aigc(tmp_path, monkeypatch):
    monkeypatch.setenv("AIGC_WORKSPACE", str(tmp_path))
    return lambda *words: CliRunner().invoke(app, list(words))


def test_a_key_is_shown_once_and_taken_back(aigc):
    made = json.loads(aigc("keys", "add", "shop", "--scope", "generate", "--scope", "promote", "--rate", "60", "--json").stdout)
    assert made["scopes"] == ["generate", "promote"]
    assert made["rate"] == 60
    listed = aigc("keys", "list", "--json").stdout
    assert json.loads(listed)["keys"][0]["name"] == "shop"
    assert made["key"].rpartition("-")[2] not in listed
    assert "sha256" not in listed
    assert "shop" in aigc("keys", "list").stdout
    revoked = json.loads(aigc("keys", "revoke", made["id"], "--json").stdout)
    assert revoked["revoked"]


def test_without_keys(aigc):
    assert "no key yet" in aigc("keys", "list").stdout
    refused = aigc("keys", "revoke", "shop")
    assert refused.exit_code == 2
    assert "unknown key 'shop'" in refused.stderr


def test_nothing_is_served_beyond_the_machine_without_one(aigc):
    refused = aigc("serve", "digits", "--host", "0.0.0.0")
    assert refused.exit_code == 2
    assert "make a key first: `aigc keys add NAME`" in refused.stderr
