import csv
import io
import json

import numpy as np
import pytest

from aigc_models.errors import BadInput
from aigc_models.generator import Generator
from aigc_models.modalities import audio, series
from tasks.use import infer
from tasks.use.generate import identity_of
from tasks.use.infer import Question


@pytest.fixture(scope="module")
def asked(capable):
    loaded = {name: Generator.load(folder) for name, folder in capable.items()}

    def ask(name, where=None, by_line=False, **options):
        parts = loaded[name], identity_of(capable[name])
        return Question(*parts, **options) if where is None else Question.of(*parts, str(where), by_line, **options)

    return ask


def past(folder, steps=30, name="past.csv", start="2020-01-01"):
    days = np.datetime64(start) + np.arange(steps)
    (folder / name).write_text("time,height\n" + "".join(f"{day},{10 + at % 3}\n" for at, day in enumerate(days)))
    return folder / name


def test_forecast_of_the_newest_data_and_of_a_file(asked, tmp_path):
    newest = infer.forecast(asked("waves"), (0.1, 0.5, 0.9))
    (row,) = newest["forecasts"]
    assert (row["input"], row["times"][0], len(row["times"])) == ("latest", "1989-09-18", 6)  # 200 days after 1989-03-02
    low, middle, high = row["quantiles"]["height"]
    assert all(a < b < c for a, b, c in zip(low, middle, high, strict=True))
    assert newest["member"] == ""
    mine = infer.forecast(asked("waves", past(tmp_path), out=tmp_path / "out"), (0.1, 0.5, 0.9))
    assert mine["forecasts"][0]["times"][0] == "2020-01-31"
    table = list(csv.DictReader(io.StringIO((tmp_path / "out" / "past.csv").read_text())))
    assert list(table[0]) == ["time", "channel", "0.1", "0.5", "0.9"]
    assert float(table[0]["0.5"]) == pytest.approx(mine["forecasts"][0]["quantiles"]["height"][1][0])
    assert (tmp_path / "out" / "past.svg").read_text().startswith("<svg")
    assert json.loads((tmp_path / "out" / "forecasts.json").read_text())["forecasts"] == mine["forecasts"]


def test_forecast_of_a_past_without_times_counts_on(asked, tmp_path):
    (tmp_path / "bare.csv").write_text("height\n" + "".join(f"{10 + at % 3}\n" for at in range(40)))
    (row,) = infer.forecast(asked("waves", tmp_path / "bare.csv"), (0.5,))["forecasts"]
    assert (row["times"][:2], row["step"]) == (["40", "41"], "1")


@pytest.mark.parametrize(("levels", "message"), [((), "levels"), ((0.5, 0.1), "ascending"), ((0.5, 1.5), "between 0 and 1")])
def test_bad_levels(asked, levels, message):
    with pytest.raises(BadInput, match=message):
        infer.forecast(asked("waves"), levels)


def test_short_past(asked, tmp_path):
    with pytest.raises(BadInput, match=r"past\.csv: the series has 3 steps; 24 are needed"):
        infer.forecast(asked("waves", past(tmp_path, 3)), (0.5,))
    past(tmp_path, 24, "enough.csv")
    body = infer.forecast(asked("waves", tmp_path), (0.5,))
    assert [row["input"] for row in body["forecasts"]] == ["enough.csv"]
    assert body["refused"] == [{"file": "past.csv", "reason": "the series has 3 steps; 24 are needed: give a longer past"}]


def test_texts_are_classified_by_likelihood_and_scored(asked, tmp_path):
    (tmp_path / "lines.txt").write_text("The red cat sat on the hat.\n\nTHE OLD CAT SAT ON THE MAT.\n")
    body = infer.classify(asked("mind", tmp_path / "lines.txt", by_line=True))
    assert [(row["input"], row["label"]) for row in body["classified"]] == [("lines.txt:1", "calm"), ("lines.txt:3", "loud")]
    assert all(row["probability"] > 0.9 for row in body["classified"])
    calm, loud = (infer.score(asked("mind", tmp_path / "lines.txt", by_line=True, label=label)) for label in ("calm", "loud"))
    assert calm["scored"][0]["bits_per_byte"] < 1.5 < loud["scored"][0]["bits_per_byte"]
    assert calm["scored"][0]["bytes"] == 27
    rows = calm["scored"]
    assert calm["bits_per_byte"] == pytest.approx(sum(row["bits_per_byte"] * row["bytes"] for row in rows) / 54)


