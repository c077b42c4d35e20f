"""Frames of a video file as pictures, one after the other: what the file says of itself is not believed.

Time is bounded by the pixels that are decoded, memory by the size of one frame; a duration that a header claims is used for
nothing but to tell that a clip ends before it. The bytes of a picture depend on the clip alone, not on the processor.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from aigc_models.errors import BadInput

if TYPE_CHECKING:
    import av
    from PIL.Image import Image

LARGEST = 50_000_000  # pixels of a frame, as it is stored
FLOOR = 2_000_000_000  # pixels that any clip may decode to, some seconds of work
RATIO = 10_000  # pixels that a byte of a clip may decode to; a still screen takes about 5,000
SPARE = 4  # times as many frames as are wanted are held, so that these can be chosen evenly
RATE = 25.0  # frames a second where none is stated
CUT_OFF = (2.0, 0.1)  # seconds, and share of what the header claims, by which a whole clip may be shorter
# Found by their first bytes, and no other demuxer tried: some of these open further files that a clip names.
DEMUXERS = {b"\x1aE\xdf\xa3": "matroska", b"RIFF": "avi", b"\0\0\1\xba": "mpeg", b"\0\0\1\xb3": "mpegvideo"}
BOXES = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")


class Sampling(BaseModel):
    """Which frames are taken of a clip."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    every: float = Field(1.0, gt=0, description="time between two frames (s)")
    frames: int | None = Field(None, ge=1, le=200, description="this many of the whole clip, evenly, in place of `every`")
    most: int = Field(1000, ge=1, description="frames of a clip at most")
    side: int = Field(512, ge=8, description="length of a picture's longer side at most (pixels)")

    @field_validator("every", mode="before")
    @classmethod
    def _seconds(cls, interval: Any) -> Any:
        """'1s' and '500ms' too."""
        text = str(interval).strip().lower()
        try:
            return float(text.removesuffix("ms")) / 1000 if text.endswith("ms") else float(text.removesuffix("s"))
        except ValueError:
            raise BadInput(f"option every: {interval!r} is no time in seconds, such as 0.5s or 200ms") from None


@dataclass(frozen=True)
class Frame:
    """A frame, by its place among all of the clip (from 1) and its time; where nothing more can be read, why."""

    number: int
    seconds: float
    picture: bytes = b""
    problem: str = ""


def of_file(path: Path, sampling: Sampling) -> Iterator[Frame]:
    """The frames that are wanted; the last is one without a picture where the clip is damaged, cut off or no clip at all."""
    chosen = _evenly if sampling.frames else _by_time
    yield from chosen(_decoded(path), sampling)


def _by_time(decoded: Iterator[Frame | tuple[Frame, av.VideoFrame]], sampling: Sampling) -> Iterator[Frame]:
    due, taken = -math.inf, 0
    for one in decoded:
        if isinstance(one, Frame):
            yield one
        elif one[0].seconds >= due - 1e-6:
            yield _pictured(*one, sampling.side)
            taken += 1
            start = one[0].seconds if due == -math.inf else due
            due = start + sampling.every * (1 + math.floor((one[0].seconds - start) / sampling.every + 1e-6))
            if taken == sampling.most:
                return


def _evenly(decoded: Iterator[Frame | tuple[Frame, av.VideoFrame]], sampling: Sampling) -> Iterator[Frame]:
    """Every frame at first; each time that there are `SPARE` times as many as wanted, every other one is let go."""
    wanted, stride = min(sampling.frames or 1, sampling.most), 1
    kept: list[Frame] = []
    end: list[Frame] = []
    for one in decoded:
        if isinstance(one, Frame):
            end = [one]
        elif (one[0].number - 1) % stride == 0:
            kept.append(_pictured(*one, sampling.side))
            if len(kept) == SPARE * wanted:
                kept, stride = kept[::2], 2 * stride
    last = len(kept) - 1
    places = sorted({round(at * last / max(wanted - 1, 1)) for at in range(wanted)}) if kept else []
    yield from (kept[place] for place in places)
    yield from end


