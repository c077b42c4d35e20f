import numpy as np
import pytest
import torch

from aigc_models.metrics._pitch import midi_heard
from aigc_models.modalities.audio import Format
from aigc_models.modalities.audio.spectrogram import Spectrogram, compress, expand, overlapped
from tasks.ingest.embedded import notes


@pytest.fixture(scope="module")
def plucked():
    """Every third pitch of the notes, float32 (item, 1, 4096), and their MIDI numbers."""
    pitches = np.arange(notes.LOWEST, notes.LOWEST + notes.PITCHES, 3)
    sounds = np.stack([notes.note(pitch, np.random.default_rng([pitch, 1])) for pitch in pitches])
    return torch.from_numpy(sounds.astype(np.float32) / 32768)[:, None], pitches


@pytest.fixture(scope="module")
def canvas():
    return Spectrogram(Format(rate=8000, samples=4096, channels=1))


def decibels(values):
    """Log spectrum (item, frequency, frame) on another grid than the canvas', at most 50 dB below each item's loudest."""
    magnitudes = torch.stft(values[:, 0], 512, 100, window=torch.hann_window(512), return_complex=True).abs()
    return 20 * torch.maximum(magnitudes, magnitudes.amax((1, 2), keepdim=True) * 10**-2.5).log10()


def test_notes_come_back_with_their_pitch_and_their_spectrum(plucked, canvas):
    values, pitches = plucked
    back = canvas.unpaint(canvas.paint(values))
    heard = midi_heard(back[:, 0].double().numpy(), 8000, 40, 70)
    assert np.abs(heard - pitches).max() < 0.5
    assert float((decibels(back) - decibels(values)).square().mean().sqrt()) < 4
    silence = torch.full_like(values, 1e-4)
    assert float((decibels(silence) - decibels(values)).square().mean().sqrt()) > 15


def test_a_picture_is_small_and_in_bounds(plucked, canvas):
    pictures = canvas.paint(plucked[0])
    assert pictures.shape[1:] == canvas.item == (64, 8, 8)
    assert -1.001 < float(pictures.min()) < -0.99
    assert 0 < float(pictures.max()) < 1.2


def test_an_item_depends_on_its_own_picture_alone(plucked, canvas):
    pictures = canvas.paint(plucked[0])
    together, apart = canvas.unpaint(pictures[:3]), canvas.unpaint(pictures[1:2])
    assert torch.allclose(together[1:2], apart, atol=1e-4)
    assert torch.equal(canvas.unpaint(pictures[:3]), together)


@pytest.mark.parametrize(
    ("rate", "samples", "channels"), [(8000, 256, 1), (16000, 32000, 1), (8000, 5376, 2), (22050, 2048, 1), (1000, 512, 1)]
)
def test_any_format(rate, samples, channels):
    canvas = Spectrogram(Format(rate=rate, samples=samples, channels=channels), iterations=2)
    values = 0.1 * torch.randn(2, channels, samples, generator=torch.Generator().manual_seed(0))
    pictures = canvas.paint(values)
    assert pictures.shape == (2, *canvas.item)
    assert torch.equal(canvas.folded(canvas.unfolded(pictures)), pictures)
    back = canvas.unpaint(pictures)
    assert back.shape == values.shape
    assert float(back.std()) == pytest.approx(0.1, rel=0.35)


def test_neighbouring_frequencies_share_a_place():
    canvas = Spectrogram(Format(rate=8000, samples=4096, channels=1))
    rows = torch.arange(128.0)[None, None, :, None].expand(1, 1, 128, canvas.frames)
    folded = canvas.folded(rows)
    assert float(folded[0, :, 0].max()) == 15
    assert float(folded[0, :, 7].min()) == 112


def test_stereo_channels_do_not_mix():
    canvas = Spectrogram(Format(rate=8000, samples=2048, channels=2))
    left = 0.5 * torch.sin(torch.arange(2048.0) * 0.3)
    back = canvas.unpaint(canvas.paint(torch.stack([left, torch.zeros(2048)])[None]))
    assert float(back[0, 0].std()) > 0.25
    assert float(back[0, 1].abs().max()) < 0.01


def test_white_noise_is_taken_away_before_it_is_told_how_much_is_left(plucked, canvas):
    values = plucked[0]
    noisy = values + 0.05 * torch.randn(values.shape, generator=torch.Generator().manual_seed(0))
    pictures, left = canvas.noisy(noisy, 0.05)
    clean = canvas.paint(values)
    assert float((pictures - clean).square().mean()) < 0.3 * float((canvas.paint(noisy) - clean).square().mean())
    assert 0 < canvas.noisy(noisy, 0.01)[1] < left < 1


def test_frames_add_up_where_they_overlap():
    frames = torch.arange(12.0).reshape(3, 4)
    assert overlapped(frames, 2).tolist() == [0, 1, 2 + 4, 3 + 5, 6 + 8, 7 + 9, 10, 11]


def test_magnitudes_are_compressed_and_expanded():
    levels = torch.tensor([0.0, 1e-3, 0.1, 1.0])
    assert torch.allclose(expand(compress(levels)), levels, atol=1e-5)
    assert compress(levels)[[0, 3]].tolist() == pytest.approx([-1, 1])
