from __future__ import annotations

from typing import Any

from tasks.version.storage import storage_of


def test_what_dvc_is_told_of_a_bucket_is_enough(bucket: Any, object_store: str, monkeypatch: Any) -> None:
    bucket.pipe("bucket/kept/a", b"1")
    for name in ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    type(bucket).clear_instance_cache()
    options = {"endpointurl": object_store, "access_key_id": "me", "secret_access_key": "hush", "region": "us-east-1"}
    storage, root = storage_of("s3://bucket/kept", {"url": "s3://bucket/kept", **options})
    assert storage.exists(f"{root}/a")


def test_a_listing_is_never_an_old_one(bucket: Any) -> None:
    bucket.pipe("bucket/kept/a", b"1")
    storage, root = storage_of("s3://bucket/kept", {})
    assert storage.ls(root) == ["bucket/kept/a"]
    bucket.rm("bucket/kept/a")
    storage, root = storage_of("s3://bucket/kept", {})
    assert not storage.exists(f"{root}/a")


def test_a_folder_needs_nothing_said(tmp_path: Any) -> None:
    storage, root = storage_of(str(tmp_path), {"url": str(tmp_path)})
    assert storage.exists(root)
