"""Sounds: every format to one form, false claims refused, near-duplicates, and the way to numbers and back."""

from __future__ import annotations

import io
import struct
from typing import Any

import numpy as np
import pytest
import soundfile

from aigc_models.errors import Unreadable
from aigc_models.modalities import audio
from aigc_models.modalities.audio import Sound, drawing, sound_file
from tasks.ingest.embedded import notes

RATE = 8_000


def tone(seed: int = 0, seconds: float = 0.5, rate: int = RATE, channels: int = 1) -> Sound:
    """A chord of random partials that decay, and a little noise: no two seeds are alike."""
    random = np.random.default_rng(seed)
    time = np.arange(round(seconds * rate)) / rate
    waves = [np.sin(2 * np.pi * random.uniform(100, 3000) * time + random.uniform(0, 6)) for _ in range(6)]
    values = sum(random.uniform(0.1, 1) * wave * np.exp(-random.uniform(1, 9) * time) for wave in waves)
    noise = random.normal(0, 0.01, (channels, len(time)))
    return audio.normalise(Sound((0.2 * values + noise).astype(np.float32), rate))


def payload(content: Sound, format: str = "WAV", **options: Any) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, content.values.T, content.rate, format=format, **options)
    return buffer.getvalue()


def claiming(at: int, value: int, size: str = "<I") -> bytes:
    """A good WAV file with one field of its header altered: 22 channels, 24 rate, 40 bytes of sound."""
    data = bytearray(audio.pack(tone()))
    struct.pack_into(size, data, at, value)
    return bytes(data)


