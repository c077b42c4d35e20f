"""Files of an object store: from a real server of S3."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.ingest import source
from tasks.ingest.readers import remote_file
from tasks.ingest.readers.remote_file import Unreachable
from tasks.ingest.source import SourceSettings

TABLE = b"text,kind\nhello,x\nbye,y\n"
URL = "s3://bucket/notes.csv"


def added(settings: SourceSettings) -> tuple[str, list[bytes]]:
    modality, digest = source.modality(settings), source.fingerprint(settings)
    return digest, [item.payload for item in source.read(settings, modality)]


def test_an_object_is_downloaded_only_when_its_etag_changed(bucket: Any, capsys: pytest.CaptureFixture[str]) -> None:
    settings = SourceSettings(name="a", location=URL, label="column:kind")
    bucket.pipe("bucket/notes.csv", TABLE)
    digest, payloads = added(settings)
    assert payloads == [b"hello", b"bye"]
    assert added(settings)[0] == digest
    assert capsys.readouterr().err.count("fetched s3://") == 1
    bucket.pipe("bucket/notes.csv", TABLE + b"more,x\n")
    changed, payloads = added(settings)
    assert changed != digest
    assert payloads[-1] == b"more"
    assert f"{URL} changed since" in capsys.readouterr().err


def test_an_object_that_is_not_the_pinned_one_is_refused(bucket: Any) -> None:
    bucket.pipe("bucket/notes.csv", TABLE)
    with pytest.raises(BadInput, match="expected is 0000"):
        added(SourceSettings(name="a", location=URL, options={"sha256": "0" * 64}))


def test_errors_of_the_reader_are_not_taken_for_those_of_the_network(bucket: Any) -> None:
    bucket.pipe("bucket/notes.csv", TABLE)
    with pytest.raises(OSError, match="disk full"), remote_file.opened(URL, URL):
        raise OSError("disk full")


@pytest.mark.parametrize(
    ("url", "message"),
    [("s3://bucket/nothing.csv", "does not exist"), ("s3://nowhere/a.csv", "does not exist"), ("s3://bucket", "is a folder")],
)
def test_what_is_not_there_is_said(bucket: Any, url: str, message: str) -> None:
    with pytest.raises(BadInput, match=message), remote_file.opened(url, url):
        pass


def test_without_credentials_it_cannot_be_reached(bucket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    type(bucket).clear_instance_cache()
    with pytest.raises(Unreachable, match="credentials"), remote_file.opened(URL, URL):
        pass


@pytest.mark.parametrize(("url", "package", "extra"), [("s3://a/b.csv", "s3fs", "s3"), ("gs://a/b.csv", "gcsfs", "gs")])
def test_a_missing_package_is_named_by_its_extra(monkeypatch: pytest.MonkeyPatch, url: str, package: str, extra: str) -> None:
    from fsspec.registry import _registry as loaded  # without what was imported before

    for scheme in ("s3", "gs"):
        monkeypatch.delitem(loaded, scheme, raising=False)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(BadInput, match=rf"pip install 'aigc-foundry\[{extra}\]'"), remote_file.opened(url, url):
        pass
