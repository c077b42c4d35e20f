import json
from types import SimpleNamespace

import numpy as np
import pytest

from aigc_models.corpus import Corpus
from aigc_models.generator import Generator
from aigc_models.modalities import series, text
from tasks.judge.samples import QUOTED, generate_like, nearest_texts, show_samples, shuffled


@pytest.fixture(scope="module")
def waves(capable):
    generator = Generator.load(capable["waves"])
    wave = series.Series(10 + np.sin(np.arange(200) / 4)[None], ("height",), 0.0, "1D")
    values, _, _ = series.windows([wave], generator.format, series.borders([wave], 0.2, 0.2), "test")
    return generator, Corpus("series", values, np.zeros(len(values), np.int64))


def test_windows_of_time_stay_in_order_and_need_no_samples(waves):
    generator, test = waves
    assert shuffled(test, 3) is test
    assert len(generate_like(test, generator, 512, 20_000)) == 0


def test_forecasts_are_shown_beside_what_came(waves, tmp_path):
    generator, test = waves
    show_samples(generator, 40, 20_000, tmp_path / "samples", test)
    shown = json.loads((tmp_path / "samples" / "samples.json").read_text())
    assert len(shown) == 12
    assert shown[0]["note"] == f"test window 1 of {len(test)}, 6 steps of 1D ahead"
    assert shown[-1]["note"].startswith(f"test window {len(test)} of")
    table = series.read((tmp_path / "samples" / shown[3]["file"]).read_bytes(), "x.csv")
    assert table.channels == ("height", *(f"height {level:g}" for level in (0.05, 0.25, 0.5, 0.75, 0.95)))
    assert table.times()[[0, -1]].tolist() == [-24, 5]
    row = round(3 * (len(test) - 1) / 11)
    assert np.allclose(table.values[0], test.values[row, 0] * 0.7 + 10, atol=1e-4)
    assert np.abs(table.values[3, 24:] - table.values[0, 24:]).max() < 0.2  # a sine is easy
    assert shown[0]["html"].count("<polygon") == 2
    assert "dashes: what came; blue: median and bands 50 %, 90 %" in shown[0]["html"]


def test_each_text_is_shown_with_the_training_text_that_is_most_like_it():
    format = text.Format(length=64)
    lines = ["the cat sat on the mat", "it will rain in the hills\ntomorrow", "a very long story " * 20]
    train = Corpus("text", text.encode(lines, format), np.zeros(3, dtype=np.int64))
    generator = SimpleNamespace(modality=text, format=format)
    copy, near, long, other = nearest_texts([lines[0], "it rains in the hills", "a very long one", "xyz"], train, generator)
    assert copy == "nearest training text, at 0.00: the cat sat on the mat"
    assert near.endswith(": it will rain in the hills tomorrow")
    assert 0 < float(near.split()[4].rstrip(":")) < 0.9
    assert long.endswith(f": {(lines[2])[:QUOTED]}...")
    assert "at 1.00" in other