@pytest.mark.parametrize(
    ("format", "subtype"),
    [
        ("WAV", "PCM_16"),
        ("WAV", "PCM_U8"),
        ("WAV", "PCM_24"),
        ("WAV", "FLOAT"),
        ("WAV", "ULAW"),
        ("FLAC", "PCM_24"),
        ("OGG", "VORBIS"),
        ("MP3", "MPEG_LAYER_III"),
        ("AIFF", "PCM_16"),
    ],
)
@pytest.mark.parametrize("channels", [1, 2])
def test_every_format_and_width_is_the_same_sound(format: str, subtype: str, channels: int) -> None:
    content = tone(channels=channels)
    read = audio.read(payload(content, format, subtype=subtype), "a")
    assert (read.rate, read.values.dtype, read.values.shape) == (RATE, np.float32, content.values.shape)
    assert np.corrcoef(read.values.ravel(), content.values.ravel())[0, 1] > 0.98
    assert audio.validate(read) is None


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        (b"", "zero bytes"),
        (b"this is text", "not a sound.*this is text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a sound but a PNG picture"),
        (audio.pack(tone())[:3000], "cut off: 5,044 bytes"),
        (payload(tone(), "AIFF")[:3000], "cut off"),
        (payload(tone(), "FLAC")[:2000], "cannot be decoded|cut off"),
        (payload(tone(), "OGG")[:2000], "cannot be decoded|cut off"),
        (payload(tone(seconds=2), "MP3")[:4000], "cannot be decoded|cut off"),
        (audio.pack(tone())[:30], "cannot be decoded|not a sound"),
        (claiming(24, 0), "cannot be decoded"),
        (claiming(24, 1), "claims 1 samples a second"),
        (claiming(24, 10_000_000), "claims 10,000,000 samples a second"),
        (claiming(22, 1000, "<H"), "claims 1000 channels"),
        (claiming(40, 1_000_000_000), "cut off: 999,992,000 bytes"),
    ],
)
def test_what_cannot_be_used_says_why(broken: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        audio.read(broken, "a.wav")


def test_a_length_that_was_not_known_when_it_was_written_is_no_claim() -> None:
    assert audio.read(claiming(40, 0xFFFFFFFF), "a.wav").values.shape == (1, 4000)


def test_of_a_long_sound_the_beginning_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    hours = payload(Sound(np.zeros((1, RATE * 1800), np.float32), RATE), "FLAC")
    assert audio.read(hours, "a.flac").seconds == sound_file.LONGEST
    monkeypatch.setattr(sound_file, "MOST_VALUES", 1000)
    assert audio.read(audio.pack(tone(channels=2)), "a.wav").values.shape == (2, 500)


@pytest.mark.parametrize(
    ("values", "reason"),
    [([[]], "has no samples"), ([[0.5]], "single sample"), ([[0, np.nan, 1]], "1 of 3"), ([[0, np.inf, -np.inf]], "2 of 3")],
)
def test_no_samples_and_no_numbers_are_invalid(values: list[list[float]], reason: str) -> None:
    assert reason in str(audio.validate(Sound(np.array(values, np.float32), RATE)))


def test_normalise_bounds_level_rate_and_channels() -> None:
    loud = audio.normalise(Sound(np.full((1, 100), -4, np.float32), RATE))
    assert loud.values.min() == -1
    assert audio.normalise(Sound(np.zeros((1, 96_000), np.float32), 96_000)).values.shape == (1, 48_000)
    twice, others = tone().values.repeat(2, axis=0), tone(channels=2).values
    assert [len(audio.normalise(Sound(values, RATE)).values) for values in (twice, others, others.repeat(3, 0))] == [1, 2, 1]


@pytest.mark.parametrize("channels", [1, 2])
def test_pack_and_unpack_are_inverse_and_the_same_bytes_each_time(channels: int) -> None:
    content = tone(channels=channels)
    again = audio.unpack(audio.pack(content))
    assert (again.rate, (again.values == content.values).all()) == (RATE, True)
    assert audio.pack(again) == audio.pack(content)
    assert (audio.read(audio.pack(content), "a.wav").values == content.values).all()


def test_format_is_the_usual_one_within_bounds() -> None:
    short, stereo = [tone(0, 0.3)] * 19, tone(0, 9.0, channels=2)
    assert audio.choose_format([*short, stereo]) == audio.Format(rate=RATE, samples=2560, channels=1)
    assert audio.choose_format([stereo]) == audio.Format(rate=RATE, samples=16_128, channels=2)
    assert audio.choose_format([tone(0, 0.5, 44_100)]) == audio.Format(rate=16_000, samples=8192, channels=1)
    assert audio.choose_format([tone(0, 0.001)]).samples == 256


def test_encode_and_decode_are_inverse_at_the_same_length() -> None:
    form = audio.Format(rate=RATE, samples=4096, channels=1)
    contents = [tone(seed, 0.512) for seed in range(3)]
    values = audio.tensor(audio.encode(contents, form))
    assert (values.shape, float(values.abs().max()) <= 1) == ((3, 1, 4096), True)
    assert all((one.values == two.values).all() for one, two in zip(audio.decode(values, form), contents, strict=True))
    assert audio.decode(values * 9, form)[0].values.min() == -1


def test_other_lengths_rates_and_channels_are_brought_to_the_format() -> None:
    form = audio.Format(rate=RATE, samples=4096, channels=2)
    short, long, fast = audio.encode([tone(0, 0.1), tone(0, 2.0, channels=2), tone(0, 0.5, 22_050)], form)
    assert not short[:, 800:].any()
    assert abs(int(long[0, -1])) <= 1
    assert long[0, 3000] != long[1, 3000]
    assert (fast[0] == fast[1]).all()
    assert np.corrcoef(fast[0, :4000], audio.encode([tone(0, 0.5)], form)[0, 0, :4000])[0, 1] < 1


def test_copies_are_near_duplicates_and_others_are_not(near_pairs) -> None:
    originals = [tone(seed, 0.6) for seed in range(20)]
    copies = [
        Sound(originals[0].values / 4, RATE),
        Sound(originals[1].values[:, 37:], RATE),
        Sound(np.pad(originals[2].values, ((0, 0), (150, 90))), RATE),
        audio.read(payload(originals[3], "OGG"), "a.ogg"),
        audio.read(payload(originals[4], "MP3"), "a.mp3"),
        Sound(audio._resampled(originals[5].values, RATE, 44_100), 44_100),
    ]
    prints = [audio.fingerprint(audio.normalise(content)).near for content in originals + copies]
    assert near_pairs(audio, prints) == {(at, 20 + at) for at in range(6)}


def test_notes_of_one_pitch_are_not_lumped_together(near_pairs) -> None:
    sounds = [audio.read(item.payload, item.name) for item in notes.items() if item.label in ("A2", "D#4", "E4")]
    assert near_pairs(audio, [audio.fingerprint(sound).near for sound in sounds]) == set()


def test_high_sounds_are_compared_where_they_sound(near_pairs) -> None:
    time = np.arange(22_050) / 44_100
    random = np.random.default_rng(0)
    cries = [Sound((0.1 * random.normal(size=(1, 22_050)) * np.sin(60_000 * time)).astype(np.float32), 44_100) for _ in "ab"]
    high = [
        Sound(sound.values - audio._resampled(audio._resampled(sound.values, 44_100, 9000), 9000, 44_100), 44_100)
        for sound in cries
    ]
    prints = [audio.fingerprint(sound).near for sound in (*high, Sound(high[0].values / 2, 44_100))]
    assert near_pairs(audio, prints) == {(0, 2)}


@pytest.mark.parametrize("samples", [1, 2, 100])
def test_the_shortest_and_silence_have_fingerprints_and_previews(samples: int) -> None:
    for values in (np.zeros((1, samples), np.float32), np.full((1, samples), 0.5, np.float32)):
        content = Sound(values, RATE)
        assert len(audio.fingerprint(content).near) == len(audio.fingerprint(tone()).near)
        assert "data:image/png;base64," in audio.preview(content)


def test_write_and_preview(tmp_path) -> None:
    path = audio.write(tone(), tmp_path / "item")
    assert (path.suffix, (audio.read(path.read_bytes(), path.name).values == tone().values).all()) == (".wav", True)
    shown = audio.preview(tone())
    assert "<audio controls" in shown
    assert "data:audio/wav;base64,UklGR" in shown
    assert len(audio.preview(tone(seconds=30))) < 200_000


def test_a_tone_is_a_line_at_its_height_in_the_picture() -> None:
    time = np.arange(8000) / RATE
    levels = drawing.levels_of(np.sin(2 * np.pi * 1000 * time), 256)
    assert levels[:, 50].argmax() == 32
    assert levels[100, 50] < 0.3


def test_spread_names_what_there_is() -> None:
    figures = audio.spread([tone(), tone(seconds=1.0, rate=16_000, channels=2)])
    assert figures["seconds"] == [0.5, 0.75, 1.0]
    assert (figures["rates"], figures["channels"]) == ({"16000": 1, "8000": 1}, {"1": 1, "2": 1})
    assert -60 < figures["level_db"][0] < figures["peak_db"][2] <= 0
