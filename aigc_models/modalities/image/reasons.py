"""Why a picture could not be decoded, in words for people, from what Pillow raises."""

from __future__ import annotations

import re

from PIL import Image

from aigc_models.reading import first_bytes

WORDS = {  # what Pillow says, in part: what it means
    "truncated": "cut off: the file ends before the picture does",
    "broken data stream": "damaged: its data make no sense",
    "unrecognized data stream": "damaged: its data make no sense",
    "decoder error": "damaged: its data make no sense",
    "decoder object": "damaged or cut off",
    "cannot load this image": "damaged: it has no data",
    "not enough image data": "cut off: the file ends before the picture does",
    "text chunk": "its comments unpack to more than is let in; is it a decompression bomb?",
}
BOMB = re.compile(r"Image size \((\d+) pixels\)")


def reason(error: Exception, payload: bytes) -> str:
    """What a person understands, with Pillow's own words where these are not known."""
    if isinstance(error, Image.UnidentifiedImageError):
        return first_bytes.unlike("a picture", payload)
    message = str(error)
    if claimed := BOMB.match(message):
        return f"claims {int(claimed[1])} pixels in all, which is more than is decoded; is it a decompression bomb?"
    if isinstance(error, AssertionError):  # Pillow's own, where parts of a file contradict each other
        message = "damaged: its parts contradict each other"
    phrase = next((words for part, words in WORDS.items() if part in message.lower().replace("_", " ")), None)
    return f"cannot be decoded: {phrase or message or type(error).__name__}"
