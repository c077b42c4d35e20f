"""Frames of clips that are made here, whole, damaged and lying."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from aigc_models.errors import BadInput
from tasks.ingest.readers import frames
from tasks.ingest.readers.frames import Frame, Sampling, of_file

av = pytest.importorskip("av")


def clip(path: Path, count: int = 50, codec: str = "mpeg4", size: tuple[int, int] = (64, 48)) -> Path:
    """Ten frames a second, each brighter than the one before it."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for number in range(count):
            shade = np.full((size[1], size[0], 3), 4 * number % 256, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(shade, "rgb24")))
        container.mux(stream.encode())
    return path


def sound(path: Path) -> Path:
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=8000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        frame.rate = 8000
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def shade(frame: Frame) -> int:
    return int(np.asarray(Image.open(io.BytesIO(frame.picture))).mean())


def read(path: Path, **sampling: object) -> list[Frame]:
    return list(of_file(path, Sampling.model_validate(sampling)))


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "libx264"), ("a.mkv", "mpeg4"), ("a.webm", "libvpx"), ("a.avi", "mpeg4"), ("a.mov", "mpeg4")]
)
def test_a_frame_a_second_of_each_kind_of_file(tmp_path: Path, name: str, codec: str) -> None:
    samples = read(clip(tmp_path / name, codec=codec))
    assert [(frame.number, round(frame.seconds, 2)) for frame in samples] == [(1, 0), (11, 1), (21, 2), (31, 3), (41, 4)]
    assert [abs(shade(frame) - 40 * at) <= 4 for at, frame in enumerate(samples)] == [True] * 5
    assert not any(frame.problem for frame in samples)


def test_other_times_numbers_and_sizes(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv")
    assert len(read(path, every="500ms")) == 10
    assert len(read(path, every="0.01s")) == 50
    assert len(read(path, every="0.01", most=7)) == 7
    assert [frame.number for frame in read(path, frames=5)] == [1, 13, 25, 37, 49]
    assert len(read(path, frames=200)) == 50
    assert [frame.number for frame in read(path, frames=1)] == [1]
    assert Image.open(io.BytesIO(read(path, side=32)[0].picture)).size == (32, 24)
    with pytest.raises(BadInput, match="'often' is no time"):
        Sampling.model_validate({"every": "often"})


def test_the_same_clip_gives_the_same_bytes(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv")
    assert read(path) == read(path)


def test_frames_before_a_damage_are_kept(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv", codec="libx264")
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 3 // 4] + bytes(300) + whole[len(whole) * 3 // 4 + 300 :])
    *kept, end = read(path)
    assert len(kept) >= 2
    assert not any(frame.problem for frame in kept)
    assert end.problem.startswith("is damaged after ")
    assert str(tmp_path) not in end.problem


def test_a_clip_that_was_cut_off_says_so(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv")
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    *kept, end = read(path)
    assert kept
    assert "its header says 5 s: it is cut off" in end.problem


def test_ten_hours_that_a_header_claims_cost_nothing(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4")
    content = bytearray(path.read_bytes())
    place = content.index(b"mdhd") + 4
    scale, _ = struct.unpack(">II", content[place + 12 : place + 20])
    content[place + 16 : place + 20] = struct.pack(">I", 36_000 * scale)
    path.write_bytes(content)
    assert [(frame.seconds, frame.problem) for frame in read(path)] == [(at, "") for at in range(5)]


def test_what_ends_long_before_its_header_says_is_told(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mkv")
    content = bytearray(path.read_bytes())
    place = content.index(b"\x44\x89\x88") + 3  # Matroska's duration (ms)
    content[place : place + 8] = struct.pack(">d", 36_000_000.0)
    path.write_bytes(content)
    *kept, end = read(path)
    assert len(kept) == 5
    assert "its header says 36,000 s" in end.problem


def test_a_bomb_of_frames_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip(tmp_path / "a.mkv", count=30)
    monkeypatch.setattr(frames, "FLOOR", 64 * 48 * 20)
    monkeypatch.setattr(frames, "RATIO", 1)
    *kept, end = read(path)
    assert len(kept) == 2
    assert end.number == 21
    assert "is it a bomb?" in end.problem


def test_frames_that_claim_to_be_huge_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip(tmp_path / "a.mkv", count=3)
    monkeypatch.setattr(frames, "LARGEST", 1000)
    (end,) = read(path)
    assert "more than 1,000 pixels" in end.problem


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * 1000,
        b"\0\0\0 ftypisom" + b"\xff" * 500,
        b"\x1aE\xdf\xa3",
        b"RIFF\xff\xff\xff\xffAVI LIST",
        b"#EXTM3U\nfile:///etc/passwd\n",
    ],
)
def test_what_is_no_video(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.mp4").write_bytes(content)
    (end,) = read(tmp_path / "a.mp4")
    assert end.problem.startswith(("is no video that can be read", "holds no frame"))


def test_sound_alone_is_no_video(tmp_path: Path) -> None:
    (end,) = read(sound(tmp_path / "a.mp4"))
    assert end.problem == "is no video that can be read (it has no video stream)"
