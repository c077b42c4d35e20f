"""A registered model generates a batch."""

from __future__ import annotations

from flows.entry import entry
from flows.flow import flow, tracked
from tasks.use.generate_batch import Batch, BatchSettings, generate_batch


@flow
@entry
@tracked
def generation(settings: BatchSettings) -> Batch:
    """What `aigc generate` does: a folder of items and manifest.jsonl; again after a kill it goes on where it was."""
    batch: Batch = generate_batch(settings)
    return batch
