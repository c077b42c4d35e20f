"""Its refusals are in tests/faults/test_bundles.py."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from aigc_models.reading.bundle_files import CARD, SIGNATURE, WEIGHTS, check, listing


def test_files_that_are_as_listed_pass_with_a_signature_beside_them(tmp_path: Path) -> None:
    (tmp_path / WEIGHTS).write_bytes(b"numbers")
    digest = hashlib.sha256(b"numbers").hexdigest()
    (tmp_path / CARD).write_text(json.dumps({"name": "x", "digests": {WEIGHTS: digest}}))
    (tmp_path / SIGNATURE).write_text("signed")
    check(tmp_path)
    assert listing(tmp_path).digests == {WEIGHTS: digest}
