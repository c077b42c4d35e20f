"""Every kind of bad sound through ingesting and cleaning: it is quarantined with a reason, and the rest goes on."""

from __future__ import annotations

import io
import resource
import struct
from typing import Any

import numpy as np
import pytest
import soundfile
from pyarrow import parquet

from aigc_models.modalities import audio
from aigc_models.modalities.audio import Sound
from tasks.clean.clean import CleanSettings, clean
from tasks.ingest.ingest import ingest
from tasks.ingest.source import SourceSettings, modality
from tasks.stage.settings import Workspace
from tasks.stage.stage import StageContext

RATE = 8_000
MELODY = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4000) / RATE)[None]
STEREO = np.stack([MELODY[0], 0.5 * MELODY[0][::-1]])


def wav(values: Any, subtype: str = "PCM_16", rate: int = RATE, format: str = "WAV") -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, np.atleast_2d(np.asarray(values, dtype=np.float64)).T, rate, subtype=subtype, format=format)
    return buffer.getvalue()


def altered(at: int, value: int) -> bytes:
    data = bytearray(wav(MELODY))
    struct.pack_into("<I", data, at, value)
    return bytes(data)


SOUNDS = {
    "good.wav": wav(MELODY),
    "stereo.wav": wav(STEREO),
    "loud.wav": wav(MELODY * 10, "FLOAT"),
    "offset.wav": wav(MELODY + 0.4),
    "fast.wav": wav(MELODY, rate=44_100),
    "stream.wav": altered(40, 0xFFFFFFFF),
    "good.mp3": wav(MELODY * 0.9, "MPEG_LAYER_III", format="MP3"),
    "long.flac": wav(np.tile(MELODY * 0.8, 400), format="FLAC"),
    "one.wav": wav([0.5]),
    "none.wav": wav(MELODY[:, :0]),
    "slow.wav": altered(24, 1),
    "radio.wav": altered(24, 10_000_000),
    "nan.wav": wav([[0, np.nan, 0.5] * 1000], "FLOAT"),
    "infinite.wav": wav([[0, -np.inf, 0.5] * 1000], "DOUBLE"),
    "huge.wav": wav([[1e300, 0.5] * 1000], "DOUBLE"),
    "picture.wav": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(200),
    "cut.wav": wav(MELODY)[:4000],
    "cut.mp3": wav(np.tile(MELODY, 4), "MPEG_LAYER_III", format="MP3")[:2000],
    "zero.wav": b"",
    "claims.wav": altered(40, 0x7FF00000),
    "silent.wav": wav(MELODY * 0.0005),
    "still.wav": wav(MELODY * 0 + 0.25),
    "clipped.wav": wav(np.clip(MELODY * 20, -1, 1)),
}
REJECTED = {
    "one.wav": ("invalid", "is a single sample"),
    "none.wav": ("invalid", "has no samples"),
    "slow.wav": ("unreadable", "claims 1 samples a second"),
    "radio.wav": ("unreadable", "claims 10,000,000 samples a second"),
    "nan.wav": ("invalid", "1000 of 3000 samples are no finite numbers"),
    "infinite.wav": ("invalid", "1000 of 3000 samples are no finite numbers"),
    "huge.wav": ("invalid", "1000 of 2000 samples are no finite numbers"),
    "picture.wav": ("unreadable", "not a sound but a PNG picture"),
    "cut.wav": ("unreadable", "cut off: 4,044 bytes"),
    "cut.mp3": ("unreadable", "cut off: "),
    "zero.wav": ("unreadable", "zero bytes"),
    "claims.wav": ("unreadable", "cut off: 2,146,427,"),
    "silent.wav": ("silence", "is silent: its loudest 50 ms have -80 dB"),
    "still.wav": ("constant", "is one level all over"),
    "clipped.wav": ("clipped", "of its samples are cut off at full scale"),
}


@pytest.fixture(scope="module")
def cleaned(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    root = tmp_path_factory.mktemp("sounds")
    (root / "content").mkdir()
    for name, payload in SOUNDS.items():
        (root / "content" / name).write_bytes(payload)
    source = SourceSettings(name="sounds", location=str(root / "content"))
    assert modality(source) == "audio"
    context = StageContext(root, Workspace(root / "w"))
    clean.plain(ingest.plain(source, context=context), CleanSettings(), context=context)
    folder = context.workspace.data / "sounds/clean"
    bad = sorted(folder.glob("*.rejected.parquet"))
    kept = [path for path in sorted(folder.glob("*.parquet")) if path not in bad]
    return {
        "kept": [row for path in kept for row in parquet.read_table(path).to_pylist()],
        "rejected": [row for path in bad for row in parquet.read_table(path).to_pylist()],
    }


def test_each_bad_sound_is_named_with_rule_and_reason(cleaned: dict[str, list[dict[str, Any]]]) -> None:
    found = {row["source"]: (row["rule"], row["reason"]) for row in cleaned["rejected"]}
    assert {name: rule for name, (rule, _) in found.items()} == {name: rule for name, (rule, _) in REJECTED.items()}
    for name, (_, reason) in REJECTED.items():
        assert reason in found[name][1], name


def test_the_rest_goes_on_in_one_form(cleaned: dict[str, list[dict[str, Any]]]) -> None:
    sounds = {row["source"]: audio.unpack(row["content"]) for row in cleaned["kept"]}
    assert set(sounds) == set(SOUNDS) - set(REJECTED)
    assert len(sounds["stereo.wav"].values) == 2
    assert sounds["long.flac"].seconds == 10
    assert abs(float(sounds["offset.wav"].values.mean())) < 1e-3
    assert 0.99 < float(np.abs(sounds["loud.wav"].values).max()) <= 1
    form = audio.choose_format(list(sounds.values()))
    assert (form.rate, form.channels) == (RATE, 1)
    values = audio.encode(list(sounds.values()), form)
    assert values.shape == (len(sounds), 1, form.samples)
    assert all(row.any() for row in values)


def test_memory_stays_bounded_whatever_a_header_claims() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    audio.read(wav(np.zeros((2, 48_000 * 120)), rate=48_000, format="FLAC"), "hours.flac")
    made = 2 * 48_000 * 120 * 8 / 1024  # what this test itself needs to write the file, in KiB
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 3 * made


def test_stereo_among_mono_sounds_alike() -> None:
    form = audio.Format(rate=RATE, samples=4096, channels=1)
    mixed, plain = audio.encode([Sound(np.float32([MELODY[0], MELODY[0]]), RATE), Sound(np.float32(MELODY), RATE)], form)
    assert (mixed == plain).all()
