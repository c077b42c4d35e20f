from __future__ import annotations

import pytest

from tasks.version.cache import entries, find_version, object_of
from tasks.version.remote import pull, push
from tasks.version.verify import verify

pytestmark = pytest.mark.slow


def test_damage_is_found_and_mended_from_the_remote(history):
    workspace, (first, second) = history.workspace, history.versions
    _, where = push(workspace, "letters", second)
    assert where == str(workspace.state / "remote")
    push(workspace, "letters", first)
    assert [(check.version, check.intact) for check in verify(workspace, "letters")] == [(first, True), (second, True)]

    files = {
        entry.path: object_of(workspace, entry.md5) for entry in entries(workspace, find_version(workspace, "letters", second))
    }
    damaged, missing = files["clean/00001-000000000001.parquet"], files["card.json"]
    content = damaged.read_bytes()
    damaged.chmod(0o644)
    damaged.write_bytes(content[:-1] + b"\0")
    missing.unlink()
    checks = {each.version: each for each in verify(workspace, "letters")}
    assert checks[first].intact
    assert checks[second].damaged == ("clean/00001-000000000001.parquet",)
    assert checks[second].missing == ("card.json",)

    assert pull(workspace, "letters", second)[1] == 1
    assert damaged.read_bytes() == content
    assert all(each.intact for each in verify(workspace, "letters"))


def test_a_damaged_listing_is_mended_too(history):
    workspace, second = history.workspace, history.versions[1]
    push(workspace, "letters", second)
    listing = object_of(workspace, find_version(workspace, "letters", second).tree)
    content = listing.read_bytes()
    listing.chmod(0o644)
    listing.write_bytes(b"[]")
    assert verify(workspace, "letters")[-1].damaged == ("listing",)
    assert pull(workspace, "letters", second)[1] == 1
    assert listing.read_bytes() == content
