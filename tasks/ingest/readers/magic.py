"""What the first bytes of a file say that it is."""

from __future__ import annotations

LAYER_3 = (0xFA, 0xFB, 0xF2, 0xF3, 0xE2, 0xE3)  # of a frame of MP3, after 0xFF
STARTS = {
    "image": (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*"),
    "audio": (b"fLaC", b"OggS", b".snd", b"caff", b"ID3", *(b"\xff" + bytes([second]) for second in LAYER_3)),
    "events": (b"MThd",),
}
INSIDE = {b"WEBP": "image", b"WAVE": "audio", b"AIFF": "audio", b"AIFC": "audio"}  # what RIFF and FORM files hold


def modality_of(head: bytes) -> str | None:
    """The modality of bytes that are no text, or None where it is not one of these.

    >>> modality_of(b"RIFF\\x24\\x08\\0\\0WAVEfmt "), modality_of(b"GIF89a"), modality_of(b"%PDF")
    ('audio', 'image', None)
    """
    if head[:4] in (b"RIFF", b"FORM"):
        return INSIDE.get(head[8:12])
    return next((name for name, starts in STARTS.items() if head.startswith(starts)), None)
