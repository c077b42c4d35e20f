"""From a source to a version of a data set."""

from __future__ import annotations

from flows.config import DataConfig
from flows.flow import flow
from tasks.cleaning import clean
from tasks.deduplicate import deduplicate
from tasks.ingest import ingest
from tasks.references import VersionRef
from tasks.split import split
from tasks.version import version


@flow
def prepare(config: DataConfig) -> VersionRef:
    """Ingest, clean, find duplicates, split, and give the result to DVC."""
    raw = ingest(config.source)
    cleaned = clean(raw, config.clean)
    duplicates = deduplicate(cleaned, config.deduplicate)
    return version(split(cleaned, duplicates, config.described_split()))
