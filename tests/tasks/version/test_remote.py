"""Versions to and from an object store: a real server of S3, added from, pushed to, pulled from and purged."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from typing import Any

import pytest

from aigc_models.errors import BadInput
from tasks.clean.clean import CleanSettings, clean
from tasks.deduplicate.deduplicate import DeduplicateSettings, deduplicate
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings
from tasks.split.split import SplitSettings, split
from tasks.stage.execution import Execution, executing
from tasks.stage.references import RawRef
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext
from tasks.version.cache import find_version, present
from tasks.version.forget import ForgetSettings, forget, purge
from tasks.version.remote import pull, push
from tasks.version.version import Dvc, cache_folder, version

SOURCE = SourceSettings(name="letters", location="s3://bucket/in/letters.csv", content="text", group="customer")
REMOTE = "s3://bucket/versions"


def context(workspace: Workspace, name: str) -> StageContext:
    folder = workspace.stages / name
    folder.mkdir(parents=True, exist_ok=True)
    return StageContext(folder=folder, workspace=workspace)


def versioned(workspace: Workspace, raw: RawRef) -> str:
    cleaned = clean.plain(raw, CleanSettings(), context(workspace, "clean"))
    duplicates = deduplicate.plain(cleaned, DeduplicateSettings(), context(workspace, "deduplicate"))
    divided = split.plain(cleaned, duplicates, SplitSettings(), context(workspace, "split"))
    return str(version.plain(divided, context(workspace, "version")).version)


def held(bucket: Any) -> set[bytes]:
    """The contents of all items that the bucket's versions hold."""
    from pyarrow import parquet

    tables = [parquet.read_table(io.BytesIO(bytes_)) for bytes_ in contents(bucket) if bytes_[:4] == b"PAR1"]
    columns = [table[name].to_pylist() for table in tables for name in ("payload", "content") if name in table.column_names]
    return {value for column in columns for value in column}


def contents(bucket: Any) -> list[bytes]:
    return [bucket.cat_file(path) for path in bucket.find("bucket/versions")]


@pytest.mark.slow
def test_from_a_bucket_to_a_bucket_and_forgotten_there(
    bucket: Any, tmp_path: Any, sentences: Callable[[int], list[str]]
) -> None:
    pytest.importorskip("dvc_s3")
    texts = sentences(60)
    lines = [f"{text},customer {at // 2}" for at, text in enumerate(texts)]
    bucket.pipe("bucket/in/letters.csv", "\n".join(["text,customer", *lines, ""]).encode())
    workspace = Workspace(tmp_path).create()
    first = versioned(workspace, ingest.plain(SOURCE, context(workspace, "ingest")))
    assert push(workspace, "letters", url=REMOTE)[1] == REMOTE
    assert texts[6].encode() in held(bucket)

    shutil.rmtree(cache_folder(workspace))
    with pytest.raises(BadInput, match="not in the cache"):
        present(workspace, find_version(workspace, "letters", first))
    pull(workspace, "letters", first)
    assert "card.json" in present(workspace, find_version(workspace, "letters", first))

    settings = ForgetSettings(name="letters", groups=("customer 3",))
    second = versioned(workspace, forget.plain(settings, context(workspace, "forget")))
    with executing(Execution(workspace)):
        report = purge(workspace, "letters")
    assert (report.versions, report.remotes, report.unreached) == ((first,), (REMOTE,), ())
    push(workspace, "letters", second)
    assert not {text.encode() for text in texts[6:8]} & held(bucket)
    assert texts[9].encode() in held(bucket)
    assert Dvc(workspace).remotes() == {REMOTE: {"url": REMOTE}}
