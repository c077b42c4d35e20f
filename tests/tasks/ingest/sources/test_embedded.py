"""What comes with the installed libraries or is made here."""

from __future__ import annotations

import pytest

from aigc_models.find import names
from tasks.ingest.source import SourceSettings
from tasks.ingest.sources import embedded


@pytest.mark.parametrize("name", names(embedded.PACKAGE))
def test_a_content_says_what_it_is(name: str) -> None:
    settings = SourceSettings(name="a", location=f"embedded:{name}")
    assert embedded.modality(settings) in names("aigc_models.modalities")
    assert embedded.licence(settings)
    assert embedded.description(settings).startswith(f"embedded:{name}: ")


def test_fingerprints_tell_the_contents_apart() -> None:
    fingerprints = [
        embedded.fingerprint(SourceSettings(name="a", location=f"embedded:{name}")) for name in names(embedded.PACKAGE)
    ]
    assert len(set(fingerprints)) == len(fingerprints)