def test_a_member_encodes_for_its_ensemble(asked, tmp_path):
    (tmp_path / "a.txt").write_text("The red cat.")
    body = infer.encode(asked("mind", tmp_path / "a.txt", out=tmp_path / "out"))
    assert (body["member"], body["size"]) == ("rnn", 16)
    assert body["encoded"][0]["features"] == infer.encode(asked("letters", tmp_path / "a.txt"))["encoded"][0]["features"]
    rows = list(csv.reader((tmp_path / "out" / "features.csv").open()))
    assert rows[1][0] == "a.txt"
    assert len(rows[0]) == len(rows[1]) == 17


def test_what_a_model_cannot_do(asked, tmp_path):
    with pytest.raises(BadInput, match=r"waves \(linear\) cannot encode; what it does: generates, forecasts"):
        infer.encode(asked("waves", past(tmp_path, 40)))


class Halves:
    """Stands in for a trained model: half of each item."""

    def reconstruct(self, values):
        return values / 2

    def denoise(self, values, conditions, noise):
        return values / (1 + noise)


@pytest.fixture
def halves(asked):
    question = asked("tones")
    generator = question.generator
    return Generator(generator.card, Halves(), audio, generator.format), question.identity


def test_sounds_are_reconstructed_and_denoised(halves, tmp_path):
    sound = audio.Sound(np.full((1, 1024), 0.5, np.float32), 8000)
    audio.write(sound, tmp_path / "a.wav")
    (tmp_path / "b.txt").write_text("no sound")
    question = Question.of(*halves, str(tmp_path), out=tmp_path / "out")
    body = infer.reconstruct(question)
    assert body["refused"] == [{"file": "b.txt", "reason": "is no .wav, .aif, .aifc, .aiff, ... file"}]
    assert body["mse"] == pytest.approx(0.0625, rel=1e-3)
    assert body["psnr"] == pytest.approx(10 * np.log10(4 / 0.0625), rel=1e-3)
    again = audio.read((tmp_path / "out" / "a.wav").read_bytes(), "a.wav")
    assert np.allclose(again.values, 0.25, atol=1e-3)
    clean = infer.denoise(Question.of(*halves, str(tmp_path / "a.wav")), 1.0, add=False)
    assert clean["mse"] == pytest.approx(0.0625, rel=1e-3)
    noisy = infer.denoise(Question.of(*halves, str(tmp_path / "a.wav")), 1.0, add=True)
    assert noisy["noisy_mse"] == pytest.approx(1.0, rel=0.2)
    assert noisy["mse"] < noisy["noisy_mse"]
    with pytest.raises(BadInput, match="out of bounds"):
        infer.denoise(Question.of(*halves, str(tmp_path / "a.wav")), 0.0, add=False)


def test_series_keep_their_times_when_reconstructed(asked, tmp_path):
    question = asked("waves", past(tmp_path, 40))
    generator = Generator(question.generator.card, Halves(), series, question.generator.format)
    (again,) = generator.reconstruct(question.contents)
    assert (again.stamps()[0], again.stamps()[-1], again.steps) == ("2020-01-11", "2020-02-09", 30)
    assert "psnr" not in infer.reconstruct(Question(generator, question.identity, question.items))


def test_an_answer_is_written_into_no_folder_that_is_a_link(asked, tmp_path):
    for name in ("in/deep", "out", "else"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "out" / "deep").symlink_to(tmp_path / "else")
    past(tmp_path / "in" / "deep")
    with pytest.raises(BadInput, match="is a link that leads out"):
        infer.forecast(asked("waves", tmp_path / "in", out=tmp_path / "out"), (0.1, 0.5, 0.9))
    assert not list((tmp_path / "else").iterdir())