def _decoded(path: Path) -> Iterator[Frame | tuple[Frame, av.VideoFrame]]:
    """Each frame with its place; in the end why there are no more, where that is not the end of the clip."""
    last, first = Frame(0, 0.0), 0.0
    try:
        with _opened(path) as (container, stream):
            budget = max(FLOOR, RATIO * path.stat().st_size)
            for frame in container.decode(stream):
                if frame.is_corrupt:
                    if last.number:
                        raise ValueError("a frame is corrupt")
                    continue  # what comes before the first whole picture of a recording
                budget -= frame.width * frame.height
                if budget < 0:
                    raise ValueError("it decodes to more pixels than a clip of its size has; is it a bomb?")
                last = Frame(last.number + 1, _seconds(frame, last, stream))
                first = last.seconds if last.number == 1 else first
                yield last, frame
            problem = _cut_off(container, stream, last.seconds - first if last.number else 0.0)
            problem = problem or ("" if last.number else "holds no frame of a video")
    except (
        ValueError,
        OSError,
        EOFError,
        ArithmeticError,
        MemoryError,
        LookupError,
    ) as error:  # PyAV's errors are all one of these
        if isinstance(error, FileNotFoundError | PermissionError):
            raise
        what = getattr(error, "strerror", None) or str(error) or type(error).__name__  # without the path of this machine
        problem = f"is damaged after {last.seconds:.2f} s ({what})" if last.number else f"is no video that can be read ({what})"
    if problem:
        yield Frame(last.number + 1, last.seconds, problem=problem)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[Any, Any]]:
    """PyAV's container and its first stream of pictures, decoded by one thread so that an error comes where it is."""
    import av

    with av.open(str(path), format=_demuxer(path), metadata_errors="replace") as container:
        stream = next((stream for stream in container.streams.video if not _is_cover(stream)), None)
        if stream is None:
            raise ValueError("it has no video stream")
        stream.thread_type = "NONE"
        stream.codec_context.options = {"max_pixels": str(LARGEST)}
        if stream.codec_context.width * stream.codec_context.height > LARGEST:
            raise ValueError(f"its frames have more than {LARGEST:,} pixels")
        yield container, stream


def _demuxer(path: Path) -> str:
    """By the first bytes."""
    with path.open("rb") as file:
        start = file.read(12)
    named = next((name for mark, name in DEMUXERS.items() if start.startswith(mark)), None)
    if named is None and start[4:8] not in BOXES:
        raise ValueError("its first bytes are those of no mp4, mov, mkv, webm, avi or mpeg")
    return named or "mov"


def _is_cover(stream: Any) -> bool:
    """Whether the pictures are the cover of a piece of music."""
    return bool(getattr(stream.disposition, "name", "") and "attached_pic" in str(stream.disposition))


def _seconds(frame: av.VideoFrame, last: Frame, stream: Any) -> float:
    """What the frame says, unless that goes back or says nothing."""
    rate = float(stream.average_rate or RATE)
    stamp = frame.time
    if stamp is not None and math.isfinite(stamp) and (not last.number or stamp > last.seconds):
        return float(stamp)
    return last.seconds + 1 / (rate if 1 <= rate <= 1000 else RATE) if last.number else 0.0


def _cut_off(container: Any, stream: Any, length: float) -> str:
    claimed = float(stream.duration * stream.time_base) if stream.duration else (container.duration or 0) / 1e6
    if claimed - length <= max(CUT_OFF[0], CUT_OFF[1] * claimed):
        return ""
    return f"ends after {length:.2f} s, its header says {claimed:,.0f} s: it is cut off, or the header is wrong"


def _pictured(place: Frame, frame: av.VideoFrame, side: int) -> Frame:
    """As PNG, upright, at most `side` pixels long; the same bytes on every processor."""
    from av.video.reformatter import Interpolation
    from PIL import Image

    scale = min(1.0, side / max(frame.width, frame.height))
    width, height = (max(1, round(length * scale)) for length in (frame.width, frame.height))
    exact = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.BITEXACT | Interpolation.FULL_CHR_H_INT
    pixels = frame.reformat(width, height, "rgb24", interpolation=exact, threads=1).to_ndarray()
    held = io.BytesIO()
    upright(Image.fromarray(pixels), frame.rotation).save(held, "PNG", compress_level=3)
    return Frame(place.number, place.seconds, held.getvalue())


def upright(picture: Image, degrees: int) -> Image:
    """Turned against the clock, as a camera that was held sideways asks for it.

    >>> from PIL import Image
    >>> upright(Image.new("L", (4, 2)), -90).size
    (2, 4)
    """
    return picture.rotate(degrees, expand=True) if degrees % 360 else picture
