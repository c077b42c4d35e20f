"""What tells one item from another: the same bytes, or nearly the same content."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Fingerprint:
    """`exact` is a sha256 of the canonical content; `near` is what the modality compares."""

    exact: str
    near: bytes
